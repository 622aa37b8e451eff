"""Energy and money as plain values; docs/energy.md says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from math import floor
from typing import Any

from gridzero.domain.days import begins
from gridzero.domain.energy import Counted, Money
from gridzero.runtime.energy_memory import HOURS_OF, STARTS_OF, Shown

DAYS_TOLD = 7
_ENOUGH_KWH = 0.01  # a share of less says nothing


def energy_of(shown: Shown | None, zone: tzinfo | None = None) -> dict[str, Any] | None:
    """JSON-ready: totals, today and the last seven days; None before anything is stored."""
    if shown is None:
        return None
    today = shown.day.isoformat() if shown.day else ""
    over = [day for day in shown.days if day < today][:DAYS_TOLD]
    return {
        "stored": datetime.fromtimestamp(shown.utc_s, UTC).isoformat(timespec="seconds"),
        **_figures(shown.total),
        "converters": _converters(shown.total),
        "today": _today(shown, zone),
        "days": [_day(day, shown.days[day]) for day in over],
    }


def _today(shown: Shown, zone: tzinfo | None) -> dict[str, Any]:
    """The same keys while the clock is wrong."""
    day = shown.day
    tally = shown.days.get(day.isoformat(), {}) if day else {}
    return {
        **_day(day.isoformat() if day else None, tally, is_known=day is not None),
        "since": _since(day, zone),
        "converters": _converters(tally),
    }


def _since(day: date | None, zone: tzinfo | None) -> str | None:
    return begins(day, zone).isoformat() if day else None


def _day(day: str | None, tally: Mapping[str, float], *, is_known: bool = True) -> dict[str, Any]:
    starts = sum(value for key, value in tally.items() if key.startswith(STARTS_OF))
    hours = sum(value for key, value in tally.items() if key.startswith(HOURS_OF))
    return {
        "date": day,
        **_figures(tally),
        "autarky_pct": _share_pct(tally, Counted.HOUSE_FROM_BATTERY, Counted.HOUSE),
        "surplus_used_pct": _share_pct(tally, Counted.CHARGED_FROM_SURPLUS, Counted.SURPLUS),
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


def _share_pct(tally: Mapping[str, float], part: Counted, whole: Counted) -> float | None:
    whole_kwh = tally.get(whole, 0.0)
    if whole_kwh < _ENOUGH_KWH:
        return None
    return round(min(100.0, 100.0 * tally.get(part, 0.0) / whole_kwh), 1)


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
