"""What is held against one module, and whether one of its cells is excused."""

from __future__ import annotations

from typing import NamedTuple

from gridzero.battery.plausibility.explain import culprit, explains, siblings
from gridzero.battery.plausibility.rounds import Sample
from gridzero.battery.plausibility.rules import PlausibilityRules


class Excuse(NamedTuple):
    """One cell (from 0) of a module reads wrong. estimate_v: what it is, within +- within_v."""

    cell: int
    estimate_v: float
    within_v: float


class Missing(NamedTuple):
    """What a sum is short of while cells are bled: gap_v, true within +- within_v."""

    gap_v: float
    within_v: float


class Evidence(NamedTuple):
    """A module against the others. gap_v: what the sum is short of; tolerance_v: what is normal.

    within_v: how well the gap tells the missing part. is_quiet: nothing moves, so that
    the round counts. may_accuse: there are enough clean witnesses, and the module follows them.
    """

    gap_v: float
    tolerance_v: float
    within_v: float
    is_quiet: bool
    may_accuse: bool


class ModuleCase:
    """Excuses a cell after enough rounds that all say the same, and ends that at once.

    excuse: None = nobody is excused. real: cells that were odd while the sums agreed, so
    they are as they read. apart_since_s: since when the module disagrees unexplained.
    """

    def __init__(self, rules: PlausibilityRules) -> None:
        self._rules = rules
        self.excuse: Excuse | None = None
        self.real: set[int] = set()
        self.apart_since_s: float | None = None
        self.gap_v: float | None = None
        self._suspect: int | None = None
        self._since_s = 0.0
        self._rounds = 0
        self._held_v = 0.0
        self._held_s = 0.0

    def drop(self) -> None:
        """Nothing is known any more: an excuse has to be earned anew."""
        self.excuse, self._suspect, self._rounds = None, None, 0

    def forget(self) -> None:
        """Besides, the module is not compared with anybody now."""
        self.drop()
        self.apart_since_s = self.gap_v = None

    def compare(self, sample: Sample, evidence: Evidence) -> None:
        """A round in which the module could be compared with the others."""
        self.gap_v = evidence.gap_v
        if abs(evidence.gap_v) <= evidence.tolerance_v:
            self._agree(sample, evidence)
        elif evidence.is_quiet:
            self._disagree(sample, evidence)
        else:
            self._hold(sample, evidence.within_v)

    def hold_while_bled(self, sample: Sample, missing: Missing | None) -> None:
        """A round in which bleeding blurs the sums: the last gap has to explain the cell still.

        missing: what the sum is short of as far as it can be told; a gap that is still there
        keeps the excuse alive for longer than held_s, but never earns one.
        """
        self.gap_v = self.apart_since_s = None
        if missing is not None and self._is_still(missing):
            self._held_s = sample.at_s
        self._hold(sample, self._rules.sum_tolerance_v + self._rules.bleed_v)

    def _is_still(self, missing: Missing) -> bool:
        is_clear = 2 * missing.within_v < abs(self._held_v)
        return is_clear and abs(missing.gap_v - self._held_v) <= missing.within_v

    def _agree(self, sample: Sample, evidence: Evidence) -> None:
        self.drop()
        self.apart_since_s = None
        if evidence.is_quiet and evidence.may_accuse:
            self._learn_real(sample)

    def _learn_real(self, sample: Sample) -> None:
        real_v, median_v = self._rules.real_v, sample.median_v
        if median_v - sample.low_v > real_v or sample.high_v - median_v > real_v:
            self.real = {i for i, v in enumerate(sample.volts) if abs(v - median_v) > real_v}
        elif self.real:
            self.real = set()

    def _disagree(self, sample: Sample, evidence: Evidence) -> None:
        rules, gap_v, tolerance_v = self._rules, evidence.gap_v, evidence.tolerance_v
        cell = None
        if evidence.may_accuse:
            cell = culprit(sample.volts, gap_v, tolerance_v, rules, self.real)
        if cell is None or cell != self._suspect:
            self.drop()
            self._suspect, self._since_s = cell, sample.at_s
        self._note_apart(sample, is_explained=cell is not None)
        if cell is None:
            return
        self._rounds += 1
        self._held_v, self._held_s = gap_v, sample.at_s
        long_enough = sample.at_s - self._since_s >= rules.earn_s
        if self._rounds >= rules.earn_rounds and long_enough:
            self.excuse = self._excused(sample, cell, gap_v, evidence.within_v)

    def _note_apart(self, sample: Sample, *, is_explained: bool) -> None:
        if is_explained:
            self.apart_since_s = None
        elif self.apart_since_s is None:
            self.apart_since_s = sample.at_s

    def _hold(self, sample: Sample, within_v: float) -> None:
        """Sums prove nothing new for a while, but the siblings go on to speak.

        All cells of a module are measured together, so a cell that leaves them is seen at once.
        """
        if self.excuse is None:
            return
        cell, tolerance_v = self.excuse.cell, self._rules.sum_tolerance_v
        is_old = sample.at_s - self._held_s > self._rules.held_s
        if is_old or not explains(sample.volts, cell, self._held_v, tolerance_v, self._rules):
            self.drop()
            return
        like_v = siblings(sample.volts, cell, self._rules).like_v
        self.excuse = self._excused(sample, cell, self._held_v, within_v, like_v)

    def _excused(
        self, sample: Sample, cell: int, gap_v: float, within_v: float, like_v: float = 0.0
    ) -> Excuse:
        """The estimate with bounds that always hold the siblings too.

        A sensor that stands still does not move with its cell, its siblings do; and what else is
        a little wrong in the module falls on the estimate.
        """
        estimate_v = sample.volts[cell] + gap_v
        away_v = abs(estimate_v - siblings(sample.volts, cell, self._rules).median_v)
        return Excuse(cell, estimate_v, max(within_v, like_v + away_v))
