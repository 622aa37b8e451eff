"""All that the protections may look at in one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gridzero.battery.limits import Ratings
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import CurrentReading, ModuleReading
from gridzero.domain.trust import UNTROUBLED, Trust

_SHUNT_FRESH_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Constant during a tick.

    view: made with the same trust. limits: those of the last tick, None = none yet.
    told_charge_a, told_discharge_a: the DC current >= 0 that the standing commands amount to,
    None = not known. bleed_told: cells that modules are asked to bleed, by module name (bit i =
    cell i+1). converter_v: DC voltage as converters measure it, by converter name.
    running_s: since the start; what was never heard is missing only after its time to speak.
    """

    now_s: float
    view: BatteryView | None
    modules: tuple[ModuleReading, ...]
    ratings: Ratings
    running_s: float
    trust: Trust = UNTROUBLED
    charge: BatteryCharge | None = None
    shunt: CurrentReading | None = None
    limits: CurrentLimits | None = None
    told_charge_a: float | None = None
    told_discharge_a: float | None = None
    bleed_told: Mapping[str, int] = field(default_factory=dict)
    converter_v: Mapping[str, float] = field(default_factory=dict)

    @property
    def current_a(self) -> float | None:
        """Battery current, A, > 0 discharge; None while the shunt has said nothing for 2 s."""
        shunt = self.shunt
        if shunt is None or not self.now_s - shunt.at_s <= _SHUNT_FRESH_S:
            return None
        return shunt.current_a
