"""Finds clean steps of the current: steady, a jump, steady again, and cells measured in both."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from gridzero.domain.readings import ModuleReading

_BEFORE_S = 3.0
_AFTER_S = (1.0, 4.0)
_STEADY_PART = 0.1
_KEPT = 32


class Look(NamedTuple):
    """One moment. modules as the drivers keep them: tuples that never change."""

    at_s: float
    current_a: float
    modules: Sequence[ModuleReading]


class Step(NamedTuple):
    """The moments around a step; rise_a > 0: discharge grew."""

    before: Look
    after: Look
    rise_a: float


class StepFinder:
    """Fed with every moment; each step is told once.

    The current has to be within a tenth of the step for 3 s before and from the step until it is
    judged, 1 to 4 s after it: what is measured is the ohmic part and the quickest of the rest.
    """

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=_KEPT)

    def look(
        self, at_s: float, current_a: float, modules: Sequence[ModuleReading], least_a: float
    ) -> Step | None:
        """The step that has just become clear, else None. least_a: smaller ones say nothing."""
        if self._looks and not 0.0 < at_s - self._looks[-1].at_s <= _BEFORE_S:
            self._looks.clear()
        self._looks.append(Look(at_s, current_a, modules))
        step = self._find(least_a)
        if step is not None:
            self._looks.clear()
        return step

    def _find(self, least_a: float) -> Step | None:
        looks = self._looks
        newest = looks[-1]
        for place in range(len(looks) - 2, -1, -1):
            rise_a = newest.current_a - looks[place].current_a
            if abs(rise_a) >= least_a:
                return self._judge(place, rise_a)
        return None

    def _judge(self, place: int, rise_a: float) -> Step | None:
        """Whether all was steady up to place, and again from the next moment on."""
        looks = list(self._looks)
        near_a = _STEADY_PART * abs(rise_a)
        first, last, newest = looks[place + 1], looks[place], looks[-1]
        if not _AFTER_S[0] <= newest.at_s - first.at_s <= _AFTER_S[1]:
            return None
        after = all(abs(one.current_a - newest.current_a) <= near_a for one in looks[place + 1 :])
        before = [one for one in looks[: place + 1] if last.at_s - one.at_s <= _BEFORE_S]
        calm = all(abs(one.current_a - last.current_a) <= near_a for one in before)
        long = looks[0].at_s <= last.at_s - _BEFORE_S + 0.1
        return Step(last, newest, rise_a) if after and calm and long else None
