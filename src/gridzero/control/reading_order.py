"""Which meter readings are news.

A broker may deliver a message twice, a meter may send one twice, and stamps may run backwards.
Such a reading keeps the meter alive, but the control law must not count it a second time.
"""

from __future__ import annotations

from gridzero.domain.readings import MeterReading

_TOO_SOON = 0.25  # part of the usual interval within which the same number is the same message
_LEARNING = 0.1
_LONGEST_GAP_S = 30.0


class ReadingOrder:
    """Remembers the newest reading and how far readings lie apart."""

    def __init__(self) -> None:
        self._newest: MeterReading | None = None
        self._usual_s: float | None = None

    def is_news(self, reading: MeterReading) -> bool:
        """Whether this one was measured after the last, and is not the last one again."""
        newest = self._newest
        if newest is None:
            self._newest = reading
            return True
        gap_s = reading.received_at_s - newest.received_at_s
        if not reading.at_s > newest.at_s or self._repeats(reading, newest, gap_s):
            return False
        self._newest = reading
        self._learn(gap_s)
        return True

    def _repeats(self, reading: MeterReading, newest: MeterReading, gap_s: float) -> bool:
        soon = self._usual_s is not None and gap_s < _TOO_SOON * self._usual_s
        return soon and reading.grid_w == newest.grid_w

    def _learn(self, gap_s: float) -> None:
        if not gap_s <= _LONGEST_GAP_S:
            return
        usual_s = gap_s if self._usual_s is None else self._usual_s
        self._usual_s = usual_s + _LEARNING * (gap_s - usual_s)
