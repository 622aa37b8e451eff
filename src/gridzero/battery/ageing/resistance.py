"""Resistance of cells at 25 degC from current steps: dV/dI within a few seconds.

The part of the step that a module carries is not measured. Modules are taken to share it as their
temperatures say. So the resistance of the battery is measured, that of a cell over its siblings in
the module is measured, but a module whose cells all grow alike spreads over all modules
(docs/state-of-health.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, hypot, sqrt
from statistics import median
from typing import Any

from gridzero.battery.ageing.current_steps import Step, StepFinder
from gridzero.battery.ageing.kept import BAD, by_name
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.battery.ageing.trend import Trend
from gridzero.domain.ageing import Estimate
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust

_VOLT_SIGMA = 0.0007
_STEP_SIGMA_PART = 0.05
_FRESH_S = 1.5
_BOUNDS_OHM = (1e-5, 1.0)
_SENSIBLE_C = (-30.0, 80.0)


class Resistances:
    """Slow robust trends per cell; the first settled value of each is remembered."""

    def __init__(self, spec: AgeingSpec) -> None:
        self._spec = spec
        self._finder = StepFinder()
        self._cells: dict[str, Trend] = {}
        self.steps = 0
        self._day: float | None = None

    def look(
        self, modules: Sequence[ModuleReading], current_a: float | None, trust: Trust, now_s: float
    ) -> None:
        """See one moment, at about 1 Hz; learns when a step has become clear."""
        if current_a is None or trust.shunt_sign_wrong or not modules:
            return
        step = self._finder.look(now_s, current_a, modules, self._spec.step_a * len(modules))
        if step is not None:
            self._learn(step, trust)

    def cell(self, module: str, place: int) -> Estimate | None:
        """Ohm of a cell (place from 0) at 25 degC."""
        known = self._cells.get(f"{module}.{place + 1}")
        return known.estimate if known is not None else None

    def growth(self, module: str, place: int) -> Estimate | None:
        """Ohm of a cell over its first settled value."""
        known = self._cells.get(f"{module}.{place + 1}")
        return known.growth if known is not None else None

    def module(self, name: str, cells: int) -> Estimate | None:
        """Ohm of all cells in series at 25 degC; None unless most are known."""
        known = [one for i in range(cells) if (one := self.cell(name, i)) is not None]
        if 2 * len(known) <= cells:
            return None
        whole = cells / len(known)
        sigma = sqrt(sum(one.sigma**2 for one in known))
        return Estimate(whole * sum(one.value for one in known), whole * sigma)

    def module_growth(self, name: str, cells: int) -> Estimate | None:
        """Median of its cells' growth."""
        known = [one for i in range(cells) if (one := self.growth(name, i)) is not None]
        if 2 * len(known) <= cells:
            return None
        sigma = median(one.sigma for one in known) / sqrt(len(known))
        return Estimate(median(one.value for one in known), sigma)

    def later(self, day: float) -> None:
        """Let time pass; day: days lived."""
        for known in self._cells.values():
            known.later(0.0 if self._day is None else day - self._day)
        self._day = day

    def _learn(self, step: Step, trust: Trust) -> None:
        ends = [
            _Ends(before, after) for before, after in _pairs(step) if before.name not in trust.apart
        ]
        usable = [one for one in ends if one.is_usable(step, trust)]
        if not usable or len(usable) < len(step.after.modules):
            return  # somebody carries a part that nobody sees
        self.steps += 1
        eases = {one.after.name: self._ease(one.temp_c) for one in usable}
        for one in usable:
            share_a = step.rise_a * eases[one.after.name] / sum(eases.values())
            self._learn_module(one, share_a, eases[one.after.name], trust)

    def _learn_module(self, ends: _Ends, share_a: float, ease: float, trust: Trust) -> None:
        for place, sag_v in ends.sags():
            name = f"{ends.after.name}.{place + 1}"
            if trust.misread(ends.after.name, place + 1) is None:
                ohm = sag_v / share_a * ease
                sigma = hypot(_VOLT_SIGMA / abs(share_a) * ease, _STEP_SIGMA_PART * abs(ohm))
                self._cells.setdefault(name, Trend()).add(ohm, sigma)

    def _ease(self, temp_c: float) -> float:
        """Conductance over that at 25 degC."""
        return exp(self._spec.cold_factor * (temp_c - 25.0))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {name: kept for name, one in self._cells.items() if (kept := one.to_dict())}

    def restore(self, values: Any) -> list[str]:
        """Take what to_dict wrote; what does not fit is left out, with the reason."""
        reasons: list[str] = []
        try:
            kept = by_name(values)
        except BAD as error:
            return [f"resistances: {error}"]
        for name, one in kept.items():
            made = Trend()
            try:
                made.restore(by_name(one), *_BOUNDS_OHM)
            except BAD as error:
                reasons.append(f"resistance of {name}: {error}")
            else:
                self._cells[name] = made
        return reasons


class _Ends:
    """One module before and after a step."""

    __slots__ = ("after", "before", "temp_c")

    def __init__(self, before: ModuleReading, after: ModuleReading) -> None:
        self.before, self.after = before, after
        self.temp_c = temperature_c(after)

    def is_usable(self, step: Step, trust: Trust) -> bool:
        """Fresh at both ends, bleeding alike, of a temperature that can be."""
        name = self.after.name
        return (
            name not in trust.frozen
            and name not in trust.odd_temps
            and self.before.bleeding == self.after.bleeding
            and _SENSIBLE_C[0] <= self.temp_c <= _SENSIBLE_C[1]
            and _is_fresh(self.before, step.before.at_s)
            and _is_fresh(self.after, step.after.at_s)
        )

    def sags(self) -> list[tuple[int, float]]:
        """By how much each cell fell, V, by place."""
        volts = zip(self.before.cell_v, self.after.cell_v, strict=False)
        return [(i, a - b) for i, (a, b) in enumerate(volts) if a is not None and b is not None]


def temperature_c(module: ModuleReading) -> float:
    """Middle of what the sensors may mean, their mean; NaN without a sensor."""
    middles = [(one.low_c + one.high_c) / 2.0 for one in module.temps]
    return sum(middles) / len(middles) if middles else float("nan")


def _is_fresh(module: ModuleReading, at_s: float) -> bool:
    """Measured in these seconds; the current has been steady for at least one."""
    return all(one is not None and -0.1 <= at_s - one <= _FRESH_S for one in module.cell_at_s)


def _pairs(step: Step) -> list[tuple[ModuleReading, ModuleReading]]:
    before = {module.name: module for module in step.before.modules}
    return [(before[one.name], one) for one in step.after.modules if one.name in before]
