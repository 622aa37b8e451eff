"""A test that was asked for: steps of one converter after the other, to learn it in a minute.

It is a wish like any other: guard and dispatch follow it, so no step is larger than what battery
and converter allow at that moment. Whatever takes the grid out of the law's hands ends it: another
mode, a late or wrong meter, a limit that leaves no room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gridzero.control.guard import PowerLimits
from gridzero.control.identification import Identification
from gridzero.control.learned import Learned
from gridzero.domain.decision import Wish
from gridzero.domain.reasons import REASONS, Because
from gridzero.domain.snapshot import ConverterView, Snapshot

_STEP_W = 200.0
_LEAST_STEP_W = 75.0
_FLOOR_W = 60.0
_HALF_CYCLE_S = 7.0
_CYCLES = 4
_SETTLE_S = 12.0
_LONGEST_SETTLE_S = 75.0
_LONGEST_EVALUATION_S = 40.0
_SLICES = 2  # per tick, on top of the usual one per reading
_HOLDS_GRID = frozenset({Because.COVERING_LOAD, Because.STORING_SURPLUS, Because.BALANCED})
_TEST_S = 2 * _CYCLES * _HALF_CYCLE_S


class Phase(StrEnum):
    """What the test is doing with the present converter."""

    SETTLING = "settling"
    STEPPING = "stepping"
    EVALUATING = "evaluating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a test stands. done: what was found, by name; None = too little was seen.

    unit, phase: None when nothing runs. left_s: until the present converter is through, about.
    ended: why the last test ended; "" while one runs or before the first.
    """

    unit: str | None = None
    phase: Phase | None = None
    left_s: float = 0.0
    waiting: tuple[str, ...] = ()
    done: dict[str, Learned | None] = field(default_factory=dict)
    ended: str = ""


@dataclass(frozen=True, slots=True)
class _Levels:
    """Signed powers of the steps, W, > 0 discharge."""

    low_w: float
    high_w: float


class Probe:
    """At most one test at a time. progress: for people."""

    def __init__(self, identification: Identification) -> None:
        self._identification = identification
        self._since_s = 0.0
        self._looked_s = 0.0
        self._levels: _Levels | None = None
        self._cycle = -1
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
                return f"there is no room for steps of {name}: {REASONS[because]}"
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
        """The wish with the test's steps, and a snapshot in which only its converter is there."""
        self._looked_s = now.now_s
        if self.is_running and wish.because not in _HOLDS_GRID:
            self.cancel(REASONS[wish.because])
        name = self.progress.unit
        if name is None:
            return wish, now
        unit, sign = _find(name, now)
        if unit is None or unit.silent:
            self.cancel(f"{name} does not answer")
            return wish, now
        return self._step(unit, sign, wish, now, limits)

    def ran(self, units_w: dict[str, float]) -> None:
        """What is really commanded: settling begins when the converter runs."""
        unit = self.progress.unit
        if self.progress.phase is not Phase.SETTLING or unit is None:
            return
        if not units_w.get(unit, 0.0) > 0.0 and self._cycle < 0:
            waited_s = self._looked_s - self._since_s
            self._settled_from_s = self._looked_s
            if waited_s > _LONGEST_SETTLE_S:
                self.cancel(f"{unit} may not run now")

    def _step(
        self, unit: ConverterView, sign: float, wish: Wish, now: Snapshot, limits: PowerLimits
    ) -> tuple[Wish, Snapshot]:
        self._advance(unit, now.now_s)
        if self.progress.unit != unit.name or self.progress.phase is Phase.EVALUATING:
            self._identification.work(unit.name, _SLICES)
            return wish, now
        cycle = self._half_cycle(now.now_s) // 2
        if self._levels is None or cycle != self._cycle:
            self._cycle = cycle
            self._levels = _levels(unit, sign, limits, wish.battery_w)
        if self._levels is None:
            self.cancel("the limits leave no room for steps any more")
            return wish, now
        power_w = self._levels.high_w if self._half_cycle(now.now_s) % 2 else self._levels.low_w
        return Wish(battery_w=power_w, because=Because.IDENTIFYING), _only(unit, now)
