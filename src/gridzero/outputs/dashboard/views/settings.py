"""The form of settings and the row of actions, built from ``gridzero/settings`` alone."""

from __future__ import annotations

from typing import Any, Final

from gridzero.outputs.dashboard.views.pick import Json, at, column, items, number, text, truth

KINDS = frozenset({"number", "choice", "switch", "text", "moment"})
HIDDEN_ACTIONS = frozenset({"announce", "trace", "log", "acknowledge", "trial"})
"""Not for this page: Home Assistant's, the console's, and the one that has its own button."""
GROUPS: Final = {
    "Every day": (
        *("mode", "power_w", "automatic", "ev_hold", "allow_charge", "allow_discharge"),
        *("allow_grid_charge", "maintenance"),
    ),
    "Limits": (
        *("target_w", "export_guard_w", "max_charge_w", "max_discharge_w"),
        *("min_soc_pct", "max_soc_pct", "ramp_w_per_s"),
    ),
    "Strategy": ("strategy", "reserve_soc_pct", "peak_w"),
    "Override": ("override_until", "override_note"),
}
"""Where a setting stands on the page; one that is in no group is shown below OTHERS."""
OTHERS: Final = "More"


def settings_of(settings: Json | None) -> dict[str, Any]:
    """Fields by group and buttons in the order in which gridzero names them; empty if unheard."""
    told = dict(items(settings, "settings"))
    fields = {key: _field(key, row) for key, row in told.items() if text(row, "kind") in KINDS}
    return {
        "groups": [group for group in _groups(fields) if group["fields"]],
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


def _groups(fields: dict[str, Any]) -> list[dict[str, Any]]:
    placed = {key for keys in GROUPS.values() for key in keys}
    others = tuple(key for key in fields if key not in placed)
    return [
        {"title": title, "fields": [fields[key] for key in keys if key in fields]}
        for title, keys in {**GROUPS, OTHERS: others}.items()
    ]


def _field(key: str, row: Json) -> dict[str, Any]:
    return {
        "key": key,
        "title": text(row, "title") or key,
        "text": text(row, "text") or "",
        "kind": text(row, "kind"),
        "unit": text(row, "unit") or "",
        "value": _said(at(row, "value")),
        "default": _said(at(row, "default")),
        "low": number(row, "low"),
        "high": number(row, "high"),
        "step": number(row, "step"),
        "options": [str(option)[:60] for option in column(row, "options")],
    }


def _said(value: Any) -> str:
    """A value as a person types it and gridzero takes it; "" for none."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:200] if isinstance(value, int | str) else ""


def _action(key: str, row: Json) -> dict[str, Any]:
    return {
        "key": key,
        "title": text(row, "title") or key,
        "text": text(row, "text") or "",
        "argument": text(row, "argument") or "",
        "dangerous": truth(row, "dangerous") is not False,
    }
