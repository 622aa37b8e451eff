"""A test that was asked for: steps of one converter after the other, to learn it in a minute.

It is a wish like any other: guard and dispatch follow it, so no step is larger than what battery
and converter allow at that moment. Whatever takes the grid out of the law's hands ends it: another
mode, a late or wrong meter, a limit that leaves no room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import fmean
from typing import NamedTuple

from gridzero.control.guard import PowerLimits
from gridzero.control.identification import Identification
from gridzero.control.learned import Learned
from gridzero.domain.decision import Wish
from gridzero.domain.reasons import REASONS, Because
from gridzero.domain.snapshot import ConverterView, Snapshot

_STEP_W, _LEAST_STEP_W = 200.0, 75.0
_FLOOR_W = 60.0
_HALF_CYCLE_S = 7.0
_CYCLES = 4
_STEPPING_S = 2 * _CYCLES * _HALF_CYCLE_S
_SETTLING_S, _LONGEST_START_S = 12.0, 75.0
_EVALUATING_S = 40.0
_SLICES = 2  # per tick, on top of the usual one per reading
_HOLDS_GRID = frozenset({Because.COVERING_LOAD, Because.STORING_SURPLUS, Because.BALANCED})


class Phase(StrEnum):
    """What the test does with the present converter."""

    SETTLING = "settling"
    STEPPING = "stepping"
    EVALUATING = "evaluating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a test stands, for people.

    unit, phase: None when nothing runs. left_s: about how long the present converter still takes.
    done: what was found, by name; None = too little was seen. ended: why the last test ended, ""
    while one runs and before the first.
    """

    unit: str | None = None
    phase: Phase | None = None
    left_s: float = 0.0
    waiting: tuple[str, ...] = ()
    done: Mapping[str, Learned | None] = field(default_factory=dict)
    ended: str = ""


class _Levels(NamedTuple):
    """Magnitudes of the two levels, W AC."""

    low_w: float
    high_w: float


