"""What an owner may change about the protections of a profile: make them stricter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridzero.battery.protection.rule import Rule
from gridzero.domain.alarms import Level

_BY_NAME = {("cell_over", Level.LIMIT), ("cell_under", Level.LIMIT)}
"""These follow the profile's over_cell_v and under_cell_v."""

_WARN_BEFORE_V = 0.02


def bounds(rules: Sequence[Rule]) -> dict[str, tuple[float, float]]:
    """By ``code.level`` from where to where a threshold may be moved.

    That is from what is certainly well to what the profile says. Whether something *is so* has
    no threshold to move.
    """
    return {
        f"{rule.code}.{level.name.lower()}": _sorted(rule.healthy, threshold.value)
        for rule in rules
        if rule.unit
        for level, threshold in rule.levels()
        if (rule.code, level) not in _BY_NAME
    }


def tighten(rules: Sequence[Rule], wanted: Mapping[str, float]) -> tuple[Rule, ...]:
    """The rules with the thresholds of ``code.level`` moved.

    Raises ValueError when levels come out of order.
    """
    made = {rule.code: rule for rule in rules}
    for key, value in sorted(wanted.items()):
        code, _, level = key.partition(".")
        made[code] = made[code].tightened(Level[level.upper()], value)
    return tuple(made.values())


def with_cell_limit(rule: Rule, value: float, release: float) -> Rule:
    """A rule of cell voltage with its limit moved, and its warning kept just before it.

    Raises ValueError when levels come out of order.
    """
    warn = rule.warn
    before = value - rule.sign * _WARN_BEFORE_V
    if warn is not None and not rule.sign * warn.value <= rule.sign * before:
        rule = rule.replaced(Level.WARN, before, before - (warn.value - warn.release))
    return rule.replaced(Level.LIMIT, value, release)


def _sorted(a: float, b: float) -> tuple[float, float]:
    return (a, b) if a <= b else (b, a)
