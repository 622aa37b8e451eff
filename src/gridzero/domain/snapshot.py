"""All that one tick may look at."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.condition import NOTHING_KNOWN, Condition
from gridzero.domain.converters import ConverterSpec
from gridzero.domain.modes import Wanted
from gridzero.domain.readings import (
    ConverterReading,
    ConverterState,
    CurrentReading,
    MeterReading,
    ModuleReading,
)
from gridzero.domain.reasons import Because
from gridzero.domain.value import Outlook, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverterView:
    """A charger or inverter at this moment. silent: telemetry is due and too old."""

    name: str
    spec: ConverterSpec
    state: ConverterState
    reading: ConverterReading | None
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Constant during a tick.

    shunt_expected: a shunt is configured, so its silence refuses power.
    blocked: a reason that refuses all power whatever the readings say.
    prices: None = not known. outlook: where the state of charge is heading.
    full_charge: a person asked for one, and it goes on.
    target_until_s: how long the target topic's charge power holds. condition: all else that is
    known of the battery. pv_w: what the panels make, W >= 0; None = not told.
    """

    now_s: float
    meter: MeterReading | None
    battery: BatteryView | None
    modules: tuple[ModuleReading, ...]
    limits: CurrentLimits | None
    shunt: CurrentReading | None
    shunt_expected: bool
    chargers: tuple[ConverterView, ...]
    inverters: tuple[ConverterView, ...]
    wanted: Wanted
    target_charge_w: float = 0.0
    target_until_s: float | None = None
    blocked: Because | None = None
    prices: Prices | None = None
    outlook: Outlook = Outlook.UNKNOWN
    full_charge: bool = False
    condition: Condition = NOTHING_KNOWN
    pv_w: float | None = None

    @property
    def meter_age_s(self) -> float:
        """Age of the newest meter reading by its arrival; inf before the first."""
        return self.now_s - self.meter.received_at_s if self.meter else float("inf")

    @property
    def shunt_age_s(self) -> float:
        """Age of the newest current reading; inf before the first, 0 without a shunt."""
        if not self.shunt_expected:
            return 0.0
        return self.now_s - self.shunt.at_s if self.shunt else float("inf")
