"""All that is remembered of one module, and the doubts that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gridzero.battery.plausibility.case import Evidence, Excuse, Missing, ModuleCase
from gridzero.battery.plausibility.common import is_clean
from gridzero.battery.plausibility.explain import siblings
from gridzero.battery.plausibility.follow import Follow
from gridzero.battery.plausibility.moves import CellMoves
from gridzero.battery.plausibility.rounds import Sample
from gridzero.battery.plausibility.rules import PlausibilityRules
from gridzero.battery.plausibility.small import Offset
from gridzero.battery.plausibility.standing import Standing
from gridzero.battery.plausibility.swapped import by_pattern
from gridzero.domain.trust import Blame, CellDoubt, Oddity


class ModuleWatch:
    """One module from round to round. sample: its newest one. is_frozen: it stands still."""

    def __init__(self, name: str, rules: PlausibilityRules) -> None:
        self._rules = rules
        self.name = name
        self.case = ModuleCase(rules)
        self.follow = Follow(rules.moved_v)
        self.moves = CellMoves()
        self._standing = Standing()
        self.sample: Sample | None = None
        self.is_frozen = False
        self._evidence: Evidence | None = None

    def compare(self, sample: Sample, evidence: Evidence, common_v: float, motion_v: float) -> None:
        """A round in which enough others say what the sum should be."""
        self.is_frozen = self._standing.update(sample, common_v)
        self.follow.update(sample, common_v, motion_v)
        if self.is_frozen or self.follow.proven is False:
            evidence = evidence._replace(may_accuse=False)
        self.case.compare(sample, evidence)
        self._take(sample, evidence)

    def compare_pair(self, sample: Sample, evidence: Evidence) -> None:
        """A round in which only one other module speaks, so nobody knows who moves."""
        self.is_frozen = self._standing.update(sample, None)
        self.case.compare(sample, evidence)
        self._take(sample, evidence)

    def bled(self, sample: Sample, missing: Missing | None) -> None:
        """A round in which bleeding blurs the sums."""
        self.is_frozen = self._standing.update(sample, None)
        self.case.hold_while_bled(sample, missing)
        self._take(sample, None)

    def alone(self, sample: Sample) -> None:
        """A round in which the sum could not be compared."""
        self.is_frozen = self._standing.update(sample, None)
        self.case.forget()
        self._take(sample, None)

    def lost(self) -> None:
        """The module has not spoken for too long."""
        self.case.forget()
        self.sample = self._evidence = None
        self.is_frozen = False

    def _take(self, sample: Sample, evidence: Evidence | None) -> None:
        self.sample, self._evidence = sample, evidence
        self.moves.update(sample, self.case.gap_v)

    # -- what follows

    def apart(self) -> str | None:
        """Why the whole module disagrees, in words; None when it does not."""
        since_s, gap_v = self.case.apart_since_s, self.case.gap_v
        if since_s is None or gap_v is None or self.sample is None:
            return None
        if self.sample.at_s - since_s < self._rules.apart_s:
            return None
        if self.follow.proven is False:
            return f"{-gap_v:+.2f} V from the others and does not follow them: not connected?"
        if abs(gap_v) < self._rules.apart_v:
            return None
        return f"{-gap_v:+.2f} V from the others, and no single cell explains it"

    def doubts(self, offset: Offset | None) -> Iterator[CellDoubt]:
        """One for each cell that is not simply believed; offset: a small one that is known."""
        sample = self.sample
        if sample is None:
            return
        named: set[int] = set()
        for doubt in self._all_doubts(sample, offset):
            if doubt.cell not in named:
                named.add(doubt.cell)
                yield doubt

    def _all_doubts(self, sample: Sample, offset: Offset | None) -> Iterator[CellDoubt]:
        """In the order in which they count."""
        moves = self.moves
        excuse = self.case.excuse
        if excuse is not None:
            yield self._excused(sample, excuse)
        swapped = by_pattern(sample) or moves.against()
        if swapped:
            yield from self._swapped(sample, swapped)
        for cell, is_sensor in moves.jumps.flapping(sample.at_s).items():
            words = "jumps back and forth"
            yield self._moving(sample, cell, Oddity.JUMPING, words, may_excuse=is_sensor)
        for cell in moves.stuck:
            words = "stands still while its siblings move"
            yield self._moving(sample, cell, Oddity.STUCK, words, may_excuse=True)
        if not is_clean(sample, self._rules):
            yield from self._odd(sample)
        if offset is not None and excuse is None:
            yield self._offset(sample, offset)

    def _excused(self, sample: Sample, excuse: Excuse) -> CellDoubt:
        reading_v = sample.volts[excuse.cell]
        unproven = "" if self.follow.proven else "; not yet proven by a change of load"
        return self._doubt(
            excuse.cell,
            Oddity.STUCK if excuse.cell in self.moves.stuck else Oddity.OFFSET,
            Blame.SENSOR,
            reading_v,
            f"reads {reading_v:.3f} V, but the sum of the module says {excuse.estimate_v:.2f} V"
            + unproven,
            excuse,
        )

    def _offset(self, sample: Sample, offset: Offset) -> CellDoubt:
        reading_v = sample.volts[offset.cell]
        estimate = Excuse(offset.cell, reading_v + offset.offset_v, offset.within_v)
        text = f"reads {-1000 * offset.offset_v:+.0f} mV wrong, as the sum of the module says"
        return self._doubt(offset.cell, Oddity.OFFSET, Blame.SENSOR, reading_v, text, estimate)

    def _swapped(self, sample: Sample, cells: Iterable[int]) -> Iterator[CellDoubt]:
        names = " and ".join(str(cell + 1) for cell in cells)
        for cell in cells:
            text = f"cells {names} read as if sense wires were exchanged or one was open"
            yield self._doubt(cell, Oddity.SWAPPED, Blame.UNDECIDED, sample.volts[cell], text, None)

    def _odd(self, sample: Sample) -> Iterator[CellDoubt]:
        """Cells far from their siblings that nobody excuses."""
        evidence = self._evidence
        agrees = evidence is not None and abs(evidence.gap_v) <= evidence.tolerance_v
        blame = Blame.CELL if agrees else Blame.UNDECIDED
        for cell, volt_v in enumerate(sample.volts):
            away_v = volt_v - sample.median_v
            if abs(away_v) >= self._rules.odd_cell_v:
                words = "and the sum agrees: it is so" if agrees else "and nobody knows why"
                text = f"reads {volt_v:.3f} V, {away_v:+.2f} V from its siblings, {words}"
                yield self._doubt(cell, Oddity.OFFSET, blame, volt_v, text, None)

    def _moving(
        self, sample: Sample, cell: int, oddity: Oddity, words: str, *, may_excuse: bool
    ) -> CellDoubt:
        """A cell that moves as no cell does: excused only if sum and siblings say what it is.

        What the sum says is told in any case: a reading that stands still may hide a low cell.
        """
        volt_v, estimate = sample.volts[cell], self._by_sum(sample, cell)
        is_sensor = may_excuse and estimate is not None and self._fits(sample, estimate)
        blame = Blame.SENSOR if is_sensor else Blame.UNDECIDED
        return self._doubt(cell, oddity, blame, volt_v, f"reads {volt_v:.3f} V, {words}", estimate)

    def _by_sum(self, sample: Sample, cell: int) -> Excuse | None:
        evidence = self._evidence
        if evidence is None:
            return None
        return Excuse(cell, sample.volts[cell] + evidence.gap_v, evidence.within_v)

    def _fits(self, sample: Sample, estimate: Excuse) -> bool:
        """Whether the estimate is like its siblings, and none of them is odd."""
        if self._evidence is None or not self._evidence.may_accuse:
            return False
        others = siblings(sample.volts, estimate.cell, self._rules)
        is_like = abs(estimate.estimate_v - others.median_v) <= others.like_v + estimate.within_v
        return is_like and all(
            abs(volt_v - others.median_v) <= self._rules.rival_v
            for i, volt_v in enumerate(sample.volts)
            if i != estimate.cell
        )

    def _doubt(
        self,
        cell: int,
        oddity: Oddity,
        blame: Blame,
        reading_v: float,
        text: str,
        estimate: Excuse | None,
    ) -> CellDoubt:
        return CellDoubt(
            module=self.name,
            cell=cell + 1,
            oddity=oddity,
            blame=blame,
            reading_v=reading_v,
            estimate_v=estimate.estimate_v if estimate else None,
            within_v=estimate.within_v if estimate else 0.0,
            text=text,
        )
