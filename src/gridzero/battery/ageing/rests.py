"""Moments at which it is known how full each cell is: what everything is measured by.

Either the estimator confirms the charge by the voltage at rest, or the battery has been quiet for
a while (a house at night draws a fiftieth of the capacity an hour) and the estimator is certain.
A rest may last for hours and be confirmed every second; its last good confirmation stands for it,
and it is handed on when so much charge has flowed that it is surely over.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot, isfinite
from typing import NamedTuple

from gridzero.battery.ageing.charge_book import ChargeBook
from gridzero.domain.charge import BatteryCharge, CellCharge
from gridzero.domain.trust import Blame, Trust

_JUST_NOW_S = 10.0
_LOOK_EVERY_DAYS = 30.0 / 86400.0
_OVER_PART = 0.01
_NO_WORSE = 1.2
_SURE_ENOUGH = 0.06
_QUIET_PART = 0.05
_QUIET_DAYS = 1200.0 / 86400.0
_CERTAIN = 0.02
_QUIET_SIGMA = 0.005
_LEAST_SIGMA = 0.003


class RestPoint(NamedTuple):
    """Everything at one rest. Counts in Ah as ``ChargeBook`` keeps them; day: days lived.

    cells: with their sigma less the curve's part, which stays the same from rest to rest and is
    kept in ``curve_sigma``. doubted: cells (``b3.7``) whose sensor is to blame; they count for
    nothing.
    """

    day: float
    epoch: int
    out_ah: float
    moved_ah: float
    unknown_ah: float
    module_ah: Mapping[str, float]
    bled_ah: Mapping[str, tuple[float, ...]]
    cells: Mapping[str, tuple[CellCharge, ...]]
    doubted: frozenset[str]

    def sure(self, module: str) -> dict[int, CellCharge]:
        """The cells of a module that count, by place from 0."""
        return {
            i: cell
            for i, cell in enumerate(self.cells.get(module, ()))
            if f"{module}.{i + 1}" not in self.doubted
            and isfinite(cell.soc)
            and 0.0 <= cell.sigma <= _SURE_ENOUGH
        }

    def bled(self, module: str, cell: int) -> float:
        """Ah bled from a cell (place from 0) since the book began."""
        bled = self.bled_ah.get(module, ())
        return bled[cell] if cell < len(bled) else 0.0


class Rests:
    """Collects confirmations into rests. battery_ah: nominal, of all modules."""

    def __init__(self) -> None:
        self._pending: RestPoint | None = None
        self._confirmed_s: float | None = None
        self._quiet_since: float | None = None
        self._looked = float("-inf")

    def look(
        self,
        charge: BatteryCharge,
        book: ChargeBook,
        trust: Trust,
        day: float,
        battery_ah: float,
        current_a: float | None,
    ) -> RestPoint | None:
        """A rest that has just ended, else None. current_a: None = nobody knows."""
        over = self._take_if_over(book, battery_ah)
        is_quiet = self._has_been_quiet(day, battery_ah, current_a)
        if day - self._looked >= _LOOK_EVERY_DAYS and charge.modules:
            if self._is_confirmed(charge):
                self._looked, self._confirmed_s = day, charge.anchored_s
                self._keep(_point(charge, book, trust, day, 0.0))
            elif is_quiet and _mean_sigma(charge) <= _CERTAIN:
                self._looked = day
                self._keep(_point(charge, book, trust, day, _QUIET_SIGMA))
        return over

    def _is_confirmed(self, charge: BatteryCharge) -> bool:
        at_s = charge.anchored_s
        new = at_s is not None and at_s != self._confirmed_s
        return new and charge.at_s - (at_s or 0.0) <= _JUST_NOW_S

    def _has_been_quiet(self, day: float, battery_ah: float, current_a: float | None) -> bool:
        if current_a is None or not abs(current_a) <= _QUIET_PART * battery_ah:
            self._quiet_since = None
            return False
        self._quiet_since = day if self._quiet_since is None else self._quiet_since
        return day - self._quiet_since >= _QUIET_DAYS

    def _take_if_over(self, book: ChargeBook, battery_ah: float) -> RestPoint | None:
        point = self._pending
        if point is None:
            return None
        if book.epoch == point.epoch and abs(book.out_ah - point.out_ah) < _OVER_PART * battery_ah:
            return None
        self._pending = None
        return point

    def _keep(self, point: RestPoint) -> None:
        before = self._pending
        if before is None or _vagueness(point) <= _NO_WORSE * _vagueness(before):
            self._pending = point


def mean_soc(cells: Mapping[int, CellCharge], places: set[int]) -> tuple[float, float]:
    """Mean state of charge of these cells and its sigma: errors of one table are common."""
    count = len(places)
    soc = sum(cells[i].soc for i in places) / count
    return soc, max(_LEAST_SIGMA, sum(cells[i].sigma for i in places) / count)


def _vagueness(point: RestPoint) -> float:
    cells = [cell.sigma for module in point.cells.values() for cell in module]
    return sum(cells) / len(cells) if cells else 1.0


def _mean_sigma(charge: BatteryCharge) -> float:
    """Without the curve's part, which no rest makes smaller."""
    sigmas = [cell.own_sigma for module in charge.modules.values() for cell in module.cells]
    return sum(sigmas) / len(sigmas) if sigmas else 1.0


def _point(
    charge: BatteryCharge, book: ChargeBook, trust: Trust, day: float, more_sigma: float
) -> RestPoint:
    return RestPoint(
        day=day,
        epoch=book.epoch,
        out_ah=book.out_ah,
        moved_ah=book.moved_ah,
        unknown_ah=book.unknown_ah,
        module_ah=dict(book.module_ah),
        bled_ah=dict(book.bled_ah),
        cells={
            name: tuple(
                one._replace(sigma=hypot(one.own_sigma, more_sigma)) for one in module.cells
            )
            for name, module in charge.modules.items()
        },
        doubted=frozenset(n for n, doubt in trust.cells.items() if doubt.blame is Blame.SENSOR),
    )
