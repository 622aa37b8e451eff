"""The battery as a whole, with its error bars."""

from __future__ import annotations

from typing import Any

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import Json, number, truth

_HUNDRED = 100.0
_MILLI = 1000.0


def battery_of(state: Json | None, battery: Json | None, health: Json | None) -> dict[str, Any]:
    """A gauge and rows of name and words; what is rarely looked at stands last."""
    soc, sigma = number(state, "battery.soc_pct"), number(state, "battery.soc_sigma_pct")
    return {
        "soc": soc,
        "low": None if soc is None or sigma is None else max(0.0, soc - sigma),
        "high": None if soc is None or sigma is None else min(_HUNDRED, soc + sigma),
        "soc_words": words.with_sigma(soc, sigma, "%"),
        "outlook": _outlook(state),
        "rows": [
            _row("Left to use", words.energy(number(state, "battery.out_wh"))),
            _row("Room to charge", words.energy(number(state, "battery.in_wh"))),
            _row("Voltage", words.unit(number(state, "battery.pack_v"), "V", 2)),
            _row("Current", _current(number(state, "battery.current_a"))),
            _row("Capacity", _estimate(health, "capacity_ah", "Ah") or _capacity(state)),
            _row("Health", _estimate(health, "health_pct", "%") or "still learning"),
            _row("Resistance", _milliohm(health)),
            _row("Cells", _cells(state)),
            _row("Temperature", _temperature(state)),
            _row("Modules", _modules(state)),
            _row("Last confirmed", _anchored(battery)),
        ],
    }


def _row(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _outlook(state: Json | None) -> str:
    """Hours to empty or full; "" where it goes nowhere."""
    if truth(state, "battery.is_full"):
        return "full"
    if truth(state, "battery.is_empty"):
        return "empty"
    empty_h, full_h = number(state, "battery.to_empty_h"), number(state, "battery.to_full_h")
    if empty_h is not None:
        return f"empty in {words.hours(empty_h)}"
    return "" if full_h is None else f"full in {words.hours(full_h)}"


def _current(current_a: float | None) -> str:
    if current_a is None:
        return words.UNKNOWN
    way = "out" if current_a > 0 else "in"
    return f"{words.unit(abs(current_a), 'A', 1)} {way}"


def _capacity(state: Json | None) -> str:
    return words.unit(number(state, "battery.capacity_ah"), "Ah")


def _estimate(health: Json | None, key: str, unit: str) -> str | None:
    value, sigma = number(health, f"{key}.value"), number(health, f"{key}.sigma")
    return None if value is None else words.with_sigma(value, sigma, unit, 1)


def _milliohm(health: Json | None) -> str:
    ohm, sigma = number(health, "ohm.value"), number(health, "ohm.sigma")
    if ohm is None:
        return "still learning"
    return words.with_sigma(ohm * _MILLI, None if sigma is None else sigma * _MILLI, "mΩ", 1)


def _cells(state: Json | None) -> str:
    low, high = number(state, "battery.min_cell_v"), number(state, "battery.max_cell_v")
    if low is None or high is None:
        return words.UNKNOWN
    return f"{words.figure(low, 3)} to {words.unit(high, 'V', 3)}"


def _temperature(state: Json | None) -> str:
    low, high = number(state, "battery.temp_low_c"), number(state, "battery.temp_high_c")
    if low is None or high is None:
        return words.unit(low if high is None else high, "°C")
    return f"{words.figure(low)} to {words.unit(high, '°C')}"


def _modules(state: Json | None) -> str:
    healthy, modules = number(state, "battery.healthy"), number(state, "battery.modules")
    if healthy is None or modules is None:
        return words.UNKNOWN
    return f"{words.figure(healthy)} of {words.figure(modules)} complete"


def _anchored(battery: Json | None) -> str:
    ago_h = number(battery, "charge.anchored_ago_h")
    return "not yet" if ago_h is None else f"{words.hours(ago_h)} ago"
