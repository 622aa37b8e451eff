"""Which battery and meter faults a snapshot shows."""

from __future__ import annotations

from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot
from gridzero.runtime.fault_book import Key

CODES = frozenset(
    {
        "meter_lost",
        "module_silent",
        "temp_missing",
        "cell_implausible",
        "cell_over",
        "cell_under",
        "too_hot",
        "too_cold",
        "over_current",
    }
)


def present(
    now: Snapshot, profile: Profile, meter_lost_s: float, *, over_current: bool
) -> dict[Key, str]:
    """Faults at this moment by (code, subject) with the case in words."""
    found: dict[Key, str] = {}
    if now.meter_age_s >= meter_lost_s:
        age = f"for {now.meter_age_s:.0f} s" if now.meter else "since the start"
        found["meter_lost", "meter"] = f"no reading {age}"
    if over_current:
        found["over_current", "battery"] = "the shunt shows more current than the limits allow"
    if now.battery is not None:
        _modules(now.battery, found)
        _cells(now.battery, profile, found)
        _temperatures(now, found)
    return found


def _modules(view: BatteryView, found: dict[Key, str]) -> None:
    for name in view.silent:
        found["module_silent", name] = f"module {name} has sent no complete set of cells for 5 s"
    for name in view.no_temp:
        found["temp_missing", name] = f"no usable temperature of module {name}"
    for name in view.implausible:
        found["cell_implausible", name] = f"cell {name} reads what cannot be"


def _cells(view: BatteryView, profile: Profile, found: dict[Key, str]) -> None:
    if view.max_cell_v is not None and view.max_cell_v > profile.over_cell_v:
        found["cell_over", "battery"] = f"cell {view.max_cell} is at {view.max_cell_v:.3f} V"
    if view.min_cell_v is not None and view.min_cell_v < profile.under_cell_v:
        found["cell_under", "battery"] = f"cell {view.min_cell} is at {view.min_cell_v:.3f} V"


def _temperatures(now: Snapshot, found: dict[Key, str]) -> None:
    limits, view = now.limits, now.battery
    if limits is None or view is None:
        return
    if limits.discharge_a == 0 and limits.discharge_because is Because.TOO_HOT:
        found["too_hot", "battery"] = f"the hottest sensor may be at {view.high_c:.1f} degC"
    if limits.charge_a == 0 and limits.charge_because is Because.TOO_COLD:
        found["too_cold", "battery"] = f"the coldest sensor may be at {view.low_c:.1f} degC"
