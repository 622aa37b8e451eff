"""Values out of JSON that somebody else wrote: what does not fit is not known, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any


def at(tree: Any, *path: str) -> Any:
    """What stands at the end of a path, None where it leads nowhere."""
    for key in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(key)
    return tree


def number_of(value: Any) -> float | None:
    """A finite number; None for all else: true and false, texts, numbers of hundreds of digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if isfinite(value) else None
    except OverflowError:  # JSON's whole numbers have no end
        return None
