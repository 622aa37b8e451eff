"""Energy and money: today, since ever, and where the house's energy of each day came from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import Json, at, number, rows, text

DAYS: Final = 8
_CT = 100.0
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NO_SUN = "needs the power of the panels: production in the configuration"
_NO_PRICES = "needs prices in the configuration"
_TOO_LITTLE = "nothing that could be divided yet"


class _Row(NamedTuple):
    """A line of the table; why: the reason where nobody knows."""

    name: str
    key: str
    why: str = "not told yet"


_ENERGY = (
    _Row("Bought", "grid_import_kwh"),
    _Row("Sold", "grid_export_kwh"),
    _Row("Charged", "battery_charged_kwh"),
    _Row("Discharged", "battery_discharged_kwh"),
    _Row("Surplus", "surplus_kwh"),
    _Row("Sun", "produced_kwh", _NO_SUN),
    _Row("House", "consumed_kwh", _NO_SUN),
    _Row("House beyond the sun", "house_kwh"),
)
_MONEY = (
    _Row("Saved by the battery", "savings_ct", _NO_PRICES),
    _Row("Paid for the grid", "import_cost_ct", _NO_PRICES),
    _Row("Earned by selling", "export_income_ct", _NO_PRICES),
)
_SHARES = (
    _Row("Autarky", "autarky_pct", _TOO_LITTLE),
    _Row("Self-consumption", "self_consumption_pct", _NO_SUN),
    _Row("Surplus stored", "surplus_used_pct", _TOO_LITTLE),
)


def energy_of(energy: Json | None) -> dict[str, Any]:
    """Tables of words, shares of today, and bars of the last week, oldest first."""
    today = at(energy, "today")
    return {
        "rows": [
            *(_line(row, energy, today, words.kilowatt_hours) for row in _ENERGY),
            *(_line(row, energy, today, _money) for row in _MONEY),
        ],
        "shares": [_share(row, today) for row in _SHARES],
        "days": _days(energy),
        "missing": _missing(energy, today),
    }


def _line(row: _Row, energy: Json | None, today: Json | None, shown: Any) -> dict[str, str]:
    total = number(energy, row.key)
    return {
        "name": row.name,
        "today": shown(number(today, row.key)),
        "total": shown(total),
        "why": row.why if energy is not None and total is None else "",
    }


def _money(cents: float | None) -> str:
    """In units of a hundred cents, whatever the currency."""
    return words.figure(None if cents is None else cents / _CT, 2)


def _share(row: _Row, today: Json | None) -> dict[str, Any]:
    value = number(today, row.key)
    has_sun = number(today, "produced_kwh") is not None
    why = _TOO_LITTLE if has_sun and row.why == _NO_SUN else row.why
    return {
        "name": row.name,
        "value": None if value is None else min(_CT, max(0.0, value)),
        "words": words.unit(value, "%"),
        "why": why if today is not None and value is None else "",
    }


def _missing(energy: Json | None, today: Json | None) -> str:
    """What the figures of today do not cover."""
    if energy is None:
        return "gridzero has not told its counters yet."
    if text(today, "date") is None:
        return "The clock of the computer is wrong: there is no today."
    unknown_h = number(today, "unknown_h")
    if not unknown_h:
        return ""
    return f"For {words.hours(unknown_h)} of today the meter was not known; that is not in it."


def _days(energy: Json | None) -> list[dict[str, Any]]:
    """One per calendar day; a day on which gridzero did not count is there without figures."""
    today = _date(text(energy, "today.date"))
    if today is None:
        return []
    told = {text(day, "date"): day for day in rows(energy, "days")}
    told[today.isoformat()] = at(energy, "today")
    dates = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return [_day(one, told.get(one.isoformat()), is_today=one == today) for one in dates]


def _date(told: str | None) -> date | None:
    try:
        found = date.fromisoformat(told or "")
    except ValueError:
        return None
    return found if found.year > 1 else None


def _day(one: date, day: Json | None, *, is_today: bool) -> dict[str, Any]:
    name = "today" if is_today else f"{_WEEKDAYS[one.weekday()]} {one.day}"
    sun, battery, grid = _sources(day)
    sold = _size(number(day, "grid_export_kwh"))
    return {
        "name": name,
        "sun": sun,
        "battery": battery,
        "grid": grid,
        "sold": sold,
        "words": _day_words(name, day, sun),
    }


def _sources(day: Json | None) -> tuple[float | None, float | None, float | None]:
    """Energy of the house by where it came from, kWh: straight from the sun, battery, grid."""
    house, battery = number(day, "house_kwh"), number(day, "house_from_battery_kwh")
    used = number(day, "consumed_kwh")
    sun = None if used is None or house is None else _size(used - house)
    grid = None if house is None or battery is None else _size(house - battery)
    return sun, _size(battery), grid


def _size(kwh: float | None) -> float | None:
    return None if kwh is None else round(max(0.0, kwh), 3)


def _day_words(name: str, day: Json | None, sun: float | None) -> str:
    if day is None:
        return f"{name}: nothing was counted"
    said = (
        ("sun", sun),
        ("battery", number(day, "house_from_battery_kwh")),
        ("bought", number(day, "grid_import_kwh")),
        ("sold", number(day, "grid_export_kwh")),
    )
    told = ", ".join(f"{what} {words.kilowatt_hours(kwh)}" for what, kwh in said if kwh is not None)
    return f"{name}: {told}" if told else f"{name}: nothing was counted"
