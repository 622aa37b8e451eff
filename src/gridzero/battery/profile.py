"""Limits of a cell chemistry as data.

``vw_gte_12s`` keeps the curves that the reference ESP32 controller (anikrooz/housebatt) meant:
charge falls from 3.86 V to a tenth at 4.06 V, discharge falls from 3.50 V to nothing at 3.20 V.
Departures, each toward the safe side: charging also falls with heat (40 to 50 degC), discharging
ends at 55 instead of 65 degC, and cold curves are lines instead of steps. Tapers by state of
charge are chosen: they make the ends soft, and never reach 0, because the cells' voltages have the
last word on full and empty. A cell that was emptied too far is charged gently, from a tenth of the
current at the end of its data sheet (2.5 V): chosen, as chargers do that begin with a pre-charge.

``nmc`` and ``lfp`` are for batteries of unknown make: inside what data sheets of such cells allow
(NMC 2.5 to 4.2 V, LG M50; LFP 2.5 to 3.65 V, EVE LF280K). Their number of cells in series comes
from the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gridzero.battery.bounds import BOUNDS, ORDER
from gridzero.battery.curve import Curve
from gridzero.battery.protection import cell_rules, temp_rules
from gridzero.battery.protection.current_rules import CURRENT_RULES
from gridzero.battery.protection.rule import Rule
from gridzero.battery.protection.sensor_rules import SENSOR_RULES
from gridzero.battery.protection.tighten import bounds, tighten, with_cell_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Thresholds of one kind of battery. Curves give the allowed fraction of full current.

    *_v are cell volts; *_c degrees Celsius; *_s seconds; *_soc over the state of charge 0..1.
    charge_by_cell_v, discharge_by_cell_v: over the rest voltage where it is known, else over the
    measured one; full and empty are always measured. charge_by_low_cell_v: over the measured
    voltage of the lowest cell. rest_relief_v: by how much at most a rest
    voltage may differ from the measured one before it is not believed that far.
    full_charge_days: after so long without a full charge one is due.
    series_cells: 0 = the configuration says it. rules: the protections.
    """

    series_cells: int
    charge_by_cell_v: Curve
    charge_by_low_cell_v: Curve
    discharge_by_cell_v: Curve
    charge_by_cold_c: Curve
    discharge_by_cold_c: Curve
    charge_by_hot_c: Curve
    discharge_by_hot_c: Curve
    charge_by_soc: Curve
    discharge_by_soc: Curve
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
    volt_fresh_s: float = 2.0
    volt_dead_s: float = 4.4
    temp_fresh_s: float = 10.0
    temp_dead_s: float = 30.0
    recovery_per_s: float = 0.05
    rest_relief_v: float = 0.10
    full_charge_days: float = 30.0
    rules: tuple[Rule, ...] = field(repr=False)


VW_GTE_12S = Profile(
    series_cells=12,
    charge_by_cell_v=Curve((3.86, 1.0), (4.06, 0.1), (4.08, 0.0)),
    charge_by_low_cell_v=Curve((2.50, 0.1), (3.00, 1.0)),
    discharge_by_cell_v=Curve((3.20, 0.0), (3.50, 1.0)),
    charge_by_cold_c=Curve((2.0, 0.0), (5.0, 1.0)),
    discharge_by_cold_c=Curve((2.0, 0.0), (3.0, 1.0)),
    charge_by_hot_c=Curve((40.0, 1.0), (50.0, 0.0)),
    discharge_by_hot_c=Curve((40.0, 1.0), (55.0, 0.0)),
    charge_by_soc=Curve((0.92, 1.0), (1.0, 0.1)),
    discharge_by_soc=Curve((0.0, 0.1), (0.08, 1.0)),
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
    rules=(
        *cell_rules.cell_rules(cell_rules.VW_GTE),
        *temp_rules.temp_rules(temp_rules.VW_GTE),
        *CURRENT_RULES,
        *SENSOR_RULES,
    ),
)

