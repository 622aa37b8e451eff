"""What a meter's own time stamps say about the age of a message.

The meter's clock and ours share no origin, so only differences count: the message that came
soonest after its stamp sets the scale, and every other is later than that by some lag.
"""

from __future__ import annotations

from math import inf

from gridzero_drivers.metering.codec import NoReading

TRUSTED_LAG_S = 10.0
WINDOW_S = 60.0


class StampClock:
    """Learns the offset of one meter's clock; one instance per topic.

    The smallest offset of the last one to two minutes counts, so that a drifting clock does not
    look like growing lag. Stamps in whole seconds say nothing below one second.
    """

    def __init__(self) -> None:
        self._newest_s: float | None = None
        self._resolution_s = 1.0
        self._stale_since_s: float | None = None
        self._forget()

    def lag_s(self, stamp_s: float, arrived_at_s: float) -> float | NoReading:
        """How much later than usual a message came, 0..10 s, beyond the usual latency.

        REPEATED: the stamp is not newer than the last. STALE: it lies more than 10 s back; if it
        stays so for 10 s the meter's clock was set back, and learning begins anew.
        """
        if self._newest_s is not None and 0 <= self._newest_s - stamp_s < TRUSTED_LAG_S:
            return NoReading.REPEATED
        if stamp_s % 1:
            self._resolution_s = 0.0
        offset_s = arrived_at_s - stamp_s
        if self._is_stale(offset_s, arrived_at_s):
            return NoReading.STALE
        self._newest_s = stamp_s
        self._learn(offset_s, arrived_at_s)
        return max(0.0, offset_s - self._usual_s - self._resolution_s)

    @property
    def _usual_s(self) -> float:
        return min(self._before_s, self._current_s)

    def _is_stale(self, offset_s: float, arrived_at_s: float) -> bool:
        if offset_s - self._usual_s - self._resolution_s <= TRUSTED_LAG_S:
            self._stale_since_s = None
            return False
        if self._stale_since_s is None:
            self._stale_since_s = arrived_at_s
        if arrived_at_s - self._stale_since_s < TRUSTED_LAG_S:
            return True
        self._stale_since_s = None
        self._forget()
        return False

    def _forget(self) -> None:
        self._before_s = self._current_s = inf
        self._window_from_s = -inf

    def _learn(self, offset_s: float, arrived_at_s: float) -> None:
        if arrived_at_s - self._window_from_s > WINDOW_S:
            self._before_s, self._current_s = self._current_s, inf
            self._window_from_s = arrived_at_s
        self._current_s = min(self._current_s, offset_s)
