"""Capacity of the battery, its modules and their cells, from charge between two rests.

What each number rests on (docs/state-of-health.md):

* the battery: the shunt's charge over the common swing of the state of charge;
* a cell over its module: both carry the same current, so the swings alone compare them;
* the curve of rest voltages: its error is the same at each rest, so it does not average out. What
  it may have done to the swings that were learned from is kept, and counts in sigma.
* a module: its part of the charge. Parallel modules share one voltage, hence one swing, and one
  shunt does not see the parts. ``share_sigma`` is what that costs; it does not average out.
"""

from __future__ import annotations

from math import exp, hypot
from statistics import fmean
from typing import Any

from gridzero.battery.ageing.kept import BAD, by_name, number
from gridzero.battery.ageing.rests import RestPoint, mean_soc
from gridzero.battery.ageing.shunt_zero import ShuntZero
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.battery.ageing.total_least_squares import TotalLeastSquares
from gridzero.domain.ageing import Estimate

LEAST_SWING = 0.25
_WORST_SIGMA_PART = 0.1
_LONGEST_DAYS = 4.0
_MEMORY_DAYS = 60.0
_COUNT_SIGMA_PART = 0.002
_CELL_PRIOR = Estimate(1.0, 0.08)
_PLAUSIBLE = (0.2, 3.0)
_TABLE_SIGMA = 0.01


