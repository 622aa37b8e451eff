"""Every setting with its value and range, and every action, as plain values for faces."""

from __future__ import annotations

from typing import Any

from gridzero import __version__
from gridzero.domain.settings import ACTION_OF, Setting
from gridzero.runtime.orders import Orders
from gridzero.runtime.settings import Settings


def settings_of(settings: Settings, orders: Orders) -> dict[str, Any]:
    """JSON-ready; ``gridzero/settings``. version: of the process that holds the grid."""
    return {
        "version": __version__,
        "settings": {row.key: _setting(row, settings) for row in settings.rows},
        "actions": {
            key: {
                "title": row.title,
                "text": row.text,
                "argument": row.argument,
                "dangerous": row.is_dangerous,
            }
            for key, row in ACTION_OF.items()
            if key in orders.keys
        },
    }


def _setting(row: Setting, settings: Settings) -> dict[str, Any]:
    return {
        "value": settings.shown(row.key),
        "default": settings.shown_default(row.key),
        "title": row.title,
        "text": row.text,
        "kind": row.kind.value,
        "unit": row.unit,
        "low": row.low,
        "high": row.high,
        "step": row.step,
        "options": list(row.options),
    }
