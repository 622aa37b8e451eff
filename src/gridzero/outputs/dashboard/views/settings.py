"""The form of settings and the row of actions, built from ``gridzero/settings`` alone."""

from __future__ import annotations

from typing import Any

from gridzero.outputs.dashboard.views.pick import Json, at, column, items, number, text, truth

KINDS = frozenset({"number", "choice", "switch", "text", "moment"})
HIDDEN_ACTIONS = frozenset({"announce", "trace", "log", "acknowledge"})
"""Not for this page: Home Assistant's, the console's, and the one that has its own button."""


def settings_of(settings: Json | None) -> dict[str, Any]:
    """Fields and buttons in the order in which gridzero names them; empty while unheard."""
    return {
        "fields": [_field(key, row) for key, row in items(settings, "settings") if _is_field(row)],
        "actions": [
            _action(key, row)
            for key, row in items(settings, "actions")
            if key not in HIDDEN_ACTIONS
        ],
    }


def may_ask(settings: Json | None, key: str) -> bool:
    """Whether gridzero has named this setting or action."""
    return any(
        isinstance(at(settings, part), dict) and key in at(settings, part)
        for part in ("settings", "actions")
    )


def _is_field(row: Json) -> bool:
    return text(row, "kind") in KINDS


def _field(key: str, row: Json) -> dict[str, Any]:
    value = at(row, "value")
    return {
        "key": key,
        "title": text(row, "title") or key,
        "text": text(row, "text") or "",
        "kind": text(row, "kind"),
        "unit": text(row, "unit") or "",
        "value": value if isinstance(value, bool | int | float | str) else None,
        "low": number(row, "low"),
        "high": number(row, "high"),
        "step": number(row, "step"),
        "options": [str(option)[:60] for option in column(row, "options")],
    }


def _action(key: str, row: Json) -> dict[str, Any]:
    return {
        "key": key,
        "title": text(row, "title") or key,
        "text": text(row, "text") or "",
        "argument": text(row, "argument") or "",
        "dangerous": truth(row, "dangerous") is not False,
    }
