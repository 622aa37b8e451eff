"""A case of a protection in words."""

from __future__ import annotations

from gridzero.battery.protection.quantities import Seen
from gridzero.battery.protection.rule import Rule, Threshold

_DIGITS = {"V": 3, "V/s": 4, "degC": 1, "K": 1, "A": 1, "s": 0, "x": 2, "": 0}


def words(rule: Rule, threshold: Threshold, seen: Seen) -> str:
    """Who, how much, and beyond what: ``cell a3.7 is at 4.213 V, above 4.200 V``."""
    if not rule.unit or seen.value is None:
        return seen.where
    value, bound = amount(seen.value, rule.unit), amount(threshold.value, rule.unit)
    return f"{seen.where} is at {value}, {rule.side} {bound}"


def amount(value: float, unit: str) -> str:
    """A number with its unit."""
    digits = _DIGITS[unit]
    if unit == "x":
        return f"{value:.{digits}f} times the rating"
    return f"{value:.{digits}f} {unit}".rstrip()
