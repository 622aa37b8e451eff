"""Entities of the main device: the grid, the battery as a whole, how well and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gridzero.domain.reasons import Because
from gridzero.domain.value import Lean, Outlook
from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.home_assistant.rows import (
    DIAGNOSTIC,
    Pace,
    Platform,
    Row,
    Source,
    energy,
    measured,
    power,
)
from gridzero.outputs.home_assistant.subsystems import BATTERY, METER
from gridzero.outputs.values import number_of

STATES: Final = ("charging", "discharging", "idle", "hold", "off", "fault")


def state_word(facts: Facts) -> str | None:
    """What the battery does, in one word."""
    setpoint_w = facts.number("state.setpoint_w")
    if setpoint_w is None:
        return None
    if setpoint_w != 0.0:
        return "discharging" if setpoint_w > 0.0 else "charging"
    if any(row.get("is_latched") or row.get("level") == "trip" for row in _faults(facts)):
        return "fault"
    mode = facts.get("state.mode")
    return str(mode) if mode in {"hold", "off"} else "idle"


def battery_w(facts: Facts) -> float | None:
    """AC power of all converters, > 0 discharge: what they report, else what they are told."""
    units = (*facts.table("state.chargers").values(), *facts.table("state.inverters").values())
    powers = [_unit_w(unit) for unit in units]
    known = [power_w for power_w in powers if power_w is not None]
    return sum(known) if known and len(known) == len(powers) else facts.number("state.setpoint_w")


def chargers_w(facts: Facts) -> float | None:
    """What all chargers take, W."""
    return _sum_w(facts, "state.chargers")


def inverters_w(facts: Facts) -> float | None:
    """What all inverters give, W."""
    return _sum_w(facts, "state.inverters")


def _sum_w(facts: Facts, group: str) -> float | None:
    known = [
        power_w for unit in facts.table(group).values() if (power_w := _unit_w(unit)) is not None
    ]
    return abs(sum(known)) if known else None


def _unit_w(unit: object) -> float | None:
    if not isinstance(unit, dict):
        return None
    reported_w = number_of(unit.get("ac_w"))
    return number_of(unit.get("command_w")) if reported_w is None else reported_w


def _faults(facts: Facts) -> list[dict[str, object]]:
    return [dict(row) for row in facts.rows("state.faults")]


def _problem(facts: Facts) -> bool | None:
    return None if facts.get("state") is None else bool(_faults(facts))


def _waits(facts: Facts) -> bool | None:
    faults = _faults(facts)
    return None if facts.get("state") is None else any(row.get("is_latched") for row in faults)


def _fault_text(facts: Facts) -> str | None:
    if facts.get("state") is None:
        return None
    texts = [str(row.get("text") or row.get("code")) for row in _faults(facts)]
    return "; ".join(texts) or "none"


def _fault_remedy(facts: Facts) -> str | None:
    remedies = [str(row.get("remedy") or "") for row in _faults(facts)]
    return None if facts.get("state") is None else next(filter(None, remedies), "nothing to do")


def _fault_count(facts: Facts) -> int | None:
    return None if facts.get("state") is None else len(_faults(facts))


def _meter_ok(facts: Facts) -> bool | None:
    if facts.get("state") is None:
        return None
    age_s = facts.number("state.meter_age_s")
    return age_s is not None and age_s <= _METER_OK_S


def _battery_ok(facts: Facts) -> bool | None:
    modules, healthy = facts.get("state.battery.modules"), facts.get("state.battery.healthy")
    return None if facts.get("state") is None else modules is not None and modules == healthy


def _units_ok(facts: Facts, group: str) -> bool | None:
    units = [unit for unit in facts.table(group).values() if isinstance(unit, dict)]
    if not units:
        return None
    return not any(unit.get("silent") or unit.get("state") == "fault" for unit in units)


def _saturated(facts: Facts) -> bool | None:
    wish_w, setpoint_w = facts.number("state.wish_w"), facts.number("state.setpoint_w")
    if wish_w is None or setpoint_w is None:
        return None
    return abs(wish_w - setpoint_w) > _SATURATED_W


def _stands(code: str, facts: Facts) -> bool | None:
    if facts.get("state") is None:
        return None
    return any(row.get("code") == code for row in _faults(facts))


def _spread_v(facts: Facts) -> float | None:
    low_v = facts.number("state.battery.min_cell_v")
    high_v = facts.number("state.battery.max_cell_v")
    return None if low_v is None or high_v is None else (high_v - low_v) * 1000.0


def _bleeding(facts: Facts) -> bool | None:
    modules = facts.table("cells")
    if not modules:
        return None
    return any(isinstance(one, dict) and bool(one.get("bleeding")) for one in modules.values())


def _maintenance(facts: Facts) -> str | None:
    rows = facts.rows("health.maintenance")
    if facts.get("health") is None:
        return None
    return "; ".join(str(row.get("what")) for row in rows) or "nothing"


_METER_OK_S: Final = 5.0
_SATURATED_W: Final = 25.0


def binary(
    key: str,
    name: str,
    source: Source,
    device_class: str = "",
    *,
    category: str = "",
    icon: str = "",
    needs: str = "",
) -> Row:
    """A yes or no, told when it changes."""
    return Row(
        key=key,
        name=name,
        source=source,
        platform=Platform.BINARY_SENSOR,
        pace=Pace.STATUS,
        device_class=device_class,
        category=category,
        icon=icon,
        needs=needs,
    )


def choice(key: str, name: str, source: Source, options: Iterable[str], icon: str = "") -> Row:
    """One of a few words, told when it changes."""
    return Row(
        key=key,
        name=name,
        source=source,
        pace=Pace.STATUS,
        device_class="enum",
        options=tuple(options),
        icon=icon,
    )


def words(
    key: str,
    name: str,
    source: Source,
    *,
    category: str = "",
    icon: str = "",
    pace: Pace = Pace.STATUS,
    needs: str = "",
) -> Row:
    """A sentence for people."""
    return Row(
        key=key, name=name, source=source, pace=pace, category=category, icon=icon, needs=needs
    )


POWERS: Final = (
    power("grid_power", "Grid power", "state.grid_w", METER, "mdi:transmission-tower"),
    power("net_load", "Net load", "state.net_load_w", METER, "mdi:home-lightning-bolt"),
    power("battery_power", "Battery power", battery_w, icon="mdi:home-battery"),
    power("charging_power", "Charging power", chargers_w, icon="mdi:battery-arrow-up"),
    power("discharging_power", "Discharging power", inverters_w, icon="mdi:battery-arrow-down"),
    power("setpoint", "Set-point", "state.setpoint_w", icon="mdi:target"),
    power("charge_limit", "Charge limit", "state.limits.charge_w", icon="mdi:arrow-collapse-up"),
    power(
        "discharge_limit",
        "Discharge limit",
        "state.limits.discharge_w",
        icon="mdi:arrow-collapse-down",
    ),
)

ENERGIES: Final = (
    energy("grid_import", "Grid import", icon="mdi:transmission-tower-export"),
    energy("grid_export", "Grid export", icon="mdi:transmission-tower-import"),
    energy("battery_charged", "Battery charged", icon="mdi:battery-plus"),
    energy("battery_discharged", "Battery discharged", icon="mdi:battery-minus"),
    energy("battery_in_dc", "Battery in DC"),
    energy("battery_out_dc", "Battery out DC"),
    energy("house", "House energy", icon="mdi:home-lightning-bolt"),
    energy("house_from_battery", "House energy from battery"),
    energy("surplus", "Surplus", icon="mdi:solar-power"),
    energy("charged_from_surplus", "Charged from surplus"),
    energy("charged_from_grid", "Charged from grid"),
    energy("avoidable_import", "Avoidable import"),
    energy("avoidable_export", "Avoidable export"),
    energy("produced", "Production", icon="mdi:solar-power-variant"),
    energy("consumed", "Consumption", icon="mdi:home"),
    *(
        measured(key, name, f"energy.today.{key}_pct", "%", 0, pace=Pace.SLOW, icon=icon)
        for key, name, icon in (
            ("autarky", "Autarky today", "mdi:home-battery-outline"),
            ("self_consumption", "Self-consumption today", "mdi:solar-power"),
            ("surplus_used", "Surplus stored today", "mdi:battery-sync"),
        )
    ),
)

STATUS: Final = (
    choice("state", "State", state_word, STATES, "mdi:state-machine"),
    choice(
        "reason", "Reason", "state.because", [each.value for each in Because], "mdi:help-rhombus"
    ),
    words("reason_text", "Why", "state.because_text", icon="mdi:comment-question"),
    choice("charge_limited_by", "Charge limited by", "state.limits.charge_because", list(Because)),
    choice(
        "discharge_limited_by",
        "Discharge limited by",
        "state.limits.discharge_because",
        list(Because),
    ),
    choice("price_lean", "Price lean", "state.value.because", list(Lean), "mdi:scale-unbalanced"),
    choice("outlook", "Outlook", "state.value.outlook", list(Outlook), "mdi:weather-partly-cloudy"),
    binary("meter_ok", "Meter", _meter_ok, "connectivity"),
    binary("battery_ok", "Battery", _battery_ok, "connectivity"),
    binary("rectifier_ok", "Rectifier", lambda f: _units_ok(f, "state.chargers"), "connectivity"),
    binary("inverter_ok", "Inverter", lambda f: _units_ok(f, "state.inverters"), "connectivity"),
    binary("problem", "Problem", _problem, "problem"),
    binary("waits", "Waits for acknowledgement", _waits, "problem"),
    binary("saturated", "Saturated", _saturated, icon="mdi:arrow-collapse-vertical"),
    binary(
        "follows_badly",
        "Inverter does not follow",
        lambda f: _stands("inverter_not_following", f),
        "problem",
        category=DIAGNOSTIC,
    ),
    binary("balancing", "Balancing", _bleeding, "running", needs=BATTERY),
    binary("heating", "Heating", "battery.thermal.heat_on", "heat", category=DIAGNOSTIC),
    binary("cooling", "Fan", "battery.thermal.fan_on", "running", category=DIAGNOSTIC),
    binary("full", "Full", "state.battery.is_full", icon="mdi:battery-check"),
    binary("empty", "Empty", "state.battery.is_empty", icon="mdi:battery-alert"),
    words("fault_text", "Faults", _fault_text, icon="mdi:alert-circle"),
    words("fault_remedy", "What to do", _fault_remedy, icon="mdi:wrench"),
    words("lowest_cell", "Lowest cell", "state.battery.min_cell", category=DIAGNOSTIC),
    words("highest_cell", "Highest cell", "state.battery.max_cell", category=DIAGNOSTIC),
)

READINGS: Final = (
    measured("soc", "State of charge", "state.battery.soc_pct", "%", 1, device_class="battery"),
    measured(
        "soc_sigma",
        "Charge uncertainty",
        "state.battery.soc_sigma_pct",
        "%",
        1,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "energy_left",
        "Energy left",
        "state.battery.out_wh",
        "kWh",
        2,
        device_class="energy_storage",
        scale=0.001,
    ),
    measured(
        "energy_room",
        "Energy until full",
        "state.battery.in_wh",
        "kWh",
        2,
        device_class="energy_storage",
        scale=0.001,
    ),
    measured("to_empty", "Time to empty", "state.battery.to_empty_h", "h", 1, pace=Pace.SLOW),
    measured("to_full", "Time to full", "state.battery.to_full_h", "h", 1, pace=Pace.SLOW),
    measured("pack_voltage", "Battery voltage", "state.battery.pack_v", "V", 2, needs=BATTERY),
    measured("pack_current", "Battery current", "state.battery.current_a", "A", 1, needs=BATTERY),
    measured(
        "lowest_cell_voltage",
        "Lowest cell voltage",
        "state.battery.min_cell_v",
        "V",
        3,
        needs=BATTERY,
    ),
    measured(
        "highest_cell_voltage",
        "Highest cell voltage",
        "state.battery.max_cell_v",
        "V",
        3,
        needs=BATTERY,
    ),
    measured(
        "cell_spread", "Cell spread", _spread_v, "mV", 0, device_class="voltage", needs=BATTERY
    ),
    measured("temp_low", "Coldest temperature", "state.battery.temp_low_c", "°C", 1, needs=BATTERY),
    measured(
        "temp_high", "Hottest temperature", "state.battery.temp_high_c", "°C", 1, needs=BATTERY
    ),
    measured(
        "charge_current_limit",
        "Charge current limit",
        "state.limits.charge_a",
        "A",
        1,
        category=DIAGNOSTIC,
    ),
    measured(
        "discharge_current_limit",
        "Discharge current limit",
        "state.limits.discharge_a",
        "A",
        1,
        category=DIAGNOSTIC,
    ),
    measured(
        "meter_age", "Meter age", "state.meter_age_s", "s", 1, category=DIAGNOSTIC, pace=Pace.SLOW
    ),
    measured(
        "residual",
        "Mean avoidable error",
        "state.score.mean_w",
        "W",
        1,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "rms",
        "Spread of the avoidable error",
        "score.hour.rms_w",
        "W",
        0,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "settle",
        "Settling time",
        "state.score.settle_s",
        "s",
        1,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "price_bias",
        "Price bias",
        "state.value.bias_w",
        "W",
        0,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "capacity",
        "Capacity",
        "state.battery.capacity_ah",
        "Ah",
        1,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "health",
        "State of health",
        "health.health_pct.value",
        "%",
        1,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "cycles", "Full cycles", "health.cycles", "cycles", 1, category=DIAGNOSTIC, pace=Pace.SLOW
    ),
    measured(
        "balance_left",
        "Balancing left",
        "battery.balancing.hours_left",
        "h",
        1,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "starts",
        "Converter starts today",
        "energy.today.starts",
        "starts",
        0,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "modules_healthy",
        "Modules complete",
        "state.battery.healthy",
        "modules",
        0,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured("fault_count", "Number of faults", _fault_count, "faults", 0, pace=Pace.STATUS),
)

WORDS: Final = (
    words("maintenance_todo", "Maintenance due", _maintenance, pace=Pace.SLOW, icon="mdi:toolbox"),
)


def money_rows(currency: str) -> tuple[Row, ...]:
    """What it brings, in whole units of the currency: it may fall, so it is no counter."""
    return (
        Row(
            key="savings",
            name="Savings",
            source="energy.savings_ct",
            pace=Pace.ENERGY,
            unit=currency,
            device_class="monetary",
            state_class="total",
            scale=0.01,
            digits=2,
            icon="mdi:piggy-bank",
        ),
        Row(
            key="savings_today",
            name="Savings today",
            source="energy.today.savings_ct",
            pace=Pace.ENERGY,
            unit=currency,
            device_class="monetary",
            state_class="total",
            scale=0.01,
            digits=2,
            icon="mdi:piggy-bank-outline",
            extra=(("last_reset_value_template", "{{ value_json.day_began }}"),),
        ),
        Row(
            key="day_began",
            name="Day began",
            source="energy.today.since",
            pace=Pace.ENERGY,
            device_class="timestamp",
            category=DIAGNOSTIC,
            is_enabled=False,
        ),
    )


MAIN_ROWS: Final = (*POWERS, *ENERGIES, *STATUS, *READINGS, *WORDS)
