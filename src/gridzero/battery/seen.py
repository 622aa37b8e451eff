"""What the battery is told in one tick."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gridzero.battery.plausibility.flow import UNKNOWN_FLOW, Flow
from gridzero.domain.balancing import BalanceReason
from gridzero.domain.readings import CurrentReading, ModuleReading

_SHUNT_FRESH_S = 2.0
_SHUNT_SIGMA_A, _TOLD_SIGMA_A = 0.3, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Constant during a tick.

    running_s: since the start. shunt: None = there is none, or it never spoke. flow: what the
    converters say. told_charge_a, told_discharge_a: DC current >= 0 that the standing commands
    amount to, None = not known. converter_v: DC voltage as converters measure it, by name.
    wants_charge: there is something to charge with. balance: whether bleeding is allowed, or what
    forbids it. disobedient: modules that bleed what nobody asked for.
    """

    now_s: float
    running_s: float
    modules: tuple[ModuleReading, ...]
    shunt: CurrentReading | None = None
    flow: Flow = UNKNOWN_FLOW
    told_charge_a: float | None = None
    told_discharge_a: float | None = None
    converter_v: Mapping[str, float] = field(default_factory=dict)
    wants_charge: bool = False
    balance: bool | BalanceReason = True
    disobedient: Collection[str] = ()

    @property
    def shunt_a(self) -> float | None:
        """What the shunt measures, A, > 0 discharge; None while it has been silent for 2 s."""
        shunt = self.shunt
        if shunt is None or not self.now_s - shunt.at_s <= _SHUNT_FRESH_S:
            return None
        return shunt.current_a

    @property
    def current_a(self) -> float | None:
        """The best word on the battery current: the shunt's, else the converters'."""
        return self.flow.dc_a if self.shunt_a is None else self.shunt_a

    @property
    def current_sigma_a(self) -> float:
        """By how much ``current_a`` may be off all the time, A; it depends on the source alone."""
        return _TOLD_SIGMA_A if self.shunt_a is None else _SHUNT_SIGMA_A
