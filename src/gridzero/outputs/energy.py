"""Energy and money as plain values; docs/energy.md says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from math import floor
from typing import Any

from gridzero.domain.days import begins
from gridzero.domain.energy import Counted, Money
from gridzero.runtime.energy_memory import HOURS_OF, STARTS_OF, Shown

DAYS_TOLD = 7
_ENOUGH_KWH = 0.01  # a share of less says nothing
_OF_PRODUCTION = frozenset({Counted.PRODUCED, Counted.CONSUMED, "self_consumption_pct"})


def energy_of(
    shown: Shown | None, zone: tzinfo | None = None, *, has_production: bool = False
) -> dict[str, Any] | None:
    """JSON-ready: totals, today and the last seven days; None before anything is stored."""
    if shown is None:
        return None
    hidden = frozenset[str]() if has_production else _OF_PRODUCTION
    today = shown.day.isoformat() if shown.day else ""
    over = [day for day in shown.days if day < today][:DAYS_TOLD]
    return {
        "stored": datetime.fromtimestamp(shown.utc_s, UTC).isoformat(timespec="seconds"),
        **_without(hidden, _figures(shown.total)),
        "converters": _converters(shown.total),
        "today": _without(hidden, _today(shown, zone)),
        "days": [_without(hidden, _day(day, shown.days[day])) for day in over],
    }


def _without(hidden: frozenset[str], figures: dict[str, Any]) -> dict[str, Any]:
    """The same keys, null where only a lower bound is known."""
    return figures | dict.fromkeys(hidden & figures.keys())


def _today(shown: Shown, zone: tzinfo | None) -> dict[str, Any]:
    """The same keys while the clock is wrong."""
    day = shown.day
    tally = shown.days.get(day.isoformat(), {}) if day else {}
    return {
        **_day(day.isoformat() if day else None, tally, is_known=day is not None),
        "since": begins(day, zone).isoformat() if day else None,
        "converters": _converters(tally),
    }


def _day(day: str | None, tally: Mapping[str, float], *, is_known: bool = True) -> dict[str, Any]:
    starts = sum(value for key, value in tally.items() if key.startswith(STARTS_OF))
    hours = sum(value for key, value in tally.items() if key.startswith(HOURS_OF))
    bought = _of(tally, Counted.HOUSE) - _of(tally, Counted.HOUSE_FROM_BATTERY)
    stored = _of(tally, Counted.CHARGED_FROM_SURPLUS)
    sold = _of(tally, Counted.SURPLUS) - stored
    made = _of(tally, Counted.PRODUCED)
    return {
        "date": day,
        **_figures(tally),
        "autarky_pct": _rest_pct(bought, _of(tally, Counted.CONSUMED)),
        "self_consumption_pct": _rest_pct(sold, made),
        "surplus_used_pct": _rest_pct(sold, _of(tally, Counted.SURPLUS)),
        "starts": round(starts) if is_known else None,
        "hours": _down(hours, 2) if is_known else None,
    }


def _figures(tally: Mapping[str, float]) -> dict[str, float | None]:
    """Every key, null where nothing is known of it."""
    counted = {key.value: _down(tally.get(key), 3) for key in Counted}
    money = {key.value: _cents(tally.get(key)) for key in Money}
    return {**counted, **money}


def _converters(tally: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    names = [key.removeprefix(HOURS_OF) for key in tally if key.startswith(HOURS_OF)]
    return {
        name: {
            "hours": _down(tally[HOURS_OF + name], 2),
            "starts": round(tally.get(STARTS_OF + name, 0.0)),
        }
        for name in names
    }


def _of(tally: Mapping[str, float], counted: Counted) -> float:
    return tally.get(counted, 0.0)


def _rest_pct(lost_kwh: float, whole_kwh: float) -> float | None:
    """What of the whole is not lost, 0..100; None where there is next to nothing."""
    if whole_kwh < _ENOUGH_KWH:
        return None
    return round(min(100.0, max(0.0, 100.0 * (1.0 - lost_kwh / whole_kwh))), 1)


def _down(value: float | None, digits: int) -> float | None:
    """Rounded down: what rises must not be shown higher than it is.

    The next float above keeps 0.003 from becoming 0.002 on the way.
    """
    if value is None:
        return None
    scale = 10.0**digits
    return floor(value * scale + 1e-6) / scale


def _cents(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
