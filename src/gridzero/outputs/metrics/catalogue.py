"""Every metric: name, help, and where its values stand (docs/mqtt.md names the keys).

Names follow prometheus.io/docs/practices/naming: one prefix, base units at the end, _total for
what only grows. Base units are SI: 1 kWh is 3.6e6 joules, 1 Ah is 3600 coulombs, 50 % is 0.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridzero.domain.energy import COUNTED, MONEY
from gridzero.outputs.metrics.of_battery import BATTERY, CELLS, HEALTH
from gridzero.outputs.metrics.of_site import CONVERTERS, GRID
from gridzero.outputs.metrics.reading import (
    Metric,
    Read,
    Sample,
    at,
    by_name,
    named,
    number,
    one,
    rows,
)

_WH = 3600.0
_SWITCH = {"on": True, "off": False}
_SI = {"kwh": ("joules", 3.6e6), "h": ("seconds", 3600.0)}
_WINDOWS = ("hour", "day")
_WINDOW = ("window",)


def _score(key: str, scale: float = 1.0) -> Read:
    """A figure of the last hour and of the last day."""

    def read(values: Mapping[str, Any]) -> Iterator[Sample]:
        for window in _WINDOWS:
            for _, value in one(f"{window}.{key}", scale)(values):
                yield Sample((window,), value)

    return read


def _causes(values: Mapping[str, Any]) -> Iterator[Sample]:
    for window in _WINDOWS:
        for labels, joules in by_name(f"{window}.causes_ws", "")(values):
            yield Sample((window, *labels), joules)


def _energy() -> Iterator[Metric]:
    """What is counted for good: one counter a row of domain.energy, in joules or seconds."""
    for key, text in COUNTED.items():
        name, _, unit = key.value.rpartition("_")
        as_si, scale = _SI[unit]
        shown = f"{text[0].upper()}{text[1:]}"
        yield from rows("energy", (f"{name}_{as_si}_total", shown, one(key.value, scale)))
    for amount, text in MONEY.items():
        name = amount.value.removesuffix("_ct")
        shown = f"{text[0].upper()}{text[1:]}, hundredths of the currency"
        yield from rows("energy", (f"{name}_cents", shown, one(amount.value)))


def _settings(values: Mapping[str, Any]) -> Iterator[Sample]:
    """What is a number or a switch; moments and texts are none."""
    for key, setting in named(values, "settings"):
        shown = at(setting, "value")
        value = number(_SWITCH.get(shown, shown) if isinstance(shown, str) else shown)
        if value is not None:
            yield Sample((key,), value)


SCORE = (
    *rows(
        "score",
        (
            "score_mean_error_watts",
            "Mean avoidable error while the grid was held",
            _score("mean_w"),
            _WINDOW,
        ),
        (
            "score_rms_error_watts",
            "Root mean square of the avoidable error",
            _score("rms_w"),
            _WINDOW,
        ),
        ("score_known_seconds", "Time behind the figures", _score("known_s"), _WINDOW),
        ("score_auto_ratio", "Part of it in which the grid was held", _score("auto"), _WINDOW),
        ("score_import_joules", "Avoidable import", _score("import_wh", _WH), _WINDOW),
        ("score_export_joules", "Avoidable export", _score("export_wh", _WH), _WINDOW),
        (
            "score_settle_seconds",
            "Mean time until a jump of the load is settled",
            _score("settle_s"),
            _WINDOW,
        ),
        ("score_error_joules", "All error by its cause", _causes, ("window", "cause")),
    ),
)

SETTINGS = (
    *rows(
        "settings",
        (
            "setting",
            "Settings that are numbers or switches, in the unit of their key",
            _settings,
            ("key",),
        ),
    ),
)

METRICS: tuple[Metric, ...] = (
    *GRID,
    *CONVERTERS,
    *BATTERY,
    *CELLS,
    *HEALTH,
    *SCORE,
    *_energy(),
    *SETTINGS,
)
