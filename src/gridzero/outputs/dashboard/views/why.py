"""Why the battery does what it does, and how well the grid was held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridzero.domain.causes import CAUSES, Cause
from gridzero.domain.reasons import REASONS, WHY_NOT, Because, WhyNot
from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import Json, at, items, number, plain_number, text, truth

_PERCENT = 100.0
_MOST_CAUSES = 5
_WS_PER_WH = 3600.0


def why_of(state: Json | None) -> dict[str, Any]:
    """The reason in words, what limits each direction, and each converter."""
    return {
        "because": text(state, "because_text") or "nothing has been heard yet",
        "mode": text(state, "mode") or words.UNKNOWN,
        "strategy": _plain(text(state, "strategy")),
        "plan": text(state, "plan_text") or "",
        "setpoint": words.watts(number(state, "setpoint_w")),
        "wish": words.watts(number(state, "wish_w")),
        "target": words.watts(number(state, "target_w")),
        "lean": _lean(state),
        "marks": [name for key, name in _MARKS if truth(state, key)],
        "limits": [_limit(state, way) for way in ("charge", "discharge")],
        "units": [
            _unit(name, unit, kind)
            for kind, role in (("rectifier", "chargers"), ("inverter", "inverters"))
            for name, unit in items(state, role)
        ],
    }


def score_of(score: Json | None) -> dict[str, Any]:
    """Last hour and day, and where the watt-seconds of the last day went."""
    return {
        "columns": [_figures(name, at(score, key)) for name, key in _SPANS],
        "causes": _causes(at(score, "day.causes_ws")),
    }


_MARKS = (("full_charge", "full charge"), ("maintenance", "maintenance"))


def _plain(code: str | None) -> str:
    return words.UNKNOWN if code is None else code.replace("_", " ")


def _lean(state: Json | None) -> str:
    """Why prices lean the target; "" where there are none, which is how most houses are."""
    if text(state, "value.because") in {None, "no_prices"}:
        return ""
    return text(state, "value.because_text") or ""


_SPANS = (("last hour", "hour"), ("last day", "day"))


def _limit(state: Json | None, way: str) -> dict[str, Any]:
    code = text(state, f"limits.{way}_because")
    return {
        "way": way,
        "value": words.watts(number(state, f"limits.{way}_w")),
        "because": _words_of(REASONS, Because, code),
    }


def _unit(name: str, unit: Json, kind: str) -> dict[str, Any]:
    why_not = text(unit, "why_not")
    return {
        "name": name,
        "kind": kind,
        "state": "silent" if truth(unit, "silent") else (text(unit, "state") or words.UNKNOWN),
        "power": words.watts(number(unit, "ac_w")),
        "command": words.watts(number(unit, "command_w")),
        "temp": words.unit(number(unit, "temp_c"), "°C"),
        "why_not": _words_of(WHY_NOT, WhyNot, why_not) if why_not else "",
    }


def _words_of(table: Mapping[Any, str], codes: type, code: str | None) -> str:
    """Of a code that a newer gridzero may have added: the code itself."""
    if code is None:
        return "unknown"
    try:
        return table[codes(code)]
    except (ValueError, KeyError):
        return code.replace("_", " ")


def _figures(name: str, figures: Any) -> dict[str, str]:
    auto = number(figures, "auto")
    return {
        "span": name,
        "mean": words.unit(number(figures, "mean_w"), "W", 1),
        "rms": words.watts(number(figures, "rms_w")),
        "settle": words.unit(number(figures, "settle_s"), "s", 1),
        "bought": words.energy(number(figures, "total_import_wh")),
        "sold": words.energy(number(figures, "total_export_wh")),
        "held": words.unit(None if auto is None else auto * _PERCENT, "%"),
        "starts": words.figure(number(figures, "starts")),
    }


def _causes(causes: Any) -> list[dict[str, Any]]:
    """Largest first, with its share of all error."""
    if not isinstance(causes, Mapping):
        return []
    found = [(str(code), plain_number(ws) or 0.0) for code, ws in causes.items()]
    total = sum(ws for _, ws in found)
    ranked = sorted((row for row in found if row[1] > 0), key=lambda row: -row[1])
    return [
        {
            "text": _words_of(CAUSES, Cause, code),
            "code": code.replace("_", " ")[:40],
            "ws": f"{round(ws):,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
            "wh": words.energy(ws / _WS_PER_WH),
            "share": round(ws / total * _PERCENT, 1),
        }
        for code, ws in ranked[:_MOST_CAUSES]
    ]
