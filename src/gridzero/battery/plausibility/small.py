"""Small offsets, found by averaging at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import add
from statistics import median
from typing import Final, NamedTuple

from gridzero.battery.plausibility.rounds import Sample

BLOCK_S: Final = 180.0
"""So long a rest is averaged: noise of 5 mV becomes 0.3 mV."""
LEAST_V: Final = 0.030
LEAST_MODULES: Final = 4
_LEAST_ROUNDS = 30
_TOGETHER = 0.95
_LONGEST_GAP_S = 6.0
_USUAL_V = 0.015
_PROVEN_V = 0.040  # twelve cells that each read 3 mV wrong are no reason to doubt one
_SCATTER_V = 0.002
_RELATION_V = 0.010
_STAYS = 0.3
_RECENT = 0.1


class Offset(NamedTuple):
    """A cell (from 0) that reads offset_v too low, known within +- within_v."""

    cell: int
    offset_v: float
    within_v: float


class _Mean:
    """Averages of one module during one rest."""

    def __init__(self, cells: int) -> None:
        self.rounds = 0
        self.volts = [0.0] * cells

    def take(self, sample: Sample) -> None:
        self.rounds += 1
        self.volts = list(map(add, self.volts, sample.volts))


class SmallOffsets:
    """Finds a cell whose small offset is what its module's sum is short of.

    How well sums agree is measured on the other modules. What cells usually are beside each
    other is remembered from rests in which the sum agreed.

    unproven: modules whose sum was not seen to agree, or did not when it was last looked at, and
    no cell explains it: one of their cells may read wrong by what nobody can name. Empty with too
    few modules to tell.
    """

    def __init__(self) -> None:
        self.found: dict[str, Offset] = {}
        self.unproven: frozenset[str] = frozenset()
        self._proven: set[str] = set()
        self._means: dict[str, _Mean] = {}
        self._usual: dict[str, list[float]] = {}
        self._recent_v: dict[str, float] = {}
        self._began_s = self._last_s = float("-inf")

    def update(
        self,
        samples: Sequence[Sample],
        common_v: float | None,
        now_s: float,
        *,
        is_rest: bool,
        is_quiet: bool,
    ) -> None:
        """A round; is_rest: no current flows; is_quiet: no sum moves."""
        if common_v is None:
            self._means = {}
            return
        for sample in samples:
            if sample.name in self.found:
                self._watch(sample, common_v - sample.sum_v, is_rest=is_rest)
        if not is_rest or now_s - self._last_s > _LONGEST_GAP_S:
            self._means, self._began_s = {}, now_s
        self._last_s = now_s
        if is_rest and is_quiet:
            self._average(samples, now_s)
        if len(samples) >= LEAST_MODULES:
            self.unproven = frozenset(sample.name for sample in samples) - self._proven

    def _average(self, samples: Sequence[Sample], now_s: float) -> None:
        for sample in samples:
            mean = self._means.get(sample.name)
            if mean is None:
                mean = self._means[sample.name] = _Mean(len(sample.volts))
            if not sample.bled:
                mean.take(sample)
        if now_s - self._began_s >= BLOCK_S:
            means, self._means, self._began_s = self._means, {}, now_s
            most = max((mean.rounds for mean in means.values()), default=0)
            least = max(_LEAST_ROUNDS, _TOGETHER * most)
            self._judge({name: m for name, m in means.items() if m.rounds >= least})

    def _watch(self, sample: Sample, gap_v: float, *, is_rest: bool) -> None:
        """End an offset when the sum does not miss it any more, or misses something else."""
        offset = self.found[sample.name]
        recent_v = self._recent_v.get(sample.name, offset.offset_v)
        recent_v += (gap_v - recent_v) * _RECENT
        self._recent_v[sample.name] = recent_v
        part = recent_v / offset.offset_v
        left_v = sample.volts[offset.cell] + offset.offset_v - sample.median_v
        if part < _STAYS or (is_rest and part > 2.0 - _STAYS) or abs(left_v) > 3 * _USUAL_V + 0.1:
            self.forget(sample.name)

    def forget(self, name: str) -> None:
        """Believe the module's cells again."""
        self.found.pop(name, None)
        self._recent_v.pop(name, None)

    def _judge(self, means: Mapping[str, _Mean]) -> None:
        """The median of averages, not the average of medians, which an offset would bend."""
        if len(means) < LEAST_MODULES:
            return
        sums = {name: sum(mean.volts) / mean.rounds for name, mean in means.items()}
        common_v = median(sums.values())
        gaps = {name: common_v - sum_v for name, sum_v in sums.items()}
        ordered = sorted(map(abs, gaps.values()))
        scatter_v = max(1.4826 * ordered[len(ordered) // 2], _SCATTER_V)
        for name, mean in means.items():
            volts = [volt / mean.rounds for volt in mean.volts]
            away = _from_siblings(volts)
            offset = self._offset(name, away, gaps[name], scatter_v)
            self.forget(name)
            if offset is not None:
                self.found[name] = offset
            elif abs(gaps[name]) <= _USUAL_V:
                self._usual[name] = away
            self._prove(name, agrees=offset is not None or abs(gaps[name]) <= _PROVEN_V)

    def _prove(self, name: str, *, agrees: bool) -> None:
        (self._proven.add if agrees else self._proven.discard)(name)

    def _offset(
        self, name: str, away: Sequence[float], gap_v: float, scatter_v: float
    ) -> Offset | None:
        if abs(gap_v) < max(LEAST_V, 5 * scatter_v + _RELATION_V):
            return None
        usual = self._usual.get(name)
        if usual is None or len(usual) != len(away):
            known_v = max(_RELATION_V, 2.5 * 1.4826 * sorted(map(abs, away))[len(away) // 2])
            usual = [0.0] * len(away)
        else:
            known_v = _RELATION_V
        allowed_v = known_v + scatter_v
        lefts = [abs(a - u + gap_v) for a, u in zip(away, usual, strict=True)]
        near = [cell for cell, left_v in enumerate(lefts) if left_v <= 1.3 * allowed_v]
        if len(near) != 1 or lefts[near[0]] > allowed_v or abs(gap_v) < 2 * allowed_v:
            return None
        return Offset(near[0], gap_v, 3 * scatter_v + allowed_v)


def _from_siblings(volts: Sequence[float]) -> list[float]:
    """How far each cell is from the median of the module."""
    ordered = sorted(volts)
    middle_v = (ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2
    return [volt - middle_v for volt in volts]
