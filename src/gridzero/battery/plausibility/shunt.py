"""The shunt: its offset at rest, its sign, and whether it moves at all."""

from __future__ import annotations

from statistics import median
from typing import Final

from gridzero.battery.plausibility.flow import Flow
from gridzero.battery.plausibility.retrial import Retrial
from gridzero.domain.readings import CurrentReading

REST_S: Final = 30.0
"""Current has to have ended so long ago: what the cells exchange among modules does not count."""
BLOCK: Final = 40
MOST_OFFSET_A: Final = 3.0
OPPOSITE_A: Final = 5.0
OPPOSITE_S: Final = 10.0
MIRRORED: Final = (0.6, 1.4)
STILL_S: Final = 10.0
MOVED_A: Final = 10.0
TRIAL_S: Final = 3.0
"""One that was wrong before is found out so much sooner."""
_FRESH_S = 2.0
_LONGEST_S = 1.0


class ShuntCheck:
    """Judges a shunt by what the converters say.

    offset_a: what it reads when nothing flows, the median of each 40 readings, followed slowly;
    None = never seen at rest. Beyond 3 A it is a current, not an offset, and is not learned.
    sign_wrong: converters move more than 5 A one way, the shunt the other, for 10 s. A converter
    that a wrong shunt has called dead is believed to do nothing; then its command counts, if the
    shunt shows the mirror image of it.
    stuck: the same value for 10 s, the last 3 s of them after the converters moved by 10 A: what
    they are believed to do may be ahead of a reading that is well. Both refuse power, and only
    current can speak against them: after a pause the shunt is believed on trial.
    """

    def __init__(self) -> None:
        self.offset_a: float | None = None
        self.sign_wrong = False
        self.stuck = False
        self._seen_s = float("-inf")
        self._rest_since_s: float | None = None
        self._block: list[float] = []
        self._against_s = self._cleared_s = 0.0
        self._sign_trial, self._still_trial = Retrial(), Retrial()
        self._value_a: float | None = None
        self._still_since_s = self._moved_s = 0.0
        self._still: tuple[float, float] | None = None

    def update(
        self, reading: CurrentReading | None, flow: Flow, now_s: float, *, cells_rest: bool
    ) -> None:
        """Call at every tick; only new readings count. cells_rest: no cell moves."""
        self._note_rest(now_s, is_rest=flow.at_rest and cells_rest)
        self._try_again(now_s)
        if (
            reading is None
            or not self._seen_s < reading.at_s
            or not now_s - reading.at_s < _FRESH_S
        ):
            return
        for_s, self._seen_s = reading.at_s - self._seen_s, reading.at_s
        self._watch_sign(reading.current_a, flow, min(for_s, _LONGEST_S), now_s)
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
        if not abs(current_a) <= MOST_OFFSET_A:
            self._block.clear()
            return
        self._block.append(current_a)
        if len(self._block) < BLOCK:
            return
        middle_a = median(self._block)
        self._block.clear()
        before_a = middle_a if self.offset_a is None else self.offset_a
        self.offset_a = before_a + 0.2 * (middle_a - before_a)

    def _try_again(self, now_s: float) -> None:
        if self._sign_trial.begins(now_s):
            self.sign_wrong, self._against_s, self._cleared_s = False, 0.0, 0.0
        if self._still_trial.begins(now_s):
            self.stuck, self._still_since_s, self._still = False, now_s, None

    def _watch_sign(self, shunt_a: float, flow: Flow, for_s: float, now_s: float) -> None:
        """Currents too small to tell count for nothing; one that speaks for the old sign ends it.

        So the short tries of a converter that was taken out for "not following" add up.
        """
        looks_wrong = _looks_wrong(shunt_a, flow)
        if looks_wrong is None:
            return
        self._against_s = 0.0 if looks_wrong == self.sign_wrong else self._against_s + for_s
        self._cleared_s = 0.0 if looks_wrong else self._cleared_s + for_s
        if looks_wrong and self._against_s >= self._needed_s(self._sign_trial, OPPOSITE_S):
            self.sign_wrong, self._against_s = True, 0.0
            self._sign_trial.convict(now_s)
        elif self._cleared_s >= OPPOSITE_S:
            self.sign_wrong, self._against_s = False, 0.0
            self._sign_trial.clear(now_s)

    def _watch_still(self, shunt_a: float, dc_a: float | None, now_s: float) -> None:
        if shunt_a != self._value_a:
            self._value_a, self._still_since_s, self._still = shunt_a, now_s, None
            self.stuck = False
            self._still_trial.clear(now_s)
        if dc_a is None:
            return
        low_a, high_a = self._still or (dc_a, dc_a)
        self._still = min(low_a, dc_a), max(high_a, dc_a)
        if self.stuck or not self._still[1] - self._still[0] >= MOVED_A:
            self._moved_s = now_s
            return
        still_s = now_s - self._still_since_s
        if now_s - self._moved_s >= TRIAL_S and still_s >= self._needed_s(
            self._still_trial, STILL_S
        ):
            self.stuck = True
            self._still_trial.convict(now_s)

    @staticmethod
    def _needed_s(trial: Retrial, usual_s: float) -> float:
        return TRIAL_S if trial.on_trial else usual_s


def _looks_wrong(shunt_a: float, flow: Flow) -> bool | None:
    """Whether the sign is wrong at this moment; None = nobody can tell."""
    dc_a, told_a = flow.dc_a, flow.told_a
    if dc_a is not None and abs(dc_a) > OPPOSITE_A and abs(shunt_a) > 0.4 * abs(dc_a):
        return (shunt_a > 0) != (dc_a > 0)
    if told_a is None or not abs(told_a) > OPPOSITE_A:
        return None
    return True if MIRRORED[0] <= -shunt_a / told_a <= MIRRORED[1] else None
