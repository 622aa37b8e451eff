"""Which battery and meter faults a snapshot shows."""

from __future__ import annotations

from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.decision import Decision
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot
from gridzero.runtime.fault_book import Key
from gridzero.runtime.rules import SiteRules

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
        "converter_suspect",
        "inverter_not_following",
        "charger_not_following",
        "meter_wrong",
    }
)

_METER = {
    "sign": "the meter shows the opposite of what the battery does: its sign is wrong",
    "frozen": "the meter repeats itself while the battery changes its power",
}


def present(
    now: Snapshot, decision: Decision, rules: SiteRules, running_s: float
) -> dict[Key, str]:
    """Faults at this moment by (code, subject) with the case in words.

    running_s: time since the start. What was never heard is missing only after the time that it
    is given to speak.
    """
    found: dict[Key, str] = {}
    if min(now.meter_age_s, running_s) >= rules.tuning.meter_lost_s:
        found["meter_lost", "meter"] = "the meter has sent no reading for too long"
    if Because.OVER_CURRENT in (decision.charge_because, decision.discharge_because):
        found["over_current", "battery"] = "the shunt shows more current than the limits allow"
    if decision.meter_verdict in _METER:
        found["meter_wrong", "meter"] = _METER[decision.meter_verdict]
    _followers(now, decision, found)
    if now.battery is not None:
        _modules(now.battery, rules.profile, running_s, found)
        _cells(now.battery, now.limits, found)
        _temperatures(now, found)
    return found


def _followers(now: Snapshot, decision: Decision, found: dict[Key, str]) -> None:
    if not (decision.suspects or decision.not_following):
        return
    chargers = {unit.name for unit in now.chargers}
    for name in decision.suspects:
        if name not in decision.not_following:
            text = f"{name} does not show a change that it was told; it is asked again"
            found["converter_suspect", name] = text
    for name, words in decision.not_following.items():
        code = "charger_not_following" if name in chargers else "inverter_not_following"
        found[code, name] = f"{name}: {words}"


def _modules(view: BatteryView, profile: Profile, running_s: float, found: dict[Key, str]) -> None:
    if running_s >= profile.volt_dead_s:
        for name in view.silent:
            found["module_silent", name] = f"module {name} sends no complete set of cells"
    if running_s >= profile.temp_fresh_s:
        for name in view.no_temp:
            found["temp_missing", name] = f"no usable temperature of module {name}"
    for name in view.implausible:
        found["cell_implausible", name] = f"cell {name} reads what cannot be"


def _cells(view: BatteryView, limits: CurrentLimits | None, found: dict[Key, str]) -> None:
    """As long as the limit itself stands: until the release voltage, not the trip voltage."""
    if limits is not None and limits.cell_over:
        found["cell_over", "battery"] = f"cell {view.max_cell} is at {_volts(view.max_cell_v)}"
    if limits is not None and limits.cell_under:
        found["cell_under", "battery"] = f"cell {view.min_cell} is at {_volts(view.min_cell_v)}"


def _volts(volts: float | None) -> str:
    return "-" if volts is None else f"{volts:.3f} V"


def _temperatures(now: Snapshot, found: dict[Key, str]) -> None:
    limits, view = now.limits, now.battery
    if limits is None or view is None:
        return
    if limits.discharge_a == 0 and limits.discharge_because is Because.TOO_HOT:
        found["too_hot", "battery"] = f"the hottest sensor may be at {view.high_c:.1f} degC"
    if limits.charge_a == 0 and limits.charge_because is Because.TOO_COLD:
        found["too_cold", "battery"] = f"the coldest sensor may be at {view.low_c:.1f} degC"
