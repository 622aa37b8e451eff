"""Times as people write them: a date, a date with a time, with a zone or in local time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gridzero.errors import ConfigError

_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)
_DATE_LENGTH = 10


def moment_s(text: str, *, end_of_day: bool = False, zone: tzinfo | None = None) -> float:
    """Seconds since 1970: ``2026-11-21``, ``2026-11-21T18:00``, ``...Z``, ``21.11.2026 18:00``.

    Without a zone it is local time (zone None: the machine's). end_of_day: a date alone means its
    end, so that it is included. Raises ConfigError.
    """
    plain = _iso(text.strip())
    try:
        if len(plain) <= _DATE_LENGTH:
            day = date.fromisoformat(plain) + timedelta(days=int(end_of_day))
            return datetime.combine(day, time(), zone).timestamp()
        found = datetime.fromisoformat(plain)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{text!r} is no time",
            where="--from, --to",
            remedy="Write 2026-11-21, 2026-11-21T18:00 (local time) or 2026-11-21T17:00:00Z",
        ) from None


def _iso(text: str) -> str:
    """Day.month.year as well."""
    german = _GERMAN.fullmatch(text)
    if german is None:
        return text
    day, month, year, rest = german.groups()
    return f"{year}-{int(month):02}-{int(day):02}{rest.rstrip()}"


def iso_utc(at_s: float) -> str:
    """2026-11-21T17:00:00.0Z: sorts as text, and every program reads it."""
    return f"{datetime.fromtimestamp(at_s, UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def shown(at_s: float | None) -> str:
    """Local time for people; - for None."""
    return "-" if at_s is None else f"{datetime.fromtimestamp(at_s).astimezone():%Y-%m-%d %H:%M:%S}"
