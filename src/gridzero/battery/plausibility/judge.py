"""Which readings are believed: the one object that the rest of gridzero asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from gridzero.battery.plausibility.case import Evidence
from gridzero.battery.plausibility.common import (
    Common,
    agreed,
    is_clean,
    missing_while_bled,
    while_bled,
)
from gridzero.battery.plausibility.explain import culprit
from gridzero.battery.plausibility.flow import UNKNOWN_FLOW, Flow
from gridzero.battery.plausibility.rounds import Rounds, Sample
from gridzero.battery.plausibility.rules import PlausibilityRules
from gridzero.battery.plausibility.shunt import ShuntCheck
from gridzero.battery.plausibility.small import SmallOffsets
from gridzero.battery.plausibility.temps import OddTemps
from gridzero.battery.plausibility.watch import ModuleWatch
from gridzero.domain.readings import CurrentReading, ModuleReading
from gridzero.domain.trust import UNTROUBLED, CellDoubt, Trust

_REST_A = 1.0
_FRESH_S = 2.0
_SURE_WITNESSES = 3
_LEAST_WITHIN_V = 0.02


class Plausibility:
    """Lets modules in parallel check each other.

    A round is judged once, when all modules have spoken; between rounds ``update`` only looks at
    the shunt. An excuse needs several quiet rounds that all say the same and ends at once.
    """

    def __init__(self, rules: PlausibilityRules | None = None) -> None:
        self._rules = rules or PlausibilityRules()
        self._rounds = Rounds(self._rules)
        self._watches: dict[str, ModuleWatch] = {}
        self._small = SmallOffsets()
        self._shunt = ShuntCheck()
        self._temps = OddTemps()
        self._suspects: dict[str, int] = {}
        self._is_quiet = False
        self._common: Common | None = None
        self._trust = UNTROUBLED

    def update(
        self,
        modules: Sequence[ModuleReading],
        shunt: CurrentReading | None,
        flow: Flow = UNKNOWN_FLOW,
        *,
        now_s: float,
    ) -> Trust:
        """What is believed at now_s. Call at every tick, before anything uses the readings."""
        self._note_suspects(modules, now_s)
        samples = self._rounds.take(modules, now_s)
        if samples:
            self._judge(samples, shunt, flow, now_s)
        has_lost = self._drop_silent(now_s)
        self._shunt.update(shunt, flow, now_s, cells_rest=self._is_quiet)
        odd_temps = self._temps.update(modules, now_s)
        if samples or has_lost:
            self._trust = self._made(odd_temps)
        elif self._is_outdated(odd_temps):
            self._trust = replace(
                self._trust,
                odd_temps=odd_temps,
                shunt_offset_a=self._shunt.offset_a,
                shunt_sign_wrong=self._shunt.sign_wrong,
                shunt_stuck=self._shunt.stuck,
            )
        return self._trust

    def forget_shunt(self) -> None:
        """Another shunt, or the same one turned round: its offset and sign are learned anew."""
        self._shunt = ShuntCheck()

    # -- judging

    def _judge(
        self,
        samples: Sequence[Sample],
        shunt: CurrentReading | None,
        flow: Flow,
        now_s: float,
    ) -> None:
        rules = self._rules
        current_a = _current_a(shunt, flow, now_s)
        each_a = rules.unknown_a if current_a is None else abs(current_a) / len(samples)
        each_a = min(each_a, rules.most_a)
        tolerance_v = rules.sum_tolerance_v + rules.joint_ohm * each_a
        self._common = common = agreed(samples, tolerance_v, rules)
        self._is_quiet = max(sample.motion_v for sample in samples) < rules.quiet_v
        if common is not None:
            for sample in samples:
                self._compare(sample, common, tolerance_v)
        elif len(samples) == 2 and not any(sample.bled for sample in samples):
            self._compare_two(samples[0], samples[1], tolerance_v)
        elif any(sample.bled for sample in samples):
            self._hold_while_bled(samples, tolerance_v)
        else:
            for sample in samples:
                self._watch(sample.name).alone(sample)
        at_rest = flow.at_rest or (current_a is not None and each_a < _REST_A)
        common_v = common.volt_v if common is not None else None
        self._small.update(samples, common_v, now_s, is_rest=at_rest, is_quiet=self._is_quiet)

    def _compare(self, sample: Sample, common: Common, tolerance_v: float) -> None:
        rules, watch = self._rules, self._watch(sample.name)
        if sample.bled and watch.case.excuse is not None:
            within_v = tolerance_v + common.motion_v
            watch.bled(sample, missing_while_bled(sample, common.volt_v, within_v, rules))
            return
        motion_v = max(sample.motion_v, common.motion_v)
        is_quiet = motion_v < rules.quiet_v
        allowed_v = tolerance_v + rules.bleed_v * sample.bled + (0.0 if is_quiet else motion_v)
        evidence = Evidence(
            gap_v=common.volt_v - sample.sum_v,
            tolerance_v=allowed_v,
            within_v=_within_v(common, tolerance_v) + motion_v,
            is_quiet=is_quiet,
            may_accuse=common.witnesses >= 2 and not sample.bled,
        )
        watch.compare(sample, evidence, common.volt_v, common.motion_v)

    def _hold_while_bled(self, samples: Sequence[Sample], tolerance_v: float) -> None:
        """So much is bled that nobody can be accused; what is known may last."""
        rules = self._rules
        common = while_bled(samples, tolerance_v, rules)
        for sample in samples:
            missing = missing_while_bled(sample, *common, rules) if common else None
            self._watch(sample.name).bled(sample, missing)

    def _compare_two(self, one: Sample, other: Sample, tolerance_v: float) -> None:
        """Two modules that disagree: only one of them may have a cell that explains it."""
        rules = self._rules
        for mine, theirs in ((one, other), (other, one)):
            gap_v = theirs.sum_v - mine.sum_v
            may_accuse = (
                is_clean(theirs, rules)
                and culprit(theirs.volts, -gap_v, tolerance_v, rules) is None
                and not self._watch(theirs.name).case.real
            )
            within_v = tolerance_v + max(mine.motion_v, theirs.motion_v)
            evidence = Evidence(gap_v, tolerance_v, within_v, self._is_quiet, may_accuse)
            self._watch(mine.name).compare_pair(mine, evidence)

    def _watch(self, name: str) -> ModuleWatch:
        watch = self._watches.get(name)
        if watch is None:
            watch = self._watches[name] = ModuleWatch(name, self._rules)
        return watch

    def _note_suspects(self, modules: Sequence[ModuleReading], now_s: float) -> None:
        """Each value that the driver held back because it jumped is a jump."""
        for module in modules:
            before = self._suspects.get(module.name, 0)
            if module.suspect == before:
                continue
            self._suspects[module.name] = module.suspect
            new = module.suspect & ~before
            for cell in range(len(module.cell_v)):
                if new >> cell & 1:
                    self._watch(module.name).moves.jumps.note(cell, now_s, matched=None)

    def _drop_silent(self, now_s: float) -> bool:
        """Modules without a new sample have no excuse any more; True when one became silent."""
        has_lost = False
        for watch in self._watches.values():
            sample = watch.sample
            if sample is not None and not now_s - sample.at_s <= self._rules.lost_s:
                watch.lost()
                self._small.forget(watch.name)
                has_lost = True
        return has_lost

    # -- saying

    def _made(self, odd_temps: Mapping[str, str]) -> Trust:
        cells: dict[str, CellDoubt] = {}
        apart: dict[str, str] = {}
        frozen: dict[str, str] = {}
        for name, watch in self._watches.items():
            if watch.is_frozen:
                frozen[name] = "stands still while the others move: hung, or not connected"
            words = watch.apart()
            if words is not None:
                apart[name] = words
            for doubt in watch.doubts(self._small.found.get(name)):
                cells[doubt.name] = doubt
        return Trust(
            cells=cells,
            apart=apart,
            frozen=frozen,
            odd_temps=odd_temps,
            unproven=self._small.unproven,
            common_v=self._common.volt_v if self._common is not None else None,
            shunt_offset_a=self._shunt.offset_a,
            shunt_sign_wrong=self._shunt.sign_wrong,
            shunt_stuck=self._shunt.stuck,
        )

    def _is_outdated(self, odd_temps: Mapping[str, str]) -> bool:
        trust, shunt = self._trust, self._shunt
        return (
            trust.odd_temps != odd_temps
            or trust.shunt_offset_a != shunt.offset_a
            or trust.shunt_sign_wrong is not shunt.sign_wrong
            or trust.shunt_stuck is not shunt.stuck
        )


def _current_a(shunt: CurrentReading | None, flow: Flow, now_s: float) -> float | None:
    """Battery current, A; the shunt knows best. None = nobody knows, or what is no number."""
    if shunt is not None and now_s - shunt.at_s <= _FRESH_S and isfinite(shunt.current_a):
        return shunt.current_a
    if flow.dc_a is not None and isfinite(flow.dc_a):
        return flow.dc_a
    return 0.0 if flow.at_rest else None


def _within_v(common: Common, tolerance_v: float) -> float:
    """How well a gap tells what is missing: as well as the others agree, if they are enough.

    4.5 times the median amount is three standard deviations.
    """
    if common.witnesses < _SURE_WITNESSES:
        return tolerance_v
    return min(tolerance_v, _LEAST_WITHIN_V + 4.5 * common.scatter_v)
