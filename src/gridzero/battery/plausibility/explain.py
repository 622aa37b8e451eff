"""Which cell, if its reading were wrong, would explain all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from gridzero.battery.plausibility.rules import PlausibilityRules

_NEARLY: Final = 1.5


class Siblings(NamedTuple):
    """The other cells of a module. median_v: of them; like_v: how near a sibling is to it."""

    median_v: float
    like_v: float


def siblings(volts: Sequence[float], cell: int, rules: PlausibilityRules) -> Siblings:
    """What the other cells say; cell counts from 0. like_v is four of their robust deviations."""
    others = sorted(v for i, v in enumerate(volts) if i != cell)
    middle_v = others[len(others) // 2]
    away = sorted(abs(v - middle_v) for v in others)
    like_v = 4 * 1.4826 * away[len(away) // 2]
    return Siblings(middle_v, min(max(like_v, rules.like_v), rules.most_like_v))


def culprit(
    volts: Sequence[float],
    gap_v: float,
    tolerance_v: float,
    rules: PlausibilityRules,
    innocent: Collection[int] = (),
) -> int | None:
    """The only cell (from 0) whose correction by gap_v explains all, None when it is unclear.

    Unclear: nobody, several, a near miss beside it, another odd cell beside it, or one of the
    innocent, which read odd while the sums agreed.
    """
    if innocent:
        return None
    found = None
    for cell in _worth_a_look(volts, gap_v, tolerance_v, rules):
        others = siblings(volts, cell, rules)
        away_v = volts[cell] - others.median_v
        near_v = _NEARLY * (others.like_v + tolerance_v)
        if abs(away_v + gap_v) <= near_v or abs(away_v) > rules.rival_v:
            if found is not None:
                return None
            found = cell
    if found is None or not explains(volts, found, gap_v, tolerance_v, rules):
        return None
    return found


def explains(
    volts: Sequence[float], cell: int, gap_v: float, tolerance_v: float, rules: PlausibilityRules
) -> bool:
    """Whether the cell, corrected by gap_v, is like its siblings, and the gap large enough.

    A gap must be more than twice what is allowed, otherwise any cell would explain it.
    """
    others = siblings(volts, cell, rules)
    allowed_v = others.like_v + tolerance_v
    left_v = abs(volts[cell] + gap_v - others.median_v)
    return left_v <= allowed_v and abs(gap_v) > 2 * allowed_v


def _worth_a_look(
    volts: Sequence[float], gap_v: float, tolerance_v: float, rules: PlausibilityRules
) -> list[int]:
    """Cells that could be near misses or odd: nearly always one or two of a dozen."""
    ordered = sorted(volts)
    half = (len(volts) - 1) // 2
    below_v, above_v = ordered[half], ordered[min(half + 1, len(volts) - 1)]
    near_v = _NEARLY * (rules.most_like_v + tolerance_v)
    found = []
    for cell, volt_v in enumerate(volts):
        away_v = volt_v - (above_v if volt_v <= below_v else below_v)
        if abs(away_v + gap_v) <= near_v or abs(away_v) > rules.rival_v:
            found.append(cell)
    return found
