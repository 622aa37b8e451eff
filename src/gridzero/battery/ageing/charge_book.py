"""Ah counted since it began: of the battery, of each module, and bled from each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust

_SURE_GAP_S = 15.0
_LONGEST_GAP_S = 120.0


class Flow(NamedTuple):
    """What flowed since the call before: mean currents, A, > 0 discharge, over so many hours."""

    hours: float
    current_a: float
    module_a: Mapping[str, float]


class ChargeBook:
    """Integrates the current; knows when the count was lost.

    epoch: counts of one epoch belong together; a long silence, another set of modules or a wrong
    sign of the shunt begin a new one. unknown_ah: what may have passed in short silences.
    moved_ah: both directions added up.
    """

    def __init__(self, bleed_ohm: float) -> None:
        self._bleed_ohm = bleed_ohm
        self.epoch = 0
        self.out_ah = self.moved_ah = self.unknown_ah = 0.0
        self.module_ah: dict[str, float] = {}
        self.bled_ah: dict[str, tuple[float, ...]] = {}
        self._offset_a = 0.0
        self._last: tuple[float, float] | None = None

    def count(
        self, charge: BatteryCharge, current_a: float | None, trust: Trust, now_s: float
    ) -> Flow | None:
        """Book what flowed since the last call; None when nobody can say."""
        if trust.shunt_offset_a is not None and isfinite(trust.shunt_offset_a):
            self._offset_a = trust.shunt_offset_a
        if current_a is None or not isfinite(current_a) or _is_doubted(trust):
            return None
        last, self._last = self._last, (now_s, current_a - self._offset_a)
        if last is None or not 0.0 < now_s - last[0] <= _LONGEST_GAP_S:
            self._begin(charge)
            return None
        if self.module_ah.keys() != charge.modules.keys():
            self._begin(charge)
        return self._book(charge, last)

    def bleed(self, modules: Sequence[ModuleReading], hours: float) -> None:
        """Book what bleed resistors took; cells whose voltage is unknown count as 3.7 V."""
        for module in modules:
            if module.bleeding:
                before = self.bled_ah.get(module.name) or (0.0,) * len(module.cell_v)
                self.bled_ah[module.name] = tuple(
                    ah + (volts or 3.7) / self._bleed_ohm * hours * (module.bleeding >> i & 1)
                    for i, (ah, volts) in enumerate(zip(before, module.cell_v, strict=False))
                )

    def _begin(self, charge: BatteryCharge) -> None:
        self.epoch += 1
        self.unknown_ah = 0.0
        self.module_ah = dict.fromkeys(charge.modules, 0.0)

    def _book(self, charge: BatteryCharge, last: tuple[float, float]) -> Flow:
        assert self._last is not None
        seconds = self._last[0] - last[0]
        hours, current_a = seconds / 3600.0, (self._last[1] + last[1]) / 2.0
        shares = _shares(charge, current_a)
        for name, amps in shares.items():
            self.module_ah[name] += amps * hours
        self.out_ah += current_a * hours
        self.moved_ah += abs(current_a) * hours
        if seconds > _SURE_GAP_S:
            self.unknown_ah += 0.5 * max(abs(self._last[1]), abs(last[1])) * hours
        return Flow(hours, current_a, shares)


def _shares(charge: BatteryCharge, current_a: float) -> dict[str, float]:
    """The estimator's shares, shifted alike so that they add up to what was measured."""
    raw = {name: module.current_a for name, module in charge.modules.items()}
    if not raw:
        return {}
    if not all(map(isfinite, raw.values())):
        return dict.fromkeys(raw, current_a / len(raw))
    spare_a = (current_a - sum(raw.values())) / len(raw)
    return {name: amps + spare_a for name, amps in raw.items()}


def _is_doubted(trust: Trust) -> bool:
    return trust.shunt_sign_wrong or trust.shunt_stuck
