"""Numbers of the configuration that the site itself needs."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.battery.balancing import PLANS, BalancePlan
from gridzero.battery.battery import BatteryRules
from gridzero.battery.cells.catalogue import VW_GTE
from gridzero.battery.cells.model import CellModel
from gridzero.battery.limits import Ratings
from gridzero.battery.profile import Profile
from gridzero.control.tuning import Tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """What a site is told once.

    profile, ratings: what the battery bears. cell, module_ah: what it is made of, and the nominal
    capacity of a module, Ah. plan: how it is balanced. tuning: how the grid is held.
    lease_s: how long a set-point holds that is not renewed. protect_period_s: longest time
    between two ticks. target_timeout_s: how long the target topic's last number holds.
    """

    profile: Profile
    ratings: Ratings
    tuning: Tuning
    cell: CellModel = VW_GTE
    module_ah: float = 25.0
    plan: BalancePlan = PLANS["vw_gte_12s"]
    has_heater: bool = False
    lease_s: float = 3.0
    protect_period_s: float = 0.25
    balancing: bool = True
    target_timeout_s: float = 15.0

    @property
    def battery(self) -> BatteryRules:
        """What kind of battery it is."""
        return BatteryRules(
            profile=self.profile,
            ratings=self.ratings,
            cell=self.cell,
            module_ah=self.module_ah,
            has_heater=self.has_heater,
            plan=self.plan,
        )
