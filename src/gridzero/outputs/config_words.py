"""Words for people where something else runs than what the configuration file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridzero.outputs.values import at


def config_words(told: Mapping[str, Any] | None) -> str:
    """Of ``gridzero/config``; "" where the file runs, or nothing is known.

    A rollback is a fault, which says more than this.
    """
    if told is None or at(told, "rolled_back") is not None:
        return ""
    waits = at(told, "waits")
    keys = [key for key in waits if isinstance(key, str)] if isinstance(waits, list) else []
    if keys:
        return f"wait for a restart: {', '.join(keys)}"
    return "the file has changed: reload takes it" if at(told, "file_differs") is True else ""
