"""Patterns that exchanged or broken sense wires leave."""

from __future__ import annotations

from typing import Final

from gridzero.battery.plausibility.rounds import Sample

PAIR_V: Final = 0.15
_SAME = 0.2
_SCALE_LOW_V, _SCALE_HIGH_V = 1.05, 4.9


def by_pattern(sample: Sample) -> list[int]:
    """Cells (from 0) of which one reads as much too high as its neighbour too low.

    The wire between the two is shared, so their sum is right. Two wires that are exchanged
    leave a cell that would read below zero, at the low end of the scale, between cells that
    read the sum of two (vw-gte protocol notes, 2.1: the scale is 1.000 to 5.091 V).
    """
    if sample.median_v - sample.low_v < PAIR_V or sample.high_v - sample.median_v < PAIR_V:
        return []
    lowest = sample.volts.index(sample.low_v)
    beside = [i for i in (lowest - 1, lowest + 1) if 0 <= i < len(sample.volts)]
    if sample.low_v <= _SCALE_LOW_V:
        high = [i for i in beside if sample.volts[i] >= _SCALE_HIGH_V]
    else:
        high = [i for i in beside if _are_mirrored(sample, i)]
    return sorted([lowest, *high]) if high else []


def _are_mirrored(sample: Sample, cell: int) -> bool:
    below_v, above_v = sample.median_v - sample.low_v, sample.volts[cell] - sample.median_v
    return abs(above_v - below_v) <= _SAME * below_v
