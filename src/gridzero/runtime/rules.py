"""Numbers of the configuration that the site itself needs."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.battery.limits import Ratings
from gridzero.battery.profile import Profile
from gridzero.control.tuning import Tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """profile, ratings: what the battery bears. tuning: how the grid is held.

    lease_s: how long a set-point holds that is not renewed. protect_period_s: longest time
    between two ticks. target_timeout_s: how long the target topic's last number holds.
    """

    profile: Profile
    ratings: Ratings
    tuning: Tuning
    lease_s: float = 3.0
    protect_period_s: float = 0.25
    balancing: bool = True
    target_timeout_s: float = 15.0
