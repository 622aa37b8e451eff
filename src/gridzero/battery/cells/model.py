"""What is known of one kind of cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import NamedTuple

Points = tuple[tuple[float, float], ...]

_STEPS = 200
_SLOPE_REACH = 4
_SHORTEST_CURVE = 4
_WIDEST = 0.5


class At(NamedTuple):
    """A cell at one state of charge.

    open_v: at rest, V. slope_v: how steep that is over the state of charge, V. ohm_factor:
    resistance relative to that at half charge.
    """

    open_v: float
    slope_v: float
    ohm_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CellModel:
    """One kind of cell, or of cells welded in parallel.

    source: where the numbers come from, for people. capacity_ah: between state of charge 0 and 1.
    ocv: points (state of charge, V at rest); from 0 to 1, both rising. ohmic, slow: points
    (degrees Celsius, Ohm) at half charge: what the voltage loses at once, and what it loses with
    the time constant slow_s on top of that. ohm_by_soc: points (state of charge, factor).
    ocv_sigma_v: how far the curve may be off the real cell, hysteresis included.

    Raises ValueError for tables that no cell can have.
    """

    name: str
    source: str
    capacity_ah: float
    ocv: Points
    ohmic: Points
    slow: Points
    slow_s: float
    ocv_sigma_v: float
    ohm_by_soc: Points = ((0.0, 1.0), (1.0, 1.0))
    _volts: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _rises: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _slopes: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _factors: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _areas: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check, then lay the curves on an even grid, where a look-up needs no search."""
        _check(self)
        volts = _gridded(self.ocv)
        self._set("_volts", volts)
        self._set("_rises", [b - a for a, b in pairwise(volts)])
        self._set("_slopes", [_slope(volts, i) for i in range(_STEPS + 1)])
        self._set("_factors", _gridded(self.ohm_by_soc))
        self._set("_areas", _areas(volts))

    def _set(self, name: str, values: Sequence[float]) -> None:
        object.__setattr__(self, name, tuple(values))

    def at(self, soc: float) -> At:
        """Everything that depends on the state of charge; straight lines go on beyond 0 and 1."""
        place = soc * _STEPS
        step = int(place) if 0.0 <= place < _STEPS else 0 if place < 0.0 else _STEPS - 1
        open_v = self._volts[step] + self._rises[step] * (place - step)
        return At(open_v, self._slopes[step], self._factors[step])

    def open_v(self, soc: float) -> float:
        """Voltage at rest, V."""
        place = soc * _STEPS
        step = int(place) if 0.0 <= place < _STEPS else 0 if place < 0.0 else _STEPS - 1
        return self._volts[step] + self._rises[step] * (place - step)

    def slope_v(self, soc: float) -> float:
        """How steep the voltage at rest is there, V from empty to full, > 0."""
        return self._slopes[max(0, min(_STEPS, round(soc * _STEPS)))]

    def soc_at(self, open_v: float) -> float:
        """State of charge with this voltage at rest, 0..1; beyond the curve its end."""
        volts = self._volts
        if not open_v > volts[0]:
            return 0.0
        if open_v >= volts[-1]:
            return 1.0
        low, high = 0, _STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if volts[middle] <= open_v else (low, middle)
        return (low + (open_v - volts[low]) / (volts[high] - volts[low])) / _STEPS

    def energy_wh(self, low_soc: float, high_soc: float, capacity_ah: float) -> float:
        """Energy between two states of charge of a cell of this capacity, without losses, Wh."""
        return capacity_ah * (self._area(high_soc) - self._area(low_soc))

    def ohmic_ohm(self, temp_c: float) -> float:
        """Resistance that acts at once, Ohm, at half charge."""
        return _between(self.ohmic, temp_c)

    def slow_ohm(self, temp_c: float) -> float:
        """Resistance that acts with the time constant, Ohm, at half charge."""
        return _between(self.slow, temp_c)

    def _area(self, soc: float) -> float:
        """Integral of the voltage at rest from 0 to soc, V."""
        place = soc * _STEPS
        step = int(place) if 0.0 <= place < _STEPS else 0 if place < 0.0 else _STEPS - 1
        part = place - step
        return (
            self._areas[step] + part * (self._volts[step] + self._rises[step] * part / 2) / _STEPS
        )


def _between(points: Points, x: float) -> float:
    """Straight between points, flat outside."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x < x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def _gridded(points: Points) -> list[float]:
    return [_between(points, i / _STEPS) for i in range(_STEPS + 1)]


def _slope(volts: Sequence[float], step: int) -> float:
    """Over some steps on both sides: the corners of a table are not corners of the cell."""
    low, high = max(0, step - _SLOPE_REACH), min(_STEPS, step + _SLOPE_REACH)
    return (volts[high] - volts[low]) * _STEPS / (high - low)


def _areas(volts: Sequence[float]) -> list[float]:
    areas = [0.0]
    for a, b in pairwise(volts):
        areas.append(areas[-1] + (a + b) / 2 / _STEPS)
    return areas


def _check(cell: CellModel) -> None:
    for what in ("capacity_ah", "slow_s", "ocv_sigma_v"):
        if not (isfinite(getattr(cell, what)) and getattr(cell, what) > 0.0):
            raise ValueError(f"{cell.name}: {what} must be above 0, it is {getattr(cell, what):g}")
    if cell.ocv_sigma_v > _WIDEST:
        raise ValueError(f"{cell.name}: ocv_sigma_v must be at most {_WIDEST:g} V")
    _check_curve(cell.name, cell.ocv)
    for what in ("ohmic", "slow"):
        _check_table(f"{cell.name}: {what}", getattr(cell, what), "degrees")
    _check_table(f"{cell.name}: ohm_by_soc", cell.ohm_by_soc, "states of charge")


def _check_curve(name: str, points: Points) -> None:
    if len(points) < _SHORTEST_CURVE:
        raise ValueError(f"{name}: the curve has {len(points)} points, it needs {_SHORTEST_CURVE}")
    _check_finite(f"{name}: ocv", points)
    if points[0][0] != 0.0 or points[-1][0] != 1.0:
        raise ValueError(f"{name}: the curve must go from state of charge 0 to 1")
    for (soc, volts), (next_soc, next_volts) in pairwise(points):
        if not (next_soc > soc and next_volts > volts):
            raise ValueError(f"{name}: the curve does not rise from {soc:g} to {next_soc:g}")
    if not points[0][1] > 0.0:
        raise ValueError(f"{name}: the curve begins at {points[0][1]:g} V")


def _check_table(what: str, points: Points, unit: str) -> None:
    if not points:
        raise ValueError(f"{what} is empty")
    _check_finite(what, points)
    if any(not y > 0.0 for _, y in points):
        raise ValueError(f"{what} must be above 0 everywhere")
    if any(not b[0] > a[0] for a, b in pairwise(points)):
        raise ValueError(f"{what} must be given for rising {unit}")


def _check_finite(what: str, points: Points) -> None:
    if not all(isfinite(x) and isfinite(y) for x, y in points):
        raise ValueError(f"{what} holds something that is not a number")
