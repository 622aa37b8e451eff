"""The series of the history: their names, units, and the steps in which they are stored.

A fixed name is a row of FIXED. What depends on the house (converters, cells, reasons) is a pattern
of PATTERNS, with the house's own word in place of ``*``.
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple


class Kind(StrEnum):
    """MEASURE: has a mean, a lowest, a highest and a last value. SUM: adds up. WORD: a code."""

    MEASURE = "measure"
    SUM = "sum"
    WORD = "word"


class Series(NamedTuple):
    """One row. step: what is stored is a whole number of these, in the unit."""

    name: str
    unit: str
    step: float
    text: str
    kind: Kind = Kind.MEASURE


FIXED = (
    Series("grid_w", "W", 1, "power at the grid meter, above 0 buys"),
    Series("pv_w", "W", 1, "what the panels make, where it is told"),
    Series("net_load_w", "W", 1, "the house without gridzero's own converters"),
    Series("setpoint_w", "W", 1, "battery power that is commanded, above 0 discharges"),
    Series("wish_w", "W", 1, "battery power that was wanted before limits"),
    Series("target_w", "W", 1, "grid power to hold"),
    Series("bias_w", "W", 1, "by how much prices lean the target"),
    Series("charge_limit_w", "W", 10, "what might be charged"),
    Series("discharge_limit_w", "W", 10, "what might be discharged"),
    Series("meter_age_s", "s", 0.01, "age of the meter's last word"),
    Series("meter_age_p95_s", "s", 0.01, "95 of 100 looks at the meter found it younger"),
    Series("battery_v", "V", 0.01, "voltage of the battery"),
    Series("battery_a", "A", 0.1, "current of the battery, above 0 discharges"),
    Series("soc_pct", "%", 0.1, "state of charge"),
    Series("soc_sigma_pct", "%", 0.1, "standard deviation of the state of charge"),
    Series("min_cell_v", "V", 0.001, "lowest cell"),
    Series("max_cell_v", "V", 0.001, "highest cell"),
    Series("temp_low_c", "°C", 0.5, "coldest sensor"),
    Series("temp_high_c", "°C", 0.5, "hottest sensor"),
    Series("import_ct", "ct", 0.01, "price of a kWh from the grid"),
    Series("export_ct", "ct", 0.01, "what a kWh into the grid earns"),
    Series("because", "", 1, "why the set-point is what it is", Kind.WORD),
    Series("mode", "", 1, "mode that a person has set", Kind.WORD),
    Series("import_wh", "Wh", 0.001, "energy from the grid", Kind.SUM),
    Series("export_wh", "Wh", 0.001, "energy into the grid", Kind.SUM),
    Series("pv_wh", "Wh", 0.001, "energy of the panels", Kind.SUM),
    Series("charge_wh", "Wh", 0.001, "energy that was commanded into the battery", Kind.SUM),
    Series("discharge_wh", "Wh", 0.001, "energy that was commanded out of it", Kind.SUM),
)
PATTERNS = (
    Series("charger.*.command_w", "W", 1, "what a charger is told"),
    Series("charger.*.ac_w", "W", 1, "what a charger reports"),
    Series("charger.*.temp_c", "°C", 0.5, "temperature of a charger"),
    Series("inverter.*.command_w", "W", 1, "what an inverter is told"),
    Series("inverter.*.ac_w", "W", 1, "what an inverter reports"),
    Series("inverter.*.temp_c", "°C", 0.5, "temperature of an inverter"),
    Series("energy.*_kwh", "kWh", 0.001, "a counter of gridzero/energy, each five minutes"),
    Series("energy.*_ct", "ct", 0.1, "what the battery saved, the grid cost and earned"),
    Series("because.*", "s", 0.1, "how long that was the reason", Kind.SUM),
    Series("cell.*", "V", 0.001, "one cell, as cell.b3.7: cell 7 of module b3"),
    Series("temp.*", "°C", 0.5, "one sensor, as temp.b3.1: the middle of its bounds"),
)
_BY_NAME = {series.name: series for series in FIXED}
LONGEST_NAME = 64


@lru_cache(maxsize=2048)
def series_of(name: str) -> Series | None:
    """The row of a name; None: there is no such series."""
    if len(name) > LONGEST_NAME:
        return None
    if name in _BY_NAME:
        return _BY_NAME[name]
    pattern = next((row for row in PATTERNS if fnmatchcase(name, row.name)), None)
    return pattern._replace(name=name) if pattern else None


def known(name: str) -> Series:
    """The row of a name that is certainly one. Raises KeyError."""
    series = series_of(name)
    if series is None:
        raise KeyError(name)
    return series
