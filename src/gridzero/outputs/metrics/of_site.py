"""Metrics of the grid, of what is decided and of the converters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridzero.domain.modes import Mode
from gridzero.outputs.metrics.reading import (
    Read,
    Sample,
    at,
    by_name,
    count,
    listed,
    named,
    one,
    rows,
    text_of,
)

_SIDES = ("charger", "inverter")
_UNIT = ("converter", "kind")
_H = 3600.0


def _converters(path: str, scale: float = 1.0) -> Read:
    """A number of each charger and inverter."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        for side in _SIDES:
            for labels, value in by_name(f"{side}s", path, scale)(values):
                yield Sample((*labels, side), value)

    return read


def _converter_states(values: Mapping[str, Any]) -> Iterator[Sample]:
    for side in _SIDES:
        for name, unit in named(values, f"{side}s"):
            if isinstance(state := at(unit, "state"), str):
                yield Sample((name, side, state), 1.0)


def _alarms(values: Mapping[str, Any]) -> Iterator[Sample]:
    for side in _SIDES:
        for name, unit in named(values, f"{side}s"):
            if isinstance(found := at(unit, "alarms"), list):
                yield Sample((name, side), float(len(found)))


def _faults(values: Mapping[str, Any]) -> Iterator[Sample]:
    for fault in listed(values, "faults"):
        code, subject = at(fault, "code"), at(fault, "subject")
        if isinstance(code, str) and isinstance(subject, str):
            yield Sample((code, subject, str(at(fault, "level") or "")), 1.0)


def _latched(values: Mapping[str, Any]) -> Iterator[Sample]:
    if isinstance(faults := at(values, "faults"), list):
        yield Sample((), float(sum(at(fault, "is_latched") is True for fault in faults)))


GRID = (
    *rows(
        "state",
        ("grid_power_watts", "Power at the grid meter, above 0 import", one("grid_w")),
        ("meter_age_seconds", "Age of the meter's last reading", one("meter_age_s")),
        ("net_load_watts", "The house without gridzero's own converters", one("net_load_w")),
        ("setpoint_watts", "Commanded battery power, above 0 discharge", one("setpoint_w")),
        ("wish_watts", "Battery power before limits", one("wish_w")),
        ("target_watts", "Grid power that is to be held", one("target_w")),
        ("price_bias_watts", "By how much prices lean the target", one("value.bias_w")),
        ("mode", "1 for the mode that is set", text_of("mode", tuple(Mode)), ("mode",)),
        ("because", "1 for why the power is what it is", text_of("because"), ("because",)),
        ("charge_limit_watts", "What may be charged now", one("limits.charge_w")),
        ("discharge_limit_watts", "What may be discharged now", one("limits.discharge_w")),
        ("charge_limit_amperes", "Charge current that the battery bears", one("limits.charge_a")),
        (
            "discharge_limit_amperes",
            "Discharge current that the battery bears",
            one("limits.discharge_a"),
        ),
        ("fault", "1 for each fault that stands", _faults, ("code", "subject", "level")),
        ("faults", "Faults that stand", count("faults")),
        ("faults_latched", "Faults that wait for a person", _latched),
    ),
)

CONVERTERS = (
    *rows(
        "state",
        ("converter_power_watts", "AC power that it reports", _converters("ac_w"), _UNIT),
        ("converter_command_watts", "Its share of the set-point", _converters("command_w"), _UNIT),
        ("converter_dc_volts", "Battery voltage that it reports", _converters("dc_v"), _UNIT),
        ("converter_dc_amperes", "Battery current that it reports", _converters("dc_a"), _UNIT),
        (
            "converter_temperature_celsius",
            "Temperature that it reports",
            _converters("temp_c"),
            _UNIT,
        ),
        (
            "converter_running_seconds_total",
            "Time at work since gridzero started",
            _converters("hours", _H),
            _UNIT,
        ),
        ("converter_starts_total", "Starts since gridzero started", _converters("starts"), _UNIT),
        ("converter_silent", "1 where it should report and does not", _converters("silent"), _UNIT),
        ("converter_alarms", "Alarms that it reports", _alarms, _UNIT),
        ("converter_state", "1 for its state", _converter_states, (*_UNIT, "state")),
    ),
)
