"""What is under way in a module under load, so that a short interruption goes on where it was.

State of charge and its deviation alone are not enough: a filter that has forgotten the slow voltage
and which errors belong together takes the next voltages for a change of charge, by half a percent
in the first minutes of a load.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any, NamedTuple

from gridzero.battery.estimation.cell_filter import CellFilter, left_after

LONGEST_S = 600.0
"""After a longer interruption it is over: what was stored of it says nothing any more."""

_MOST_RC_V = 1.0
_NEARLY = 0.999  # rounded numbers must not be more alike than alike
_ALIKE = 2.0


class Motion(NamedTuple):
    """age_s: how old it is. cells: slow voltage, V, and ``curve_gain`` of each cell.

    p: mean covariance of the cells: p00, p01, p02, p11, p12, p22 of ``CellFilter``. They share
    current and clock, so theirs are nearly the same.
    """

    age_s: float
    cells: tuple[tuple[float, float], ...]
    p: tuple[float, ...]


def written(cells: Sequence[CellFilter]) -> dict[str, Any]:
    """Plain values; five digits are more than is known."""
    rows = [(c.p00, c.p01, c.p02, c.p11, c.p12, c.p22) for c in cells]
    means = [sum(column) / len(cells) for column in zip(*rows, strict=True)]
    return {
        "cells": [[round(c.rc_v, 5), _short(c.curve_gain)] for c in cells],
        "p": [_short(mean) for mean in means],
    }


def read(document: object, cells: int, age_s: float) -> Motion | None:
    """What was under way; None for what is over, was not stored or cannot be. Never raises."""
    match document:
        case {"cells": list(rows), "p": list(p)} if age_s <= LONGEST_S and len(rows) == cells:
            pairs = [tuple(row) for row in rows if isinstance(row, list) and len(row) == 2]
            if len(pairs) == cells and all(map(_is_slow, pairs)) and _is_covariance(p):
                return Motion(age_s, tuple(pairs), tuple(p))
    return None


def go_on(cell: CellFilter, motion: Motion, place: int) -> None:
    """Let a cell that was just restored go on where it was."""
    rc_v, curve_gain = motion.cells[place]
    p00, p01, p02, p11, p12, p22 = motion.p
    left = left_after(motion.age_s, cell.model.slow_s)
    cell.rc_v = rc_v * left
    own = cell.p00 - (curve_gain * cell.model.ocv_sigma_v) ** 2
    if not p00 / _ALIKE <= own <= p00 * _ALIKE:
        return  # not like the others: it keeps only its slow voltage
    cell.curve_gain = curve_gain
    cell.p00, cell.p01, cell.p02 = own, p01 * left, p02
    cell.p11, cell.p12, cell.p22 = max(cell.p11, p11 * left**2), p12 * left, p22
    most = _NEARLY * sqrt(own / p00) if own < p00 else _NEARLY
    cell.p01, cell.p02, cell.p12 = cell.p01 * most, cell.p02 * most, cell.p12 * _NEARLY


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_slow(pair: tuple[Any, ...]) -> bool:
    return all(map(_is_number, pair)) and abs(pair[0]) <= _MOST_RC_V and abs(pair[1]) <= 100.0


def _is_covariance(p: Sequence[Any]) -> bool:
    if len(p) != 6 or not all(map(_is_number, p)):
        return False
    p00, p01, p02, p11, p12, p22 = p
    if not (0.0 < p00 <= 1.0 and 0.0 < p11 <= 1.0 and 0.0 < p22 <= 1e6):
        return False
    alike = ((p01, p00 * p11), (p02, p00 * p22), (p12, p11 * p22))
    return all(both * both <= 1.001 * square for both, square in alike)
