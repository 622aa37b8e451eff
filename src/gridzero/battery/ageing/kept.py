"""Reading back what was stored: numbers within bounds, or a reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

BAD = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading bad content raises."""


def number(value: Any, low: float, high: float) -> float:
    """A finite number from low to high. Raises ValueError or TypeError."""
    made = float(value)
    if not (isfinite(made) and low <= made <= high):
        raise ValueError(f"{value!r} is not from {low:g} to {high:g}")
    return made


def numbers(values: Any, count: int, low: float, high: float) -> list[float]:
    """So many numbers. Raises ValueError or TypeError."""
    made = [number(value, low, high) for value in values]
    if len(made) != count:
        raise ValueError(f"{len(made)} numbers instead of {count}")
    return made


def by_name(values: Any) -> Mapping[str, Any]:
    """A mapping with names as keys. Raises TypeError."""
    if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
        raise TypeError("not a mapping by name")
    return values
