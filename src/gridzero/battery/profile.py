"""Limits of a cell chemistry as data.

``vw_gte_12s`` keeps the curves that the reference ESP32 controller (anikrooz/housebatt) meant:
charge falls from 3.86 V to a tenth at 4.06 V, discharge falls from 3.50 V to nothing at 3.20 V.
Departures, each toward the safe side: charging also falls with heat (40 to 50 degC), discharging
ends at 55 instead of 65 degC, and cold curves are lines instead of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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

OVERRIDES: dict[str, tuple[float, float]] = {
    "full_cell_v": (3.60, 4.15),
    "full_release_v": (3.50, 4.12),
    "empty_cell_v": (3.00, 3.60),
    "empty_release_v": (3.05, 3.70),
    "over_cell_v": (3.80, 4.20),
    "over_release_v": (3.70, 4.18),
    "under_cell_v": (2.70, 3.40),
    "under_release_v": (2.80, 3.60),
    "max_cell_v": (3.60, 4.15),
    "plausible_min_v": (1.0, 2.5),
    "plausible_max_v": (4.25, 5.0),
    "bleed_margin_v": (0.0, 0.2),
    "volt_fresh_s": (0.5, 2.0),
    "volt_dead_s": (1.0, 5.0),
    "temp_fresh_s": (1.0, 10.0),
    "temp_dead_s": (5.0, 30.0),
    "recovery_per_s": (0.001, 0.2),
}
"""Numbers that a configuration may replace, and between what: nothing looser than is safe."""

_ORDER = (
    ("full_release_v", "full_cell_v"),
    ("empty_cell_v", "empty_release_v"),
    ("over_release_v", "over_cell_v"),
    ("under_cell_v", "under_release_v"),
    ("full_cell_v", "over_cell_v"),
    ("under_cell_v", "empty_cell_v"),
    ("volt_fresh_s", "volt_dead_s"),
    ("temp_fresh_s", "temp_dead_s"),
)


def profile(name: str, overrides: Mapping[str, float]) -> Profile:
    """The named profile with some numbers replaced.

    Raises ValueError for unknown names, and for numbers out of range or out of order.
    """
    unknown = sorted(set(overrides) - set(OVERRIDES))
    if name not in PROFILES or unknown:
        raise ValueError(f"unknown profile or limit: {', '.join(unknown) or name}")
    for key, value in overrides.items():
        low, high = OVERRIDES[key]
        if not low <= value <= high:
            raise ValueError(f"{key} {value:g} is not from {low:g} to {high:g}")
    made = replace(PROFILES[name], **overrides)  # type: ignore[arg-type]  # all are floats
    for lower, upper in _ORDER:
        if not getattr(made, lower) < getattr(made, upper):
            raise ValueError(f"{lower} must be below {upper}")
    return made
