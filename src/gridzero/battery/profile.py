"""Limits of a cell chemistry as data.

``vw_gte_12s`` keeps the curves that the reference ESP32 controller (anikrooz/housebatt) meant:
charge falls from 3.86 V to a tenth at 4.06 V, discharge falls from 3.50 V to nothing at 3.20 V.
Departures, each toward the safe side: charging also falls with heat (40 to 50 degC), discharging
ends at 55 instead of 65 degC, and cold curves are lines instead of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from gridzero.battery.curve import Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Thresholds of one kind of battery. Curves give the allowed fraction of full current.

    *_v are cell volts; *_c degrees Celsius; *_s seconds.
    """

    series_cells: int
    charge_by_cell_v: Curve
    discharge_by_cell_v: Curve
    charge_by_cold_c: Curve
    discharge_by_cold_c: Curve
    charge_by_hot_c: Curve
    discharge_by_hot_c: Curve
    full_cell_v: float
    full_release_v: float
    empty_cell_v: float
    empty_release_v: float
    over_cell_v: float
    over_release_v: float
    under_cell_v: float
    under_release_v: float
    max_cell_v: float
    plausible_min_v: float
    plausible_max_v: float
    bleed_margin_v: float
    volt_fresh_s: float
    volt_dead_s: float
    temp_fresh_s: float
    temp_dead_s: float
    recovery_per_s: float


VW_GTE_12S = Profile(
    series_cells=12,
    charge_by_cell_v=Curve((3.86, 1.0), (4.06, 0.1), (4.08, 0.0)),
    discharge_by_cell_v=Curve((3.20, 0.0), (3.50, 1.0)),
    charge_by_cold_c=Curve((2.0, 0.0), (5.0, 1.0)),
    discharge_by_cold_c=Curve((2.0, 0.0), (3.0, 1.0)),
    charge_by_hot_c=Curve((40.0, 1.0), (50.0, 0.0)),
    discharge_by_hot_c=Curve((40.0, 1.0), (55.0, 0.0)),
    full_cell_v=4.06,
    full_release_v=4.00,
    empty_cell_v=3.20,
    empty_release_v=3.35,
    over_cell_v=4.20,
    over_release_v=4.10,
    under_cell_v=2.80,
    under_release_v=3.20,
    max_cell_v=4.10,
    plausible_min_v=1.5,
    plausible_max_v=4.5,
    bleed_margin_v=0.05,
    volt_fresh_s=2.0,
    volt_dead_s=5.0,
    temp_fresh_s=10.0,
    temp_dead_s=30.0,
    recovery_per_s=0.05,
)

PROFILES: dict[str, Profile] = {"vw_gte_12s": VW_GTE_12S}

OVERRIDES: frozenset[str] = frozenset(f.name for f in fields(Profile) if f.type == "float")
"""Names of the single numbers that a configuration may replace."""


def profile(name: str, overrides: dict[str, float]) -> Profile:
    """The named profile with some numbers replaced. Raises ValueError for unknown names."""
    unknown = sorted(set(overrides) - OVERRIDES)
    if name not in PROFILES or unknown:
        raise ValueError(f"unknown profile or limit: {', '.join(unknown) or name}")
    return replace(PROFILES[name], **overrides)  # type: ignore[arg-type]  # all are floats
