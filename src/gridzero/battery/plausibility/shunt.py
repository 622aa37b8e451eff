"""The shunt: its offset at rest, its sign, and whether it moves at all."""

from __future__ import annotations

from statistics import median
from typing import Final

from gridzero.battery.plausibility.flow import Flow
from gridzero.domain.readings import CurrentReading

REST_S: Final = 30.0
"""Current has to have ended so long ago: what the cells exchange among modules does not count."""
BLOCK: Final = 40
MOST_OFFSET_A: Final = 3.0
OPPOSITE_A: Final = 5.0
OPPOSITE_S: Final = 10.0
STILL_S: Final = 10.0
MOVED_A: Final = 10.0
_FRESH_S = 2.0


class ShuntCheck:
    """Judges a shunt by what the converters say.

    offset_a: what it reads when nothing flows, the median of each 40 readings, followed slowly;
    None = never seen at rest. Beyond 3 A it is a current, not an offset, and is not learned.
    sign_wrong: converters move more than 5 A one way, the shunt the other, for 10 s.
    stuck: the same value for 10 s while the converters moved by 10 A.
    """

    def __init__(self) -> None:
        self.offset_a: float | None = None
        self.sign_wrong = False
        self.stuck = False
        self._seen_s = float("-inf")
        self._rest_since_s: float | None = None
        self._block: list[float] = []
        self._changed_s: float | None = None
        self._value_a: float | None = None
        self._still_since_s = 0.0
        self._still: tuple[float, float] | None = None

    def update(
        self, reading: CurrentReading | None, flow: Flow, now_s: float, *, cells_rest: bool
    ) -> None:
        """Call at every tick; only new readings count. cells_rest: no cell moves."""
        self._note_rest(now_s, is_rest=flow.at_rest and cells_rest)
        if (
            reading is None
            or not self._seen_s < reading.at_s
            or not now_s - reading.at_s < _FRESH_S
        ):
            return
        self._seen_s = reading.at_s
        self._watch_sign(reading.current_a, flow.dc_a, now_s)
        self._watch_still(reading.current_a, flow.dc_a, now_s)
        if self._rest_since_s is not None and now_s - self._rest_since_s >= REST_S:
            self._learn(reading.current_a)

    def _note_rest(self, now_s: float, *, is_rest: bool) -> None:
        if not is_rest:
            self._rest_since_s = None
            self._block.clear()
        elif self._rest_since_s is None:
            self._rest_since_s = now_s

    def _learn(self, current_a: float) -> None:
        if abs(current_a) > MOST_OFFSET_A:
            self._block.clear()
            return
        self._block.append(current_a)
        if len(self._block) < BLOCK:
            return
        middle_a = median(self._block)
        self._block.clear()
        before_a = middle_a if self.offset_a is None else self.offset_a
        self.offset_a = before_a + 0.2 * (middle_a - before_a)

    def _watch_sign(self, shunt_a: float, dc_a: float | None, now_s: float) -> None:
        """Both have to say something for so long before the judgement changes."""
        if dc_a is None or abs(dc_a) <= OPPOSITE_A or abs(shunt_a) <= 0.4 * abs(dc_a):
            self._changed_s = None
            return
        looks_wrong = (shunt_a > 0) != (dc_a > 0)
        if looks_wrong == self.sign_wrong:
            self._changed_s = None
        elif self._changed_s is None:
            self._changed_s = now_s
        elif now_s - self._changed_s >= OPPOSITE_S:
            self.sign_wrong, self._changed_s = looks_wrong, None

    def _watch_still(self, shunt_a: float, dc_a: float | None, now_s: float) -> None:
        if shunt_a != self._value_a:
            self._value_a, self._still_since_s, self._still = shunt_a, now_s, None
            self.stuck = False
        if dc_a is None:
            return
        low_a, high_a = self._still or (dc_a, dc_a)
        self._still = min(low_a, dc_a), max(high_a, dc_a)
        moved_a = self._still[1] - self._still[0]
        if now_s - self._still_since_s >= STILL_S and moved_a >= MOVED_A:
            self.stuck = True
