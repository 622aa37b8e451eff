"""From the states of cells to what a person wants to know.

A module is empty when its first cell is, and full when its first cell is; modules in parallel
add up. So

    out  = sum over modules of min over cells of (soc - soc at empty_v) * capacity
    in   = sum over modules of min over cells of (soc at full_v - soc) * capacity
    soc  = out / (out + in)

and charge that unequal cells lock away is in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation.cell_filter import CellFilter
from gridzero.battery.estimation.ends import Ends
from gridzero.battery.estimation.settings import Window
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge

_HOUR_S = 3600.0
_STILL_HOURS = 200.0


class Room(NamedTuple):
    """What one module can still give and take. sigma: of its state of charge within the window."""

    out_ah: float
    in_ah: float
    out_wh: float
    in_wh: float
    sigma: float


class Rooms:
    """Measures the room of modules within one window."""

    def __init__(self, model: CellModel, window: Window) -> None:
        self._model = model
        self._empty_soc = model.soc_at(window.empty_v)
        self._full_soc = model.soc_at(window.full_v)

    def room(self, cells: Sequence[CellFilter]) -> Room:
        """Until the first cell is empty, and until the first is full."""
        out = [(max(0.0, c.soc - self._empty_soc) * c.capacity_ah, c) for c in cells]
        room = [(max(0.0, self._full_soc - c.soc) * c.capacity_ah, c) for c in cells]
        out_ah, lowest = min(out, key=_amount)
        in_ah, highest = min(room, key=_amount)
        wide = self._full_soc - self._empty_soc
        return Room(
            out_ah=out_ah,
            in_ah=in_ah,
            out_wh=sum([self._energy_wh(c, -out_ah) for c in cells]),
            in_wh=sum([self._energy_wh(c, in_ah) for c in cells]),
            sigma=min(1.0, max(lowest.sigma, highest.sigma) / wide),
        )

    def _energy_wh(self, cell: CellFilter, charge_ah: float) -> float:
        """Energy that this much charge means for a cell, in or out, without losses."""
        there = cell.soc + charge_ah / cell.capacity_ah
        return abs(self._model.energy_wh(cell.soc, there, cell.capacity_ah))


def charges(cells: Sequence[CellFilter], ohm: float) -> tuple[CellCharge, ...]:
    """The cells for everybody else. ohm: of a usual cell at this temperature, half charge."""
    return tuple([_charge(cell, ohm) for cell in cells])


def _charge(cell: CellFilter, ohm: float) -> CellCharge:
    at = cell.model.at(cell.soc)
    soc = cell.soc if 0.0 <= cell.soc <= 1.0 else float(cell.soc > 0.5)
    ohm *= cell.ohm_factor * at.ohm_factor
    return CellCharge(soc, cell.sigma, at.open_v, ohm, cell.curve_sigma)


def battery(
    modules: Mapping[str, ModuleCharge],
    rooms: Sequence[Room],
    ends: Ends,
    *,
    mean_a: float | None,
    anchored_s: float | None,
    now_s: float,
) -> BatteryCharge:
    """Modules in parallel as one. Their errors count as one error: curve and shunt are shared."""
    out_ah, in_ah = sum(room.out_ah for room in rooms), sum(room.in_ah for room in rooms)
    capacity_ah = out_ah + in_ah
    sure = [(room.out_ah + room.in_ah) * room.sigma for room in rooms]
    return BatteryCharge(
        at_s=now_s,
        soc=out_ah / capacity_ah if capacity_ah > 0.0 else 0.0,
        sigma=sum(sure) / capacity_ah if capacity_ah > 0.0 else 1.0,
        capacity_ah=capacity_ah,
        out_ah=out_ah,
        in_ah=in_ah,
        out_wh=sum(room.out_wh for room in rooms),
        in_wh=sum(room.in_wh for room in rooms),
        to_empty_s=_lasts_s(out_ah, mean_a, capacity_ah),
        to_full_s=_lasts_s(in_ah, -mean_a if mean_a is not None else None, capacity_ah),
        is_full=ends.is_full,
        is_empty=ends.is_empty,
        anchored_s=anchored_s,
        modules=modules,
    )


def _lasts_s(charge_ah: float, current_a: float | None, capacity_ah: float) -> float | None:
    """How long a charge lasts; None where the current does not lead there within days."""
    if current_a is None or not current_a * _STILL_HOURS > capacity_ah:
        return None
    return charge_ah / current_a * _HOUR_S


def _amount(item: tuple[float, CellFilter]) -> float:
    return item[0]
