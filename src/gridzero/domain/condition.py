"""All that is known of the battery at one moment, and what it bears."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.domain.alarms import Alarm
from gridzero.domain.balancing import BalancingState
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.thermal import ThermalState
from gridzero.domain.trust import UNTROUBLED, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The battery as one thing.

    view, limits: None without a battery that is read. charge: None until it could be estimated,
    and again when nothing was estimated for a while. alarms: what protections say, the worst
    first. full_ago_s: when it was last full, None = never seen. full_charge_due: that is too long
    ago. balancing, thermal: None until they were looked at.
    """

    view: BatteryView | None = None
    limits: CurrentLimits | None = None
    trust: Trust = UNTROUBLED
    charge: BatteryCharge | None = None
    alarms: tuple[Alarm, ...] = ()
    balancing: BalancingState | None = None
    thermal: ThermalState | None = None
    full_ago_s: float | None = None
    full_charge_due: bool = False


NOTHING_KNOWN = Condition()
"""Before the first look."""
