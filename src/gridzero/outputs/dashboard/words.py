"""Numbers as people read them. Unknown is a dash, never 0."""

from __future__ import annotations

UNKNOWN = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_KILO = 1000.0
_TEN = 10.0
_S_PER_MIN = 60.0
_S_PER_H = 3600.0
_S_PER_DAY = 86400.0
_DAYS_PER_YEAR = 365.25


def figure(value: float | None, digits: int = 0) -> str:
    """With a true minus and no negative zero."""
    if value is None:
        return UNKNOWN
    shown = f"{value:.{digits}f}"
    if float(shown) == 0.0:
        return f"{0:.{digits}f}"
    return shown.replace("-", _MINUS)


def unit(value: float | None, name: str, digits: int = 0) -> str:
    """A figure with its unit; the unit is left out where nothing is known."""
    return UNKNOWN if value is None else f"{figure(value, digits)}{_THIN}{name}"


def watts(value: float | None) -> str:
    """Below 10 kW in W, so that the zero of the grid can be seen to move."""
    if value is not None and abs(value) >= 10 * _KILO:
        return unit(value / _KILO, "kW", 1)
    return unit(value, "W")


def energy(value_wh: float | None) -> str:
    """Wh, from 1000 on kWh."""
    if value_wh is not None and abs(value_wh) >= _KILO:
        return unit(value_wh / _KILO, "kWh", 1)
    return unit(value_wh, "Wh")


def kilowatt_hours(value_kwh: float | None) -> str:
    """Below 10 with two digits, so that a morning can be seen to move; from 1000 on MWh."""
    if value_kwh is not None and abs(value_kwh) >= _KILO:
        return unit(value_kwh / _KILO, "MWh", 2)
    digits = 2 if value_kwh is not None and abs(value_kwh) < _TEN else 1
    return unit(value_kwh, "kWh", digits)


def with_sigma(value: float | None, sigma: float | None, name: str, digits: int = 0) -> str:
    """``62 ± 4 %``; without the second part where the error is not known."""
    if value is None or sigma is None:
        return unit(value, name, digits)
    return f"{figure(value, digits)} ± {figure(sigma, digits)}{_THIN}{name}"


def duration(seconds: float | None) -> str:
    """In the two largest units that matter."""
    if seconds is None:
        return UNKNOWN
    if seconds < _S_PER_MIN:
        return unit(seconds, "s")
    if seconds < _S_PER_H:
        return unit(seconds // _S_PER_MIN, "min")
    if seconds < 2 * _S_PER_DAY:
        minutes = int(seconds // _S_PER_MIN)
        return f"{minutes // 60}{_THIN}h {minutes % 60:02d}{_THIN}min"
    return unit(seconds / _S_PER_DAY, "days")


def hours(value_h: float | None) -> str:
    """A duration given in hours."""
    return duration(None if value_h is None else value_h * _S_PER_H)


def years(days: float | None) -> str:
    """A long duration given in days; in years from two on."""
    if days is None or days < 2 * _DAYS_PER_YEAR:
        return unit(days, "days")
    return unit(days / _DAYS_PER_YEAR, "years", 1)
