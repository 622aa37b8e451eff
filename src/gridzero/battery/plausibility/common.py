"""The voltage that modules in parallel share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gridzero.battery.plausibility.case import Missing
from gridzero.battery.plausibility.rounds import Sample
from gridzero.battery.plausibility.rules import PlausibilityRules

_MOST_BLED = 2


class Common(NamedTuple):
    """What the majority agrees on.

    volt_v: their median. scatter_v: how far their sums are from it, median of the amounts.
    witnesses: how many have no odd cell of their own. motion_v: how far it moved within two polls.
    """

    volt_v: float
    scatter_v: float
    witnesses: int
    motion_v: float


def agreed(
    samples: Sequence[Sample], tolerance_v: float, rules: PlausibilityRules
) -> Common | None:
    """The common voltage, None when no majority of at least two agrees.

    Modules that are bled in many cells read low and are not asked.
    """
    asked = sorted([s for s in samples if s.bled <= _MOST_BLED], key=_sum_v)
    group = _largest_group(asked, 2 * tolerance_v)
    if len(group) < 2 or 2 * len(group) <= len(asked):
        return None
    count = len(group)
    volt_v = (group[count // 2].sum_v + group[(count - 1) // 2].sum_v) / 2
    return Common(
        volt_v,
        _median([abs(s.sum_v - volt_v) for s in group]),
        sum(1 for s in group if is_clean(s, rules)),
        _median([s.motion_v for s in group]),
    )


def while_bled(
    samples: Sequence[Sample], tolerance_v: float, rules: PlausibilityRules
) -> tuple[float, float] | None:
    """The common voltage and its uncertainty, V, while too many cells are bled for ``agreed``.

    A bled cell is taken to read lower by half of bleed_v, give or take as much. None when
    there is no majority.
    """
    raised = sorted(sample.sum_v + _lost_v(sample, rules) for sample in samples)
    within_v = tolerance_v + max(_lost_v(sample, rules) for sample in samples)
    middle_v = (raised[len(raised) // 2] + raised[(len(raised) - 1) // 2]) / 2
    near = sum(1 for sum_v in raised if abs(sum_v - middle_v) <= within_v)
    return (middle_v, within_v) if near >= 2 and 2 * near > len(raised) else None


def missing_while_bled(
    sample: Sample, common_v: float, within_v: float, rules: PlausibilityRules
) -> Missing:
    """What a bled module's sum is short of, apart from what bleeding takes."""
    lost_v = _lost_v(sample, rules)
    return Missing(common_v - sample.sum_v - lost_v, within_v + lost_v + sample.motion_v)


def _lost_v(sample: Sample, rules: PlausibilityRules) -> float:
    return sample.bled * rules.bleed_v / 2


def is_clean(sample: Sample, rules: PlausibilityRules) -> bool:
    """Whether none of its cells is odd: an odd module is no witness against another."""
    odd_v = rules.odd_cell_v
    return sample.median_v - sample.low_v < odd_v and sample.high_v - sample.median_v < odd_v


def _largest_group(ordered: Sequence[Sample], width_v: float) -> Sequence[Sample]:
    """The most sums that lie within width_v; of equally many the narrowest."""
    best: Sequence[Sample] = ()
    start = 0
    for end in range(len(ordered)):
        while ordered[end].sum_v - ordered[start].sum_v > width_v:
            start += 1
        if end + 1 - start > len(best):
            best = ordered[start : end + 1]
    return best


def _sum_v(sample: Sample) -> float:
    return sample.sum_v


def _median(values: list[float]) -> float:
    values.sort()
    return values[len(values) // 2]