NMC = replace(
    VW_GTE_12S,
    series_cells=0,
    charge_by_cell_v=Curve((3.95, 1.0), (4.10, 0.1), (4.12, 0.0)),
    discharge_by_cell_v=Curve((3.05, 0.0), (3.35, 1.0)),
    charge_by_hot_c=Curve((35.0, 1.0), (45.0, 0.0)),
    discharge_by_cold_c=Curve((-10.0, 0.0), (0.0, 1.0)),
    full_cell_v=4.10,
    full_release_v=4.04,
    empty_cell_v=3.05,
    empty_release_v=3.25,
    over_release_v=4.12,
    max_cell_v=4.14,
    rules=(
        *cell_rules.cell_rules(cell_rules.NMC),
        *temp_rules.temp_rules(temp_rules.GENERIC),
        *CURRENT_RULES,
        *SENSOR_RULES,
    ),
)

LFP = replace(
    NMC,
    charge_by_cell_v=Curve((3.40, 1.0), (3.54, 0.1), (3.57, 0.0)),
    charge_by_low_cell_v=Curve((2.40, 0.1), (2.80, 1.0)),
    discharge_by_cell_v=Curve((2.85, 0.0), (3.10, 1.0)),
    full_cell_v=3.55,
    full_release_v=3.40,
    empty_cell_v=2.85,
    empty_release_v=3.10,
    over_cell_v=3.65,
    over_release_v=3.45,
    under_cell_v=2.60,
    under_release_v=3.00,
    max_cell_v=3.57,
    plausible_max_v=4.2,
    rules=(
        *cell_rules.cell_rules(cell_rules.LFP),
        *temp_rules.temp_rules(temp_rules.GENERIC),
        *CURRENT_RULES,
        *SENSOR_RULES,
    ),
)

PROFILES: dict[str, Profile] = {"vw_gte_12s": VW_GTE_12S, "nmc": NMC, "lfp": LFP}

OVERRIDES: Mapping[str, tuple[float, float]] = BOUNDS["vw_gte_12s"]
"""Numbers that a configuration may replace, and between what: nothing looser than is safe."""


def overrides_of(name: str) -> dict[str, tuple[float, float]]:
    """All that may be replaced in a profile, thresholds of protections (``code.level``) included.

    Raises KeyError for unknown names.
    """
    return {**BOUNDS[name], **bounds(PROFILES[name].rules)}


def profile(name: str, overrides: Mapping[str, float], series_cells: int | None = None) -> Profile:
    """The named profile with some numbers replaced.

    series_cells: of a generic profile. Raises ValueError for unknown names, for numbers out of
    range or out of order, and when series_cells is missing or contradicts the profile.
    """
    unknown = sorted(set(overrides) - set(overrides_of(name))) if name in PROFILES else [name]
    if unknown:
        raise ValueError(f"unknown profile or limit: {', '.join(unknown)}")
    _check_ranges(name, overrides)
    numbers = {key: value for key, value in overrides.items() if "." not in key}
    cells = _series_cells(name, series_cells)
    made = replace(PROFILES[name], series_cells=cells, **numbers)  # type: ignore[arg-type]  # all are floats
    for lower, upper in ORDER:
        if not getattr(made, lower) < getattr(made, upper):
            raise ValueError(f"{lower} must be below {upper}")
    return replace(made, rules=_rules(made, overrides))


def _series_cells(name: str, wanted: int | None) -> int:
    fixed = PROFILES[name].series_cells
    if not fixed and wanted is None:
        raise ValueError(f"the profile {name} needs series_cells, the cells in series")
    if fixed and wanted not in {None, fixed}:
        raise ValueError(f"the profile {name} is for {fixed} cells in series, not {wanted}")
    return wanted or fixed


def _check_ranges(name: str, overrides: Mapping[str, float]) -> None:
    known = overrides_of(name)
    for key, value in overrides.items():
        low, high = known[key]
        if not low <= value <= high:
            raise ValueError(f"{key} {value:g} is not from {low:g} to {high:g}")


def _rules(made: Profile, overrides: Mapping[str, float]) -> tuple[Rule, ...]:
    """The protections follow the profile's hard limits, then what the owner tightens."""
    limits = {
        "cell_over": (made.over_cell_v, made.over_release_v),
        "cell_under": (made.under_cell_v, made.under_release_v),
    }
    rules = [
        with_cell_limit(rule, *limits[rule.code]) if rule.code in limits else rule
        for rule in made.rules
    ]
    return tighten(rules, {key: value for key, value in overrides.items() if "." in key})
