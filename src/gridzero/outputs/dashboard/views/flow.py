"""The picture of the power flow: who gives, who takes, which way it goes."""

from __future__ import annotations

from typing import Any

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import Json, at, items, number, text, truth

QUIET_W = 15.0
"""Below this a line rests: meters and converters wander by a few watts."""


def flow_of(state: Json | None) -> dict[str, Any]:
    """Nodes with their words, and lines with watts along their direction.

    ``lines.grid`` > 0 flows from the grid to the house, ``lines.inverter`` from the battery to the
    house, ``lines.rectifier`` from the house to the battery, ``lines.sun`` to the house.
    """
    grid_w = number(state, "grid_w")
    inverter_w, rectifier_w = _power(state, "inverters"), _power(state, "chargers")
    sun_w = number(state, "pv_w")
    house_w = number(state, "net_load_w")
    load_w = house_w + sun_w if house_w is not None and sun_w is not None else house_w
    return {
        "grid": {"value": words.watts(_size(grid_w)), "note": _grid_note(grid_w)},
        "house": {"value": words.watts(_size(load_w)), "note": _house_note(load_w, sun_w)},
        "battery": {
            "value": words.unit(number(state, "battery.soc_pct"), "%"),
            "note": _battery_note(number(state, "setpoint_w")),
            "level": number(state, "battery.soc_pct"),
        },
        "inverter": _converters(state, "inverters", "inverter", inverter_w),
        "rectifier": _converters(state, "chargers", "rectifier", rectifier_w),
        "sun": None if sun_w is None else {"value": words.watts(sun_w), "note": "sun"},
        "lines": {
            "grid": _line(grid_w),
            "inverter": _line(inverter_w),
            "rectifier": _line(None if rectifier_w is None else -rectifier_w),
            "sun": _line(sun_w),
        },
        "because": text(state, "because_text"),
        "summary": _summary(grid_w, load_w, number(state, "setpoint_w")),
    }


def _power(state: Json | None, role: str) -> float | None:
    """What the converters of a role report, or else what they were told; None: nobody knows."""
    known = [_unit_w(unit) for _, unit in items(state, role)]
    seen = [power_w for power_w in known if power_w is not None]
    return sum(seen) if seen else None


def _unit_w(unit: Json) -> float | None:
    if truth(unit, "silent"):
        return None
    for key in ("ac_w", "command_w"):
        if (power_w := number(unit, key)) is not None:
            return power_w
    return 0.0 if text(unit, "state") == "off" else None


def _converters(
    state: Json | None, role: str, name: str, power_w: float | None
) -> dict[str, str] | None:
    """None where the house certainly has none of them."""
    count = sum(1 for _ in items(state, role))
    if at(state, role) == {}:
        return None
    title = f"{count} {name}s" if count > 1 else name
    return {"title": title, "value": words.watts(_size(power_w))}


def _line(power_w: float | None) -> float | None:
    """Watts along the line; 0 while it rests, None when unknown."""
    if power_w is None:
        return None
    return round(power_w) if abs(power_w) >= QUIET_W else 0


def _size(power_w: float | None) -> float | None:
    return None if power_w is None else abs(power_w)


def _grid_note(grid_w: float | None) -> str:
    if grid_w is None:
        return "unknown"
    if abs(grid_w) < QUIET_W:
        return "held at zero"
    return "buying" if grid_w > 0 else "selling"


def _house_note(load_w: float | None, sun_w: float | None) -> str:
    if load_w is None:
        return "unknown"
    return "surplus" if load_w < -QUIET_W and sun_w is None else "using"


def _battery_note(battery_w: float | None) -> str:
    if battery_w is None:
        return "unknown"
    if abs(battery_w) < QUIET_W:
        return "resting"
    return "discharging" if battery_w > 0 else "charging"


def _summary(grid_w: float | None, load_w: float | None, battery_w: float | None) -> str:
    """One sentence for those who do not see the picture."""
    return (
        f"Grid {words.watts(_size(grid_w))} {_grid_note(grid_w)}; "
        f"house {words.watts(_size(load_w))} {_house_note(load_w, None)}; "
        f"battery {words.watts(_size(battery_w))} {_battery_note(battery_w)}"
    )