class Probe:
    """At most one test at a time."""

    def __init__(self, identification: Identification) -> None:
        self._identification = identification
        self._since_s = self._asked_s = 0.0
        self._levels: tuple[int, _Levels] | None = None
        self._wishes_w: list[float] = []
        self.progress = Progress()

    @property
    def is_running(self) -> bool:
        """Whether a test is under way."""
        return self.progress.unit is not None

    def refusal(self, names: Sequence[str], now: Snapshot, limits: PowerLimits) -> str | None:
        """Why these converters cannot be tested now; None = they can."""
        if self.is_running:
            return f"a test of {self.progress.unit} is running"
        for name in names:
            unit, sign = _find(name, now)
            if unit is None:
                return f"there is no converter {name!r}"
            if unit.silent:
                return f"{name} does not answer"
            if _levels(unit, sign, limits, 0.0) is None:
                because = limits.discharge_because if sign > 0 else limits.charge_because
                return f"the limits leave no room for steps of {name}: {REASONS[because]}"
        return None if names else "there is no converter"

    def start(self, names: Sequence[str], now_s: float) -> None:
        """Test these converters one after the other, from the next tick on."""
        self.progress = Progress(waiting=tuple(names))
        self._next(now_s)

    def cancel(self, why: str) -> None:
        """End a running test; what was found so far stays."""
        if self.is_running:
            self.progress = Progress(done=self.progress.done, ended=why)

    def overlay(self, wish: Wish, now: Snapshot, limits: PowerLimits) -> tuple[Wish, Snapshot]:
        """The wish with the test's steps, and a snapshot with no other converter than the tested.

        While nothing is tested both come back as they are.
        """
        name = self.progress.unit
        if name is None:
            return wish, now
        unit, sign = _find(name, now)
        if wish.because not in _HOLDS_GRID:
            self.cancel(REASONS[wish.because])
        elif unit is None or unit.silent:
            self.cancel(f"{name} does not answer")
        elif self.progress.phase is Phase.EVALUATING:
            self._evaluate(name, now.now_s)
        else:
            return self._step(unit, sign, wish, now, limits)
        return wish, now

    def ran(self, units_w: Mapping[str, float], now_s: float) -> None:
        """What is really commanded: the test begins when the converter runs."""
        name = self.progress.unit
        if self.progress.phase is Phase.SETTLING and not units_w.get(name or "", 0.0) > 0.0:
            self._since_s = now_s
            if now_s - self._asked_s > _LONGEST_START_S:
                self.cancel(f"{name} may not run now")

    def _step(
        self, unit: ConverterView, sign: float, wish: Wish, now: Snapshot, limits: PowerLimits
    ) -> tuple[Wish, Snapshot]:
        half = self._half_cycle(unit, now.now_s)
        if self.progress.phase is Phase.EVALUATING:
            return wish, now
        levels = self._at_levels(half // 2, unit, sign, limits, sign * wish.battery_w)
        if levels is None:
            self.cancel("the limits leave no room for steps any more")
            return wish, now
        power_w = levels.high_w if half % 2 else levels.low_w
        return Wish(battery_w=sign * power_w, because=Because.IDENTIFYING), _only(unit, now)

    def _half_cycle(self, unit: ConverterView, now_s: float) -> int:
        """Which half cycle this is, -1 while settling; goes on to the next phase when it is due."""
        passed_s = now_s - self._since_s
        if self.progress.phase is Phase.SETTLING:
            settling_s = _SETTLING_S + unit.spec.dynamics.start_s
            self._say(Phase.SETTLING, settling_s - passed_s + _STEPPING_S)
            if passed_s < settling_s:
                return -1
            self._identification.begin(unit.name)
            self._since_s, passed_s = now_s, 0.0
        self._say(Phase.STEPPING, _STEPPING_S - passed_s)
        if passed_s >= _STEPPING_S:
            self._since_s = now_s
            self._say(Phase.EVALUATING, _EVALUATING_S)
        return int(passed_s / _HALF_CYCLE_S)

    def _at_levels(
        self, cycle: int, unit: ConverterView, sign: float, limits: PowerLimits, wish_w: float
    ) -> _Levels | None:
        """Chosen anew for each cycle, so that the grid is not far off for long.

        Around the mean wish of the cycle before: a single one may be far off while the output
        moves and the model is wrong. Within a cycle they stay; what the guard cuts teaches too.
        """
        self._wishes_w.append(wish_w)
        if self._levels is None or self._levels[0] != cycle:
            levels = _levels(unit, sign, limits, max(0.0, fmean(self._wishes_w)))
            if levels is None:
                return None
            self._levels = cycle, levels
            self._wishes_w = []
        return self._levels[1]

    def _evaluate(self, name: str, now_s: float) -> None:
        """The house is run as always while the rest of the search is done."""
        left_s = _EVALUATING_S - (now_s - self._since_s)
        self._identification.work(name, _SLICES)
        self._say(Phase.EVALUATING, left_s)
        if left_s > 0.0 and self._identification.is_busy(name):
            return
        found = self._identification.adopt(name)
        self.progress = replace(self.progress, done={**self.progress.done, name: found})
        self._next(now_s)

    def _next(self, now_s: float) -> None:
        progress, self._levels, self._wishes_w = self.progress, None, []
        if not progress.waiting:
            self.progress = Progress(done=progress.done, ended="all were tested")
            return
        unit, *waiting = progress.waiting
        self._since_s = self._asked_s = now_s
        self.progress = replace(
            progress, unit=unit, phase=Phase.SETTLING, waiting=tuple(waiting), left_s=_STEPPING_S
        )

    def _say(self, phase: Phase, left_s: float) -> None:
        self.progress = replace(self.progress, phase=phase, left_s=max(0.0, left_s))


def _find(name: str, now: Snapshot) -> tuple[ConverterView | None, float]:
    """A converter by its name, and the sign of its power."""
    for units, sign in ((now.inverters, 1.0), (now.chargers, -1.0)):
        for unit in units:
            if unit.name == name:
                return unit, sign
    return None, 0.0


def _levels(
    unit: ConverterView, sign: float, limits: PowerLimits, around_w: float
) -> _Levels | None:
    """About 200 W to both sides of what runs, moved and shortened to fit; None = no room."""
    limit_w = limits.discharge_w if sign > 0 else limits.charge_w
    least_w, most_w = max(_FLOOR_W, unit.spec.min_w), min(limit_w, unit.spec.max_w)
    step_w = min(_STEP_W, (most_w - least_w) / 2.0)
    if not step_w >= _LEAST_STEP_W:
        return None
    middle_w = min(most_w - step_w, max(least_w + step_w, around_w))
    return _Levels(middle_w - step_w, middle_w + step_w)


def _only(unit: ConverterView, now: Snapshot) -> Snapshot:
    """The others are told 0 meanwhile: the meter could not tell them apart."""
    return replace(
        now,
        inverters=tuple(i for i in now.inverters if i.name == unit.name),
        chargers=tuple(c for c in now.chargers if c.name == unit.name),
    )
