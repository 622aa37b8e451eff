"""What a consumer may take a cell for."""

from __future__ import annotations

from typing import NamedTuple

from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Blame, Trust


class Bounds(NamedTuple):
    """A cell is somewhere between, V. Low limits look at low_v, high limits at high_v."""

    low_v: float
    high_v: float


def believed_cells(module: ModuleReading, trust: Trust) -> tuple[Bounds | None, ...]:
    """Each cell as it is believed: as it reads, or within the bounds of what the others say.

    None = nobody knows. A cell that is not excused counts as it reads, however odd it is.
    """
    bounds = [None if volt_v is None else Bounds(volt_v, volt_v) for volt_v in module.cell_v]
    for cell, excused in excused_cells(module, trust):
        bounds[cell - 1] = excused
    return tuple(bounds)


def excused_cells(module: ModuleReading, trust: Trust) -> list[tuple[int, Bounds]]:
    """Only the cells (from 1) whose sensor is to blame; mostly there are none."""
    return [
        (doubt.cell, Bounds(doubt.estimate_v - doubt.within_v, doubt.estimate_v + doubt.within_v))
        for doubt in trust.cells.values()
        if doubt.blame is Blame.SENSOR
        and doubt.module == module.name
        and doubt.estimate_v is not None
        and doubt.cell <= len(module.cell_v)
    ]
