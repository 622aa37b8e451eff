"""How much more the cells of a module hold than its lowest one."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, isfinite
from typing import NamedTuple, cast

from gridzero.battery.balancing.plan import BalancePlan
from gridzero.domain.charge import CellCharge


class Excess(NamedTuple):
    """Charge to be bled of each cell, Ah >= 0; soc of the lowest cell, None from voltages."""

    cell_ah: tuple[float, ...]
    soc: float | None


def is_usable(cells: Sequence[CellCharge] | None, count: int) -> bool:
    """Whether the estimate fits the module and holds only numbers that can be."""
    return cells is not None and len(cells) == count and all(map(_is_sane, cells))


def _is_sane(cell: CellCharge) -> bool:
    return -0.5 <= cell.soc <= 1.5 and cell.sigma >= 0.0 and isfinite(cell.sigma)


def from_charge(
    cells: Sequence[CellCharge], believed: Sequence[int], cell_ah: float, plan: BalancePlan
) -> Excess | None:
    """From states of charge; None when they are not known well enough, or capacity is not."""
    if not 0.0 < cell_ah < float("inf"):
        return None
    if any(cells[i].sigma > plan.max_sigma for i in believed):
        return None
    lowest = min((cells[i] for i in believed), key=_soc)
    excess = [0.0] * len(cells)
    for i in believed:
        excess[i] = cell_ah * _excess_soc(cells[i], lowest, plan)
    return Excess(tuple(excess), lowest.soc)


def _excess_soc(cell: CellCharge, lowest: CellCharge, plan: BalancePlan) -> float:
    """What is surely too much; once it is sure, down to one standard deviation.

    Bleeding only what lies above the threshold would leave every cell at the threshold.
    """
    one_sigma = plan.own_part * hypot(cell.own_sigma, lowest.own_sigma)
    more = cell.soc - lowest.soc
    return more - one_sigma if more > max(plan.sure * one_sigma, plan.least_soc) else 0.0


def from_volts(
    cell_v: Sequence[float | None], believed: Sequence[int], plan: BalancePlan
) -> Excess:
    """From voltages at rest; those of the believed cells must be known."""
    volts = {i: cast("float", cell_v[i]) for i in believed}
    low_v = min(volts.values())
    excess = [0.0] * len(cell_v)
    for i, one_v in volts.items():
        if one_v - low_v > plan.least_v:
            excess[i] = plan.ah_per_v * (one_v - low_v - plan.least_v / plan.sure)
    return Excess(tuple(excess), None)


def _soc(cell: CellCharge) -> float:
    return cell.soc
