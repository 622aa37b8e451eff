"""What a module cannot use because its cells are not alike.

Cells in series stop together: at the top when the fullest is full, at the bottom when the emptiest
is empty. Level cells give what the smallest holds. Cells that are not level give less, and that
difference is what balancing can win back.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from gridzero.domain.ageing import Imbalance

_MEMORY = 0.7


class Cell(NamedTuple):
    """State of charge 0..1 with its sigma, and capacity, Ah."""

    soc: float
    sigma: float
    ah: float


def imbalance(cells: Sequence[Cell]) -> Imbalance | None:
    """Of the cells of one module at one rest; None without two cells of a known capacity."""
    if len(cells) < 2 or not all(cell.ah > 0.0 for cell in cells):
        return None
    below = min(cells, key=lambda cell: cell.soc * cell.ah)
    above = min(cells, key=lambda cell: (1.0 - cell.soc) * cell.ah)
    smallest_ah = min(cell.ah for cell in cells)
    usable_ah = below.soc * below.ah + (1.0 - above.soc) * above.ah
    level_ah = max(0.0, smallest_ah - usable_ah)
    return Imbalance(
        level_ah=level_ah,
        spread_ah=sum(cell.ah for cell in cells) / len(cells) - smallest_ah,
        level_part=level_ah / smallest_ah,
        sigma_ah=sqrt((below.sigma * below.ah) ** 2 + (above.sigma * above.ah) ** 2),
    )


def smoothed(before: Imbalance | None, now: Imbalance) -> Imbalance:
    """Over the last rests: one rest is noisy, and only extremes count in it."""
    if before is None:
        return now
    mixed = (
        _MEMORY * a + (1.0 - _MEMORY) * b for a, b in zip(_row(before), _row(now), strict=True)
    )
    level_ah, spread_ah, level_part, sigma_ah = mixed
    return Imbalance(
        level_ah=level_ah, spread_ah=spread_ah, level_part=level_part, sigma_ah=sigma_ah
    )


def _row(one: Imbalance) -> tuple[float, float, float, float]:
    return one.level_ah, one.spread_ah, one.level_part, one.sigma_ah
