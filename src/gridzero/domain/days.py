"""Local days: the calendar of the people in the house."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from math import isfinite

_CLOCK_SET_S = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
_LAST_S = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


def day_of(utc_s: float, zone: tzinfo | None = None) -> date | None:
    """The local day of a moment; None where the clock is clearly wrong (before 2024).

    zone: None = that of the machine.
    """
    if not (isfinite(utc_s) and _CLOCK_SET_S <= utc_s < _LAST_S):
        return None
    return datetime.fromtimestamp(utc_s, UTC).astimezone(zone).date()


def begins(day: date, zone: tzinfo | None = None) -> datetime:
    """The first moment of a local day, with its offset from UTC."""
    midnight = datetime.combine(day, time.min)
    return midnight.replace(tzinfo=zone) if zone else midnight.astimezone()
