"""The state of charge as plain values for a file, and back. What does not fit is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from gridzero.battery.estimation import motion
from gridzero.battery.estimation.cell_filter import SOC_BOUNDS, WIDEST_SOC, CellFilter
from gridzero.battery.estimation.motion import Motion

VERSION = 1
_LEAST_SIGMA = 0.002
_RUNS_ON_PER_H = 0.3
_RUNS_ON_MOST = 0.02
_PER_DAY = 0.01
_OLDEST_S = 10 * 365 * 86400.0
_MOST_CELLS = 200


class _Misfit(Exception):
    """What is stored does not fit; the text says why."""


class StoredCell(NamedTuple):
    """State of charge, its standard deviation, and the current's offset, A."""

    soc: float
    sigma: float
    offset_a: float


class Stored(NamedTuple):
    """One module as it was, and how long before the restore the voltage last confirmed it, s.

    motion: what was under way, None where that is over or was not stored.
    """

    cells: tuple[StoredCell, ...]
    anchored_age_s: float | None
    motion: Motion | None = None


def written(cells: Sequence[CellFilter], anchored_age_s: float | None) -> dict[str, Any]:
    """One module as plain values."""
    rows = [[round(c.soc, 5), round(c.sigma, 5), round(c.offset_a, 4)] for c in cells]
    return {"cells": rows, "anchored_age_s": anchored_age_s, "motion": motion.written(cells)}


def read(document: object, kind: str, age_s: float) -> tuple[dict[str, Stored], dict[str, str]]:
    """The modules that can be used, and for the others why not. Never raises.

    kind: the kind of cell that is expected. age_s: how old the document is; the older, the less
    sure is what it says. A document that cannot be used at all is refused as ``battery``.
    """
    try:
        modules = _modules(document, kind, age_s)
    except _Misfit as error:
        return {}, {"battery": str(error)}
    good: dict[str, Stored] = {}
    refused: dict[str, str] = {}
    for name, content in modules.items():
        try:
            good[str(name)] = _module(content, age_s)
        except _Misfit as error:
            refused[str(name)] = str(error)
    return good, refused


def widening(age_s: float) -> float:
    """By how much the state of charge may have changed unseen in so long.

    At first current may have gone on for some minutes; then cells discharge by themselves.
    """
    return min(_RUNS_ON_PER_H * age_s / 3600.0, _RUNS_ON_MOST) + _PER_DAY * age_s / 86400.0


def _modules(document: object, kind: str, age_s: float) -> Mapping[Any, Any]:
    if not (_is_number(age_s) and 0.0 <= age_s <= _OLDEST_S):
        raise _Misfit(f"an age of {age_s} s cannot be")
    if not isinstance(document, Mapping):
        raise _Misfit("it is not a table of values")
    if document.get("version") != VERSION:
        raise _Misfit(f"version {document.get('version')!r} is not {VERSION}")
    if document.get("cell") != kind:
        raise _Misfit(f"it is of {document.get('cell')!r} cells, these are {kind!r}")
    modules = document.get("modules")
    if not isinstance(modules, Mapping):
        raise _Misfit("it has no modules")
    return modules


def _module(content: object, age_s: float) -> Stored:
    cells = content.get("cells") if isinstance(content, Mapping) else None
    if not (isinstance(content, Mapping) and isinstance(cells, list)):
        raise _Misfit("it has no cells")
    if not 1 <= len(cells) <= _MOST_CELLS:
        raise _Misfit(f"{len(cells)} cells cannot be")
    stored = tuple(_cell(i + 1, cell, age_s) for i, cell in enumerate(cells))
    under_way = motion.read(content.get("motion"), len(stored), age_s)
    return Stored(stored, _older(content.get("anchored_age_s"), age_s), under_way)


def _older(value: object, age_s: float) -> float | None:
    """An age that was written down so long ago; None when it was none."""
    if isinstance(value, int | float) and isfinite(value) and value >= 0.0:
        return value + age_s
    return None


def _cell(number: int, cell: object, age_s: float) -> StoredCell:
    if not (isinstance(cell, list) and len(cell) == 3 and all(map(_is_number, cell))):
        raise _Misfit(f"cell {number} is not three numbers")
    soc, sigma, offset_a = (float(value) for value in cell)
    low, high = SOC_BOUNDS
    if not low <= soc <= high:
        raise _Misfit(f"cell {number}: a state of charge of {soc:g} cannot be")
    if not 0.0 <= sigma <= 1.0:
        raise _Misfit(f"cell {number}: a deviation of {sigma:g} cannot be")
    wide = (max(sigma, _LEAST_SIGMA) ** 2 + widening(age_s) ** 2) ** 0.5
    return StoredCell(soc, min(wide, WIDEST_SOC), offset_a)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
