"""Metrics of the battery, its modules and cells, and of how it ages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridzero.outputs.metrics.reading import (
    Read,
    Sample,
    at,
    by_name,
    by_place,
    count,
    listed,
    named,
    one,
    rows,
)

_PCT = 0.01
_H = 3600.0
_AH = 3600.0
_WH = 3600.0
_KWH = 3.6e6
_DAY = 86400.0
_MODULE = ("module",)
_CELL = ("module", "cell")
_SENSOR = ("module", "sensor")


def _cell_marks(mark: str) -> Read:
    """1 for each cell that a list of cell numbers names, 0 for the others of the module."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        for name, module in named(values, ""):
            marked = listed(module, mark)
            for cell in range(1, len(listed(module, "cells_v")) + 1):
                yield Sample((name, str(cell)), float(cell in marked))

    return read


def _urgencies(values: Mapping[str, Any]) -> Iterator[Sample]:
    if isinstance(jobs := at(values, "maintenance"), list):
        for urgency in ("now", "soon", "plan", "watch"):
            yield Sample((urgency,), float(sum(at(job, "urgency") == urgency for job in jobs)))


BATTERY = (
    *rows(
        "state",
        ("battery_volts", "Voltage of the modules", one("battery.pack_v")),
        ("battery_amperes", "Current of the shunt, above 0 discharge", one("battery.current_a")),
        ("battery_cell_min_volts", "Lowest cell", one("battery.min_cell_v")),
        ("battery_cell_max_volts", "Highest cell", one("battery.max_cell_v")),
        ("battery_temperature_min_celsius", "Coldest sensor", one("battery.temp_low_c")),
        ("battery_temperature_max_celsius", "Hottest sensor", one("battery.temp_high_c")),
        ("battery_modules", "Configured modules", one("battery.modules")),
        ("battery_modules_healthy", "Complete modules", one("battery.healthy")),
        ("battery_soc_ratio", "State of charge", one("battery.soc_pct", _PCT)),
        (
            "battery_soc_sigma_ratio",
            "Standard deviation of the state of charge",
            one("battery.soc_sigma_pct", _PCT),
        ),
        (
            "battery_capacity_coulombs",
            "Capacity as the weakest cells allow",
            one("battery.capacity_ah", _AH),
        ),
        (
            "battery_available_joules",
            "Energy that can still be taken out",
            one("battery.out_wh", _WH),
        ),
        ("battery_room_joules", "Energy that can still be put in", one("battery.in_wh", _WH)),
        (
            "battery_to_empty_seconds",
            "Time until empty at the mean current",
            one("battery.to_empty_h", _H),
        ),
        (
            "battery_to_full_seconds",
            "Time until full at the mean current",
            one("battery.to_full_h", _H),
        ),
        ("battery_full", "1 where a cell stays full", one("battery.is_full")),
        ("battery_empty", "1 where a cell stays empty", one("battery.is_empty")),
    ),
    *rows(
        "battery",
        ("battery_alarms", "What protections say now, warnings included", count("alarms")),
        (
            "battery_doubted_cells",
            "Cells whose reading is not simply believed",
            count("trust.cells"),
        ),
        (
            "shunt_offset_amperes",
            "What the shunt shows when nothing flows",
            one("trust.shunt_offset_a"),
        ),
        (
            "balancing_left_coulombs",
            "Charge to bleed until the cells are level",
            one("balancing.ah_left", _AH),
        ),
        ("balancing_left_seconds", "Time that it takes", one("balancing.hours_left", _H)),
        ("ambient_temperature_celsius", "What the modules cool towards", one("thermal.ambient_c")),
        (
            "heat_charge_ratio",
            "What heat leaves of the charge current",
            one("thermal.charge_factor"),
        ),
        (
            "heat_discharge_ratio",
            "What heat leaves of the discharge current",
            one("thermal.discharge_factor"),
        ),
        ("heater_on", "1 while it warms", one("thermal.heat_on")),
        ("fan_on", "1 while it blows", one("thermal.fan_on")),
    ),
)

CELLS = (
    *rows(
        "cells",
        ("cell_volts", "Voltage of a cell", by_place("", "cells_v"), _CELL),
        ("cell_bleeding", "1 while it is bled", _cell_marks("bleeding"), _CELL),
        (
            "cell_suspect",
            "1 where its last reading was not plausible",
            _cell_marks("suspect"),
            _CELL,
        ),
        (
            "module_temperature_low_celsius",
            "Lower bound of a sensor",
            by_place("", "temps_c", inner="low"),
            _SENSOR,
        ),
        (
            "module_temperature_high_celsius",
            "Upper bound of a sensor",
            by_place("", "temps_c", inner="high"),
            _SENSOR,
        ),
    ),
    *rows(
        "battery",
        (
            "cell_soc_ratio",
            "Charge of a cell on its own curve",
            by_place("modules", "soc_pct", _PCT),
            _CELL,
        ),
        (
            "module_amperes",
            "Estimated share of the current",
            by_name("modules", "current_a"),
            _MODULE,
        ),
        (
            "module_temperature_predicted_celsius",
            "Expected in 20 minutes",
            by_name("thermal.predicted_c", ""),
            _MODULE,
        ),
    ),
)

HEALTH = (
    *rows(
        "health",
        ("health_ratio", "Capacity as a part of nominal", one("health_pct.value", _PCT)),
        ("health_sigma_ratio", "Its standard deviation", one("health_pct.sigma", _PCT)),
        ("health_capacity_coulombs", "Capacity of the mean cells", one("capacity_ah.value", _AH)),
        ("health_resistance_ohms", "Of the battery at 25 degrees", one("ohm.value")),
        (
            "health_out_joules_total",
            "Energy that came out of the cells",
            one("out_kwh", _KWH),
        ),
        ("health_in_joules_total", "Energy that went into the cells", one("in_kwh", _KWH)),
        ("health_cycles_total", "Full cycles", one("cycles")),
        (
            "health_remaining_seconds",
            "Expected time until the end of life",
            one("remaining_days.value", _DAY),
        ),
        (
            "module_capacity_coulombs",
            "Capacity of a module",
            by_name("modules", "capacity_ah.value", _AH),
            _MODULE,
        ),
        (
            "module_usable_coulombs",
            "What its smallest cell leaves",
            by_name("modules", "usable_ah", _AH),
            _MODULE,
        ),
        (
            "module_imbalance_coulombs",
            "What level cells would win back",
            by_name("modules", "lost_to_imbalance_ah", _AH),
            _MODULE,
        ),
        (
            "module_resistance_ohms",
            "Of a module at 25 degrees",
            by_name("modules", "ohm.value"),
            _MODULE,
        ),
        ("maintenance_items", "What to look after", _urgencies, ("urgency",)),
    ),
)
