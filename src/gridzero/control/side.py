"""All converters of one direction: from a power to a command for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

from gridzero.control.best_split import cheapest_shares
from gridzero.control.choice import Choice, Tally
from gridzero.control.hand_over import Unit, fold, quick
from gridzero.control.wake import Experience, is_worth_it
from gridzero.domain.converters import ConverterSpec
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView

_LONGEST_TICK_S = 1.0
_SETTLED_W = 60.0

Output = Callable[[str, float], float]
"""What a unit gives at a moment by what was sent to it: (name, s) -> W AC >= 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRules:
    """start_w: a power must reach this before anything starts.

    rest_s: pause of a unit that stopped, before it starts again.
    """

    start_w: float
    rest_s: float = 0.0


class Side:
    """Chargers or inverters. shares: the last commands, W AC by name, of the units that work.

    stored_value: see wake.is_worth_it; may change while running.
    """

    def __init__(self, rules: SideRules, output: Output | None) -> None:
        self.shares: dict[str, float] = {}
        self.tallies: dict[str, Tally] = {}
        self.stored_value: float | None = None
        self._rules, self._output = rules, output
        self._choice = Choice(self.tallies)
        self._experience = Experience()
        self._split_s: float | None = None

    def start_above(self, start_w: float) -> None:
        """Another threshold from now on, W."""
        self._rules = replace(self._rules, start_w=start_w)

    def split(
        self,
        power_w: float,
        usable: Sequence[ConverterView],
        leaving: Sequence[ConverterView],
        now_s: float,
    ) -> Because | None:
        """Set ``shares`` for a power >= 0, W AC; what kept it smaller, if anything did."""
        seconds = 0.0 if self._split_s is None else now_s - self._split_s
        self._split_s = now_s
        self._experience.note(now_s, wanted=power_w > 0.0)
        if not self.shares and not power_w > 0.0:
            return None
        self._count(max(0.0, min(seconds, _LONGEST_TICK_S)))
        if len(usable) == 1 and not leaving and self._goes_on(power_w, usable[0]):
            return None
        for unit in (*usable, *leaving):
            self.tallies.setdefault(unit.name, Tally())
        ready = {u.name: u.spec for u in usable if not self.rests(u.name, now_s)}
        because = self._refusal(power_w, usable, ready, now_s)
        if because is None and power_w > 0.0 and isfinite(power_w):
            self._work(power_w, ready, {u.name: u.spec for u in leaving}, now_s, seconds)
            because = None if self.shares else Because.BELOW_MINIMUM
        else:
            self._set({}, now_s)
        return because

    def rests(self, name: str, now_s: float) -> bool:
        """Whether a unit stopped too short a time ago to start again."""
        tally = self.tallies.get(name)
        return tally is not None and not tally.runs and now_s - tally.since_s < self._rules.rest_s

    def _goes_on(self, power_w: float, unit: ConverterView) -> bool:
        """The usual case, short: the only unit works already and is asked for something else."""
        if unit.name not in self.shares or len(self.shares) > 1:
            return False
        if not unit.spec.min_w <= power_w < inf:
            return False
        self.shares = {unit.name: min(power_w, unit.spec.max_w)}
        return True

    def _refusal(
        self,
        power_w: float,
        usable: Sequence[ConverterView],
        ready: Mapping[str, ConverterSpec],
        now_s: float,
    ) -> Because | None:
        """Why nothing is started; what runs goes on."""
        if self.shares or power_w <= 0.0:
            return None
        if power_w < self._rules.start_w:
            return Because.BELOW_MINIMUM
        if not ready:
            return Because.RESTART_DWELL if usable else None
        names = self._choice.pick(power_w, ready, now_s)
        lasts_s = self._experience.expected_s(now_s)
        curves = [(ready[name].loss_curve, ready[name].max_w) for name in names]
        able_w = sum(max_w for _, max_w in curves)
        pays = all(
            is_worth_it(power_w * max_w / able_w, lasts_s, curve, self.stored_value)
            for curve, max_w in curves
        )
        return None if pays else Because.NOT_WORTH_IT

    def _work(
        self,
        power_w: float,
        ready: Mapping[str, ConverterSpec],
        leaving: Mapping[str, ConverterSpec],
        now_s: float,
        seconds: float,
    ) -> None:
        names = self._choice.pick(power_w, ready, now_s)
        wanted = cheapest_shares(power_w, {n: ready[n] for n in ready if n in names})
        if len(ready) + len(leaving) > 1:
            wanted = self._on_the_way(power_w, wanted, ready, leaving, now_s, seconds)
        self._set(_not_above(power_w, wanted), now_s)

    def _on_the_way(
        self,
        power_w: float,
        wanted: dict[str, float],
        ready: Mapping[str, ConverterSpec],
        leaving: Mapping[str, ConverterSpec],
        now_s: float,
        seconds: float,
    ) -> dict[str, float]:
        """The commands of this moment on the way to the wanted ones."""
        specs = {**ready, **leaving}
        shares = {name: share for name, share in self.shares.items() if name in specs}
        units = self._units(specs, ready, now_s)
        off_w = power_w - sum(unit.output_w for unit in units)
        settled = not units or abs(off_w) < _SETTLED_W
        pace_s = min(seconds, _LONGEST_TICK_S) if settled else 0.0
        folded = fold(sum(wanted.values()), shares, wanted, specs, pace_s)
        return folded if settled else quick(power_w, units, folded) or folded

    def _units(
        self, specs: Mapping[str, ConverterSpec], ready: Mapping[str, ConverterSpec], now_s: float
    ) -> list[Unit]:
        """Where each unit is when a command of now reaches it; empty where nobody can say."""
        output = self._output
        if output is None:
            return []
        return [
            Unit(name, spec, output(name, now_s + spec.dynamics.dead_time_s), name in ready)
            for name, spec in specs.items()
        ]

    def _count(self, seconds: float) -> None:
        for name in self.shares:
            self.tallies[name].hours += seconds / 3600.0

    def _set(self, shares: Mapping[str, float], now_s: float) -> None:
        self.shares = {name: share for name, share in shares.items() if share > 0.0}
        if not self.shares:
            self._choice.rest()
        for name, tally in self.tallies.items():
            if tally.runs != (name in self.shares):
                tally.runs, tally.since_s = not tally.runs, now_s
                tally.starts += tally.runs


def _not_above(power_w: float, shares: dict[str, float]) -> dict[str, float]:
    """Rounding must not make the sum larger than the power."""
    excess_w = sum(shares.values()) - power_w
    if excess_w > 0.0 and len(shares) > 1:
        largest = max(shares, key=lambda name: shares[name])
        shares[largest] -= 2.0 * excess_w
    return shares
