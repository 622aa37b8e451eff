"""What is learned of the converters, and where a test stands, as plain values."""

from __future__ import annotations

from typing import Any

from gridzero.control.learned import Learned
from gridzero.control.probe import Progress
from gridzero.runtime.learning import Learning


def with_learning(state: dict[str, Any], learning: Learning) -> dict[str, Any]:
    """The state with ``learned`` at each converter, and ``identify``."""
    learned = learning.learned
    for group in ("inverters", "chargers"):
        for name, unit in state[group].items():
            unit["learned"] = learned[name].to_dict()
    state["identify"] = _progress(learning.progress)
    return state


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "unit": progress.unit,
        "phase": progress.phase.value if progress.phase else None,
        "left_s": round(progress.left_s, 1),
        "waiting": list(progress.waiting),
        "done": {name: _found(found) for name, found in progress.done.items()},
        "ended": progress.ended,
    }


def _found(found: Learned | None) -> dict[str, Any] | None:
    return None if found is None else found.to_dict()
