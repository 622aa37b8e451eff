"""What a consumer may take a cell for."""

from __future__ import annotations

from typing import NamedTuple

from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Blame, CellDoubt, Trust


class Bounds(NamedTuple):
    """A cell is somewhere between, V. Low limits look at low_v, high limits at high_v."""

    low_v: float
    high_v: float


def believed_cells(module: ModuleReading, trust: Trust) -> tuple[Bounds | None, ...]:
    """Each cell as it is believed: as it reads, or within the bounds of what the others say.

    None = nobody knows. A cell that is not excused counts as it reads, however odd it is; where
    the others say that it may be something else, it may be both.
    """
    bounds = [None if volt_v is None else Bounds(volt_v, volt_v) for volt_v in module.cell_v]
    for cell, doubted in doubted_cells(module, trust):
        bounds[cell - 1] = doubted
    return tuple(bounds)


def doubted_cells(module: ModuleReading, trust: Trust) -> list[tuple[int, Bounds]]:
    """Only the cells (from 1) that are not simply what they read; mostly there are none."""
    found = []
    for doubt in trust.cells.values():
        if doubt.module != module.name or not 1 <= doubt.cell <= len(module.cell_v):
            continue
        bounds = _bounds(doubt, module.cell_v[doubt.cell - 1])
        if bounds is not None:
            found.append((doubt.cell, bounds))
    return found


def _bounds(doubt: CellDoubt, reading_v: float | None) -> Bounds | None:
    """None: the doubt says nothing beyond the reading."""
    if doubt.estimate_v is None:
        return None
    low_v, high_v = doubt.estimate_v - doubt.within_v, doubt.estimate_v + doubt.within_v
    if doubt.blame is Blame.SENSOR or reading_v is None:
        return Bounds(low_v, high_v)
    return Bounds(min(low_v, reading_v), max(high_v, reading_v))
