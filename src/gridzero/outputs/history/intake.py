"""What gridzero says over MQTT -> values of the catalogue. Pure; nothing it is given can raise.

Whatever is not a finite number of a possible size is unknown, whatever is no name is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

from gridzero.outputs.history.blocks import LARGEST
from gridzero.outputs.history.catalogue import LONGEST_NAME, Series, known
from gridzero.outputs.history.samples import Stored

MOST_UNITS = 40
MOST_MODULES = 40
MOST_CELLS = 64
LONGEST_WORD = 64
LONGEST_TEXT = 500
_NAME = re.compile(r"[\w][\w .-]{0,39}")
_SEVERITIES = frozenset({"info", "warning", "fault"})

_NUMBERS = {
    "grid_w": "grid_w",
    "pv_w": "pv_w",
    "net_load_w": "net_load_w",
    "setpoint_w": "setpoint_w",
    "wish_w": "wish_w",
    "target_w": "target_w",
    "meter_age_s": "meter_age_s",
    "value.bias_w": "bias_w",
    "value.import_ct": "import_ct",
    "value.export_ct": "export_ct",
    "limits.charge_w": "charge_limit_w",
    "limits.discharge_w": "discharge_limit_w",
    "battery.pack_v": "battery_v",
    "battery.current_a": "battery_a",
    "battery.soc_pct": "soc_pct",
    "battery.soc_sigma_pct": "soc_sigma_pct",
    "battery.min_cell_v": "min_cell_v",
    "battery.max_cell_v": "max_cell_v",
    "battery.temp_low_c": "temp_low_c",
    "battery.temp_high_c": "temp_high_c",
}
"""Keys of gridzero/state and the series that they are."""

COUNTERS = (
    *("grid_import_kwh", "grid_export_kwh", "battery_charged_kwh", "battery_discharged_kwh"),
    *("house_kwh", "house_from_battery_kwh", "produced_kwh", "consumed_kwh"),
    *("avoidable_import_kwh", "avoidable_export_kwh"),
    *("savings_ct", "import_cost_ct", "export_income_ct"),
)
"""Keys of gridzero/energy that are series, too: energy.KEY."""

_ROWS = [(*key.rpartition(".")[::2], known(name)) for key, name in _NUMBERS.items()]
_WORDS = ("because", "mode")
_UNITS = (("chargers", "charger"), ("inverters", "inverter"))
_OF_UNIT = ("command_w", "ac_w", "temp_c")


class Happening(NamedTuple):
    """A record before it is stamped."""

    kind: str
    code: str
    subject: str = ""
    severity: str = "info"
    active: bool = True
    text: str = ""
    remedy: str = ""


def state_values(state: Mapping[str, Any]) -> Stored:
    """What is known in one gridzero/state."""
    values: Stored = {}
    for section, key, series in _ROWS:
        _add(values, series.name, (_below(state, section) if section else state).get(key))
    for name in _WORDS:
        word = state.get(name)
        if isinstance(word, str) and _is_name(word):
            values[name] = word
    for section, kind in _UNITS:
        for unit, said in list(_named(_below(state, section)))[:MOST_UNITS]:
            for key in _OF_UNIT:
                _add(values, f"{kind}.{unit}.{key}", said.get(key))
    return values


def counter_values(energy: Mapping[str, Any]) -> Stored:
    """Counters in one gridzero/energy."""
    values: Stored = {}
    for key in COUNTERS:
        _add(values, f"energy.{key}", energy.get(key))
    return values


def cell_values(cells: Mapping[str, Any]) -> Stored:
    """Every cell and sensor in one gridzero/cells."""
    values: Stored = {}
    for module, said in list(_named(cells))[:MOST_MODULES]:
        for number, volts in enumerate(_list(said.get("cells_v")), 1):
            _add(values, f"cell.{module}.{number}", volts)
        for number, bounds in enumerate(_list(said.get("temps_c")), 1):
            _add(values, f"temp.{module}.{number}", _middle(bounds))
    return values


def happening(event: Mapping[str, Any]) -> Happening | None:
    """A gridzero/event; None: it says nothing."""
    code, severity = _text(event.get("code"), LONGEST_WORD), event.get("severity")
    if not code:
        return None
    return Happening(
        "event",
        code,
        _text(event.get("subject"), LONGEST_WORD),
        severity if severity in _SEVERITIES else "info",
        event.get("active") is not False,
        _text(event.get("text"), LONGEST_TEXT),
        _text(event.get("remedy"), LONGEST_TEXT),
    )


def setting_values(said: Mapping[str, Any]) -> dict[str, str]:
    """Settings of one gridzero/settings as people read them."""
    settings = _below(said, "settings")
    return {
        key: _shown(row.get("value"))
        for key, row in settings.items()
        if isinstance(row, Mapping) and _is_name(key)
    }


def setting_change(key: str, before: str, after: str) -> Happening:
    """The record of a setting that has changed."""
    text = f"{key}: {before or 'unset'} -> {after or 'unset'}"
    return Happening("setting", key, text=text[:LONGEST_TEXT])


def stored(series: Series, value: object) -> int | None:
    """A number in steps of its series; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -LARGEST < value < LARGEST or not isfinite(value):
        return None
    steps = round(value / series.step)
    return steps if -LARGEST < steps < LARGEST else None


def _add(values: Stored, name: str, value: object) -> None:
    if value is None or len(name) > LONGEST_NAME:
        return
    steps = stored(known(name), value)
    if steps is not None:
        values[name] = steps


def _middle(bounds: object) -> float | None:
    """Of what a sensor's bounds leave."""
    low, high = (_below_any(bounds).get(key) for key in ("low", "high"))
    numbers = [v for v in (low, high) if isinstance(v, int | float) and -1000 < v < 1000]
    return sum(numbers) / len(numbers) if numbers else None


def _named(section: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, said in section.items():
        if _is_name(name) and isinstance(said, Mapping):
            yield name, said


def _below(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _below_any(values.get(key))


def _below_any(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value[:MOST_CELLS] if isinstance(value, list) else []


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _text(value: object, longest: int) -> str:
    """Text that every reader takes: no half characters, no NUL."""
    if not isinstance(value, str):
        return ""
    return value[:longest].encode(errors="replace").decode().replace("\x00", "")


def _shown(value: object) -> str:
    return "" if value is None else _text(str(value), LONGEST_WORD)