class Capacities:
    """Learns at each rest. All slopes are relative to nominal, cells to their module's mean."""

    def __init__(self, spec: AgeingSpec) -> None:
        self._spec = spec
        self._prior = Estimate(1.0, spec.module_part_sigma)
        self._battery = TotalLeastSquares(self._prior)
        self._modules: dict[str, TotalLeastSquares] = {}
        self._cells: dict[str, TotalLeastSquares] = {}
        self._zero = ShuntZero(spec.offset_sigma_a)
        self._curve = _CurveDoubt()
        self._bases: list[RestPoint] = []
        self._faded: float | None = None

    @property
    def offset_a(self) -> Estimate:
        """What the shunt adds, A."""
        return self._zero.estimate

    @property
    def segments(self) -> int:
        """How many stretches between rests have told something."""
        return self._battery.pairs

    def battery(self) -> Estimate:
        """Capacity over nominal, with the shunt's scale in its sigma."""
        now = self._battery.estimate
        return Estimate(now.value, hypot(now.sigma, self._systematic() * now.value))

    def fit(self) -> Estimate:
        """As ``battery``, without what is wrong in the same way every time."""
        return self._battery.estimate

    def module_fit(self, name: str) -> Estimate | None:
        """As ``module``, without what is wrong in the same way every time."""
        fit = self._modules.get(name)
        return fit.estimate if fit is not None and fit.pairs else None

    def module(self, name: str) -> Estimate | None:
        """Capacity over nominal; None until it took part in a stretch."""
        fit = self._modules.get(name)
        if fit is None or not fit.pairs:
            return None
        now = fit.estimate
        unseen = hypot(self._systematic(), self._spec.share_sigma) * now.value
        return Estimate(now.value, hypot(now.sigma, unseen))

    def cell(self, module: str, place: int) -> Estimate | None:
        """Capacity of a cell (place from 0) over the mean of its module; None until seen."""
        fit = self._cells.get(f"{module}.{place + 1}")
        return fit.estimate if fit is not None and fit.pairs else None

    def take(self, point: RestPoint) -> bool:
        """Learn from one more rest. True when it and the one before made a stretch that tells."""
        if not self._bases or not _belong_together(self._bases[-1], point):
            self._zero.restart()
            self._bases.clear()
        self._note_zero(point)
        young = [base for base in self._bases if point.day - base.day <= _LONGEST_DAYS]
        if any(self._learn(base, point) for base in young):
            self._bases = [point]
            return True
        ends = sorted([*young, point], key=_level)
        self._bases = [ends[0], ends[-1]]
        return False

    def _systematic(self) -> float:
        return hypot(self._spec.gain_sigma, max(_TABLE_SIGMA, self._curve.part))

    def _note_zero(self, point: RestPoint) -> None:
        socs = [mean_soc(sure, set(sure)) for name in point.cells if (sure := point.sure(name))]
        if socs:
            soc = sum(one[0] for one in socs) / len(socs)
            sigma = sum(one[1] for one in socs) / len(socs)
            nominal_ah, now = self._spec.module_ah * len(point.cells), self._battery.estimate
            capacity_ah = Estimate(now.value * nominal_ah, now.sigma * nominal_ah)
            self._zero.take(point.day, point.out_ah, soc, sigma, capacity_ah)

    def _learn(self, base: RestPoint, point: RestPoint) -> bool:
        stretches = [
            made for name in point.cells if (made := _Stretch.of(base, point, name, self._spec))
        ]
        if not stretches:
            return False
        swing = sum(one.swing for one in stretches) / len(stretches)
        sigma = sum(one.sigma for one in stretches) / len(stretches)
        hours = 24.0 * (point.day - base.day)
        out_ah = point.out_ah - base.out_ah - self._zero.estimate.value * hours
        nominal_ah = self._spec.module_ah * len(point.cells)
        curve = sum(one.curve_sigma for one in stretches) / len(stretches)
        if not (_tells(swing, sigma, out_ah / nominal_ah) and _is_far(swing, curve)):
            return False
        out_sigma_ah = hypot(
            self._zero.estimate.sigma * hours,
            point.unknown_ah - base.unknown_ah,
            _COUNT_SIGMA_PART * (point.moved_ah - base.moved_ah),
        )
        self._fade(point.day)
        self._battery.add(swing, out_ah / nominal_ah, sigma, out_sigma_ah / nominal_ah)
        self._curve.add(swing, curve)
        for one in stretches:
            self._learn_module(one, base, point, out_sigma_ah / len(point.cells))
        return True

    def _learn_module(
        self, stretch: _Stretch, base: RestPoint, point: RestPoint, sigma_ah: float
    ) -> None:
        name, hours = stretch.module, 24.0 * (point.day - base.day)
        offset_ah = self._zero.estimate.value * hours / len(point.cells)
        part = (point.module_ah[name] - base.module_ah[name] - offset_ah) / self._spec.module_ah
        if _tells(stretch.swing, stretch.sigma, part):
            fit = self._modules.setdefault(name, TotalLeastSquares(self._prior))
            fit.add(stretch.swing, part, stretch.sigma, sigma_ah / self._spec.module_ah)
        for place, (swing, sigma) in stretch.cells.items():
            known = self._cells.setdefault(f"{name}.{place + 1}", _new_cell())
            known.add(swing, stretch.swing, sigma, sigma / len(stretch.cells))

    def _fade(self, day: float) -> None:
        since, self._faded = self._faded, day
        keep = exp(-max(0.0, day - since) / _MEMORY_DAYS) if since is not None else 1.0
        for fit in (self._battery, *self._modules.values(), *self._cells.values()):
            fit.fade(keep)
        self._curve.fade(keep)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {
            "battery": self._battery.to_dict(),
            "offset_a": list(self._zero.estimate),
            "curve": self._curve.to_list(),
            "modules": {name: fit.to_dict() for name, fit in self._modules.items()},
            "cells": {name: fit.to_dict() for name, fit in self._cells.items()},
        }

    def restore(self, values: Any) -> list[str]:
        """Take what to_dict wrote; what does not fit is left out, with the reason."""
        reasons: list[str] = []
        try:
            self._battery.restore(by_name(values["battery"]), *_PLAUSIBLE)
        except BAD as error:
            reasons.append(f"capacity of the battery: {error}")
        try:
            value, sigma = values["offset_a"]
            self._zero.estimate = Estimate(number(value, -5.0, 5.0), number(sigma, 1e-6, 5.0))
        except BAD as error:
            reasons.append(f"shunt offset: {error}")
        reasons += self._curve.restore(values)
        reasons += _restore_fits(values, "modules", self._modules, self._prior)
        return reasons + _restore_fits(values, "cells", self._cells, _CELL_PRIOR)


