"""What the estimator takes for granted, and when a battery counts as full and as empty."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.battery.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Cell voltages between which the battery is used, V, at rest.

    State of charge 0 of the battery is at empty_v, 1 at full_v.
    """

    full_v: float
    empty_v: float

    def __post_init__(self) -> None:
        """Raises ValueError when full is not above empty."""
        if not self.full_v > self.empty_v > 0.0:
            raise ValueError(f"full {self.full_v:g} V must be above empty {self.empty_v:g} V")

    @classmethod
    def of(cls, profile: Profile) -> Window:
        """As the limits of this profile have it."""
        return cls(full_v=profile.full_cell_v, empty_v=profile.empty_cell_v)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorSettings:
    """Assumptions of the filter, in physical units.

    Voltage. cell_sigma_v: one reading, with what the model's one time constant leaves out.
    ohm_sigma: how far resistance may be off, relative. model_s: for how long such errors last, so
    that many readings within it count as one. gate_sigma, gate_v: a reading further off than both
    together is left out. gate_patience_s: after so long of that, the estimate is doubted instead.

    Current. share_c_rate: how far a module's share of the pack current may be off while nothing
    is known, 1/h of its capacity. drift_c_rate: how far that drifts in an hour. unknown_c_rate:
    what may flow while nobody knows the current. capacity_sigma: how far the capacity may be off,
    relative; errors of half a cycle are taken as one.

    Rest. rest_c_rate: below it a module rests. rest_s: after so long its voltage is believed
    within rest_sigma_v; again every rest_again_s.

    Bleeding: a cell draws its voltage / bleed_ohm, and may read up to bleed_margin_v too low.

    period_s: a module is estimated at most so often. gap_s: a longer pause between calls, and
    what flowed meanwhile is unknown. mean_s: the mean current behind the times to full and empty.
    """

    cell_sigma_v: float = 0.008
    ohm_sigma: float = 0.20
    model_s: float = 60.0
    gate_sigma: float = 6.0
    gate_v: float = 0.050
    gate_patience_s: float = 60.0
    share_c_rate: float = 0.004
    drift_c_rate: float = 0.001
    unknown_c_rate: float = 0.3
    capacity_sigma: float = 0.04
    rest_c_rate: float = 0.02
    rest_s: float = 1200.0
    rest_again_s: float = 600.0
    rest_sigma_v: float = 0.006
    end_sigma_v: float = 0.010
    start_sigma_v: float = 0.020
    bleed_ohm: float = 40.0
    bleed_margin_v: float = 0.05
    default_temp_c: float = 15.0
    period_s: float = 0.45
    gap_s: float = 5.0
    mean_s: float = 600.0
