"""What stands, what happened, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import Json, rows, text, truth

_JUST_NOW_S = 60.0


class Told(NamedTuple):
    """An event and when it came, on the clock of the feed."""

    at_s: float
    event: Json


def faults_of(state: Json | None) -> list[dict[str, Any]]:
    """Worst first: what waits for a person, then trips, limits, warnings."""
    found = [_fault(row) for row in rows(state, "faults")]
    return sorted(found, key=lambda fault: _ORDER.get(fault["level"], len(_ORDER)))


_ORDER = {"trip": 0, "limit": 1, "warn": 2}


def _fault(row: Json) -> dict[str, Any]:
    code, subject = text(row, "code") or "unknown", text(row, "subject") or ""
    return {
        "code": code,
        "title": code.replace("_", " "),
        "subject": subject,
        "level": text(row, "level") or "",
        "latched": truth(row, "is_latched") is True,
        "text": text(row, "text") or "",
        "remedy": text(row, "remedy") or "",
        "acknowledge": f"{code} {subject}".strip(),
    }


def events_of(told: Iterable[Told], now_s: float) -> list[dict[str, str]]:
    """Newest first, each with its age in words."""
    return [
        {
            "ago": _ago(now_s - one.at_s),
            "title": (text(one.event, "code") or "event").replace("_", " "),
            "subject": text(one.event, "subject") or "",
            "text": text(one.event, "text") or "",
            "severity": text(one.event, "severity") or "info",
            "way": _way(one.event),
        }
        for one in told
    ]


def _ago(seconds: float) -> str:
    """Whole minutes: seconds would send all events anew each second."""
    return "just now" if seconds < _JUST_NOW_S else f"{words.duration(seconds)} ago"


def _way(event: Json) -> str:
    came = truth(event, "active")
    if came is None:
        return ""
    return "came" if came else "told or gone"
