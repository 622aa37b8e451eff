"""Each module: charge, capacity, resistance, temperature, its share of the current, balancing."""

from __future__ import annotations

from typing import Any, Final

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.cells import temperature_of
from gridzero.outputs.dashboard.views.pick import (
    Json,
    at,
    column,
    items,
    number,
    plain_number,
    text,
)

_MILLI: Final = 1000.0
_PERCENT: Final = 100.0
_LEAST_A: Final = 1.0
"""Below so much current of the battery, shares are noise."""


def modules_of(battery: Json | None, health: Json | None, cells: Json | None) -> dict[str, Any]:
    """A row of words for every module that anything is known of, in order."""
    told = (at(battery, "modules"), at(health, "modules"), cells)
    names = sorted({name for where in told for name, _ in items(where)})
    currents = [number(battery, f"modules.{name}.current_a") for name in names]
    total_a = sum(current for current in currents if current is not None)
    return {"rows": [_row(name, battery, health, cells, total_a) for name in names]}


def _row(
    name: str, battery: Json | None, health: Json | None, cells: Json | None, total_a: float
) -> dict[str, Any]:
    own = at(at(battery, "modules"), name)
    aged = at(at(health, "modules"), name)
    bled = at(at(battery, "balancing.modules"), name)
    return {
        "name": name,
        "charge": _charge(own),
        "capacity": _estimate(aged, "capacity_ah", "Ah"),
        "resistance": _estimate(aged, "ohm", "mΩ", _MILLI),
        "temp": temperature_of(at(cells, name)),
        "current": words.unit(number(own, "current_a"), "A", 1),
        "share": _share(number(own, "current_a"), total_a),
        "bleeding": len(column(bled, "cells")),
        "balancing": text(bled, "text") or text(bled, "reason_text") or "",
        "left": _left(bled),
    }


def _charge(own: Json | None) -> str:
    """Of its cells, the lowest and the highest, as each cell stands on its own curve."""
    known = [v for v in map(plain_number, column(own, "soc_pct")) if v is not None]
    if not known:
        return words.UNKNOWN
    return f"{words.figure(min(known))} to {words.unit(max(known), '%')}"


def _estimate(aged: Json | None, key: str, unit: str, factor: float = 1.0) -> str:
    value, sigma = number(aged, f"{key}.value"), number(aged, f"{key}.sigma")
    if value is None:
        return words.UNKNOWN
    return words.with_sigma(value * factor, None if sigma is None else sigma * factor, unit, 1)


def _share(current_a: float | None, total_a: float) -> str:
    if current_a is None or abs(total_a) < _LEAST_A:
        return words.UNKNOWN
    return words.unit(current_a / total_a * _PERCENT, "%")


def _left(bled: Json | None) -> str:
    left_h = number(bled, "hours_left")
    return f"{words.hours(left_h)} left" if left_h else ""
