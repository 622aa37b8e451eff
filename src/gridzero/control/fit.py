"""A search for the dynamics that explain the newest moves of one converter best.

A pattern search, one number after the other: a step to either side, longer after a success and
shorter after a failure. It is cut in slices of one chapter for one candidate, so that it costs
some tens of microseconds per meter reading, and it rests once nothing new has been seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from math import log
from typing import NamedTuple

from gridzero.control.chapter import Chapter
from gridzero.control.learned import Learned, Shape, learned_of, nominal_shape
from gridzero.domain.converters import Dynamics

_KEPT = 12
_ENOUGH, _MANY = 4, 6
_LEAST_EXPLAINED = 0.2
_CLEARLY = 0.9
_SCAN_S = (0.3, 0.8, 1.4, 2.0, 2.7, 3.5, 4.5, 5.5)
_PER_SWEEP = Shape(0.3, 0.15, 0.15, 0.02)
_BETTER = 0.997
_PULL_W = (1.0, 4.0, 4.0, 150.0)  # W per chapter; for a second, or a factor e, squared
_NEVER = float("inf")


class _Line(NamedTuple):
    """One direction of the search: first, least and largest length of a step."""

    way: Shape
    first: float
    least: float
    most: float


_LINES = (
    _Line(Shape(1.0, 0.0, 0.0, 0.0), 0.4, 0.05, 1.0),
    _Line(Shape(0.0, 0.0, 0.0, 1.0), 0.06, 0.01, 0.12),
    _Line(Shape(0.0, 1.0, 1.0, 0.0), 0.3, 0.05, 0.6),
    _Line(Shape(0.0, 1.0, 0.0, 0.0), 0.2, 0.05, 0.4),
    _Line(Shape(0.0, 0.0, 1.0, 0.0), 0.2, 0.05, 0.4),
    # less output reached more slowly takes as long: without this line the search gets stuck there
    _Line(Shape(0.0, 1.0, 1.0, 1.0), 0.06, 0.01, 0.12),
)


class Fit:
    """Learns one converter. believed: what the control law may use, moved slowly to the fit."""

    def __init__(self, nominal: Dynamics) -> None:
        self._nominal = nominal
        self._origin = nominal_shape(nominal)
        self._fitted = self._goal = self._believed = self._origin
        self._steps = [line.first for line in _LINES]
        self._chapters: deque[Chapter] = deque(maxlen=_KEPT)
        self._news = self._sweeping = False
        self._lost = True
        self._sure = 0.0
        self._moves = 0
        self._work = self._sweeps()

    @property
    def learned(self) -> Learned:
        """What is believed now."""
        return learned_of(self.dynamics, self._sure, self._moves)

    @property
    def dynamics(self) -> Dynamics:
        """What is believed now, as the actuator model wants it."""
        return self._nominal if self._untouched else self._believed.of(self._nominal)

    @property
    def _untouched(self) -> bool:
        return self._believed == self._origin

    def restore(self, learned: Learned) -> None:
        """Go on from what an earlier run learned, within the bounds."""
        self._fitted = self._goal = self._believed = learned.shape(self._nominal)
        self._sure, self._moves = learned.sure, learned.moves

    def take(self, chapter: Chapter) -> None:
        """One more move was seen."""
        self._chapters.append(chapter)
        self._moves += 1
        self._news = True

    def slice(self) -> bool:
        """Do a small piece of the search; whether the belief changed."""
        before = self._believed
        next(self._work)
        return self._believed != before

    @property
    def is_busy(self) -> bool:
        """Whether there is evidence that has not been made use of."""
        return self._sweeping or (self._news and len(self._chapters) >= _ENOUGH)

    def begin(self) -> None:
        """Only what is seen from now on counts, and the search takes long steps again."""
        self._chapters.clear()
        self._steps = [line.first for line in _LINES]
        self._sure = 0.0

    def adopt(self) -> Learned | None:
        """Believe the fit at once, after a test; None = too little was seen, nothing changed."""
        if len(self._chapters) < _ENOUGH or not self._sure > 0.0:
            return None
        self._believed = self._goal
        return self.learned

    def _sweeps(self) -> Generator[None, None, None]:
        while True:
            if not self._news or len(self._chapters) < _ENOUGH:
                yield
            else:
                self._sweeping = True
                yield from self._sweep(tuple(self._chapters))
                self._sweeping = False

    def _sweep(self, chapters: Sequence[Chapter]) -> Generator[None, None, None]:
        """Each number once, all candidates on the same chapters."""
        self._news = False
        best_w = yield from self._cost_w(self._fitted, chapters, _NEVER)
        if self._lost:
            best_w = yield from self._scan(best_w, chapters)
        for number, line in enumerate(_LINES):
            for side in (1.0, -1.0):
                candidate = self._fitted.moved(line.way, side * self._steps[number])
                cost_w = yield from self._cost_w(candidate, chapters, best_w)
                if cost_w < _BETTER * best_w:
                    self._fitted, best_w = candidate, cost_w
                    self._longer(number)
                    break
            else:
                self._shorter(number)
        told_w = yield from self._cost_w(self._origin, chapters, _NEVER)
        self._conclude(best_w, told_w, chapters)

    def _scan(self, best_w: float, chapters: Sequence[Chapter]) -> Generator[None, None, float]:
        """Far from the right dead time every small step looks equally bad: try quite others."""
        for dead_time_s in _SCAN_S:
            candidate = self._fitted._replace(dead_time_s=dead_time_s)
            cost_w = yield from self._cost_w(candidate, chapters, best_w)
            if cost_w < _BETTER * best_w:
                self._fitted, best_w = candidate, cost_w
        return best_w

    def _longer(self, number: int) -> None:
        self._steps[number] = min(_LINES[number].most, 2.0 * self._steps[number])
        self._news = True

    def _shorter(self, number: int) -> None:
        least, step = _LINES[number].least, self._steps[number]
        if step > least:
            self._steps[number] = max(least, 0.5 * step)
            self._news = True

    def _cost_w(
        self, shape: Shape, chapters: Sequence[Chapter], bound_w: float
    ) -> Generator[None, None, float]:
        """Misfit of all chapters and the pull of the nominal values; given up beyond bound_w."""
        dynamics = shape.of(self._nominal)
        cost_w = len(chapters) * _pull_w(shape, self._origin)
        for chapter in chapters:
            if cost_w >= bound_w:
                return _NEVER
            yield
            cost_w += chapter.misfit_w(dynamics)
        return cost_w

    def _conclude(self, cost_w: float, told_w: float, chapters: Sequence[Chapter]) -> None:
        """A sweep is over: go one step toward what explains these chapters.

        The configuration is believed as long as nothing else explains them clearly better.
        """
        nothing_w = sum(chapter.unexplained_w for chapter in chapters)
        explained = 1.0 - cost_w / nothing_w if nothing_w > 0.0 else 0.0
        self._sure = max(0.0, explained) * min(1.0, len(chapters) / _MANY)
        self._lost = explained < _LEAST_EXPLAINED
        if self._lost:  # the load moved more than the converter, or the search is still far off
            return
        self._goal = self._fitted if cost_w < _CLEARLY * told_w else self._origin
        self._believed = _toward(self._believed, self._goal, 1.0 + 2.0 * self._sure)


def _pull_w(shape: Shape, origin: Shape) -> float:
    """Keeps a number that the moves say nothing about where the configuration has it."""
    late_s = shape.dead_time_s - origin.dead_time_s
    logs = (log(shape.rise), log(shape.fall), log(shape.gain))  # those of the origin are 1
    return sum(w * x * x for w, x in zip(_PULL_W, (late_s, *logs), strict=True))


def _toward(here: Shape, goal: Shape, length: float) -> Shape:
    """Part of the way: so many times what one sweep may change."""
    ahead, behind = here.moved(_PER_SWEEP, length), here.moved(_PER_SWEEP, -length)
    return Shape(*map(_between, goal, behind, ahead))


def _between(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