class _CurveDoubt:
    """How far the curve may have carried the capacity away, relative, over all stretches.

    Weighted as they count: with the square of the swing.
    """

    def __init__(self) -> None:
        self._weight = self._sum = 0.0

    @property
    def part(self) -> float:
        """Standard deviation of the capacity, relative; 0 before any stretch."""
        return self._sum / self._weight if self._weight > 0.0 else 0.0

    def add(self, swing: float, curve_sigma: float) -> None:
        """One stretch. curve_sigma: of its swing."""
        self._weight += swing * swing
        self._sum += abs(swing) * curve_sigma

    def fade(self, keep: float) -> None:
        """Forget as the capacity does."""
        self._weight, self._sum = keep * self._weight, keep * self._sum

    def to_list(self) -> list[float]:
        """Plain values, for json.dumps."""
        return [self._weight, self._sum]

    def restore(self, values: Any) -> list[str]:
        """What to_list wrote; files of before have none."""
        try:
            if "curve" in values:
                self._weight, self._sum = (number(one, 0.0, 1e6) for one in values["curve"])
        except BAD as error:
            return [f"doubt about the curve: {error}"]
        return []


class _Stretch:
    """What one module did between two rests: swings of its mean and of each cell, > 0 down.

    What bleed resistors took is put back, so that only the common current remains. curve_sigma: of
    the swing, because of the curve of rest voltages.
    """

    __slots__ = ("cells", "curve_sigma", "module", "sigma", "swing")

    def __init__(
        self,
        module: str,
        swing: float,
        sigma: float,
        curve_sigma: float,
        cells: dict[int, tuple[float, float]],
    ) -> None:
        self.module, self.swing, self.sigma, self.cells = module, swing, sigma, cells
        self.curve_sigma = curve_sigma

    @classmethod
    def of(
        cls, base: RestPoint, point: RestPoint, module: str, spec: AgeingSpec
    ) -> _Stretch | None:
        """None when no cell can be believed at both ends."""
        before, after = base.sure(module), point.sure(module)
        places = before.keys() & after.keys()
        if not places:
            return None
        cells: dict[int, tuple[float, float]] = {}
        for i in places:
            bled = (point.bled(module, i) - base.bled(module, i)) / spec.module_ah
            sigma = hypot(
                max(0.002, before[i].sigma), max(0.002, after[i].sigma), spec.bleed_tolerance * bled
            )
            cells[i] = (before[i].soc - after[i].soc - bled, sigma)
        swing = sum(one[0] for one in cells.values()) / len(cells)
        ends = mean_soc(before, places)[1], mean_soc(after, places)[1]
        curve = hypot(*(fmean(known[i].curve_sigma for i in places) for known in (before, after)))
        return cls(module, swing, hypot(*ends), curve, cells)


def _new_cell() -> TotalLeastSquares:
    return TotalLeastSquares(_CELL_PRIOR, ratio=1.0)


def _level(point: RestPoint) -> float:
    """Mean state of charge of all cells that count, 0..1."""
    socs = [cell.soc for name in point.cells for cell in point.sure(name).values()]
    return fmean(socs) if socs else 0.5


def _belong_together(base: RestPoint, point: RestPoint) -> bool:
    return base.epoch == point.epoch and base.cells.keys() == point.cells.keys()


def _is_far(swing: float, sigma: float) -> bool:
    return sigma <= _WORST_SIGMA_PART * abs(swing)


def _tells(swing: float, sigma: float, part: float) -> bool:
    """Whether a stretch says something: far enough, sure enough, and of a possible capacity."""
    far = abs(swing) >= LEAST_SWING and _is_far(swing, sigma)
    return far and _PLAUSIBLE[0] <= part / swing <= _PLAUSIBLE[1]


def _restore_fits(
    values: Any, key: str, into: dict[str, TotalLeastSquares], prior: Estimate
) -> list[str]:
    reasons: list[str] = []
    try:
        kept = by_name(values[key])
    except BAD as error:
        return [f"capacity of {key}: {error}"]
    for name, one in kept.items():
        fit = _new_cell() if key == "cells" else TotalLeastSquares(prior)
        try:
            fit.restore(by_name(one), *_PLAUSIBLE)
        except BAD as error:
            reasons.append(f"capacity of {name}: {error}")
        else:
            into[name] = fit
    return reasons
