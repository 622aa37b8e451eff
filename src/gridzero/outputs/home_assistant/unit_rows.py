"""Entities of each module, charger and inverter. ``{}`` in a source is the device's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from gridzero.domain.readings import ConverterState
from gridzero.domain.reasons import WhyNot
from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.home_assistant.main_rows import binary, choice, words
from gridzero.outputs.home_assistant.rows import DIAGNOSTIC, Pace, Row, measured, power
from gridzero.outputs.values import number_of

_CONVERTER: Final = (
    power("power", "Power", "{}.ac_w"),
    power("command", "Command", "{}.command_w"),
    choice("state", "State", "{}.state", list(ConverterState)),
    choice("why_not", "Rests because", "{}.why_not", list(WhyNot)),
    binary("silent", "Silent", "{}.silent", "problem", category=DIAGNOSTIC),
    measured("dc_voltage", "DC voltage", "{}.dc_v", "V", 2),
    measured("dc_current", "DC current", "{}.dc_a", "A", 2),
    measured("temperature", "Temperature", "{}.temp_c", "°C", 1),
    measured("hours", "Running time", "{}.hours", "h", 1, category=DIAGNOSTIC, pace=Pace.SLOW),
    measured("starts", "Starts", "{}.starts", "starts", 0, category=DIAGNOSTIC, pace=Pace.SLOW),
    measured(
        "dead_time",
        "Learned delay",
        "{}.learned.dead_time_s",
        "s",
        2,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
    ),
    measured(
        "gain",
        "Learned gain",
        "{}.learned.gain",
        "%",
        0,
        category=DIAGNOSTIC,
        pace=Pace.SLOW,
        scale=100.0,
    ),
)


def converter_rows(group: str, name: str) -> Iterator[Row]:
    """group: chargers or inverters."""
    path = f"state.{group}.{name}"
    for row in _CONVERTER:
        assert isinstance(row.source, str)
        yield replace(row, source=row.source.format(path))
    yield words("alarms", "Alarms", lambda facts: _alarms(facts, path), category=DIAGNOSTIC)


def _alarms(facts: Facts, path: str) -> str | None:
    alarms = facts.get(f"{path}.alarms")
    return (", ".join(map(str, alarms)) or "none") if isinstance(alarms, list) else None


def module_rows(name: str, cells: int) -> Iterator[Row]:
    """A module and its cells; single cells are there for whoever switches them on."""
    yield from _module_rows(name)
    for number in range(cells):
        yield measured(
            f"cell_{number + 1}",
            f"Cell {number + 1:02}",
            f"cells.{name}.cells_v.{number}",
            "V",
            3,
            pace=Pace.CELLS,
            category=DIAGNOSTIC,
            is_enabled=False,
        )


def _module_rows(name: str) -> Iterator[Row]:
    cells, temps = f"cells.{name}.cells_v", f"cells.{name}.temps_c"
    soc, health = f"battery.modules.{name}.soc_pct", f"health.modules.{name}"
    for key, title, pick in (("lowest", "Lowest", min), ("highest", "Highest", max)):
        yield measured(
            f"{key}_cell_voltage",
            f"{title} cell voltage",
            partial(_extreme, path=cells, pick=pick),
            "V",
            3,
            pace=Pace.CELLS,
        )
    yield measured(
        "cell_spread",
        "Cell spread",
        partial(_spread_mv, path=cells),
        "mV",
        0,
        device_class="voltage",
        pace=Pace.CELLS,
    )
    yield measured(
        "temperature", "Temperature", partial(_hottest_c, path=temps), "°C", 1, pace=Pace.SLOW
    )
    yield measured(
        "current", "Current", f"battery.modules.{name}.current_a", "A", 2, pace=Pace.SLOW
    )
    yield measured(
        "lowest_cell_charge",
        "Lowest cell charge",
        partial(_extreme, path=soc, pick=min),
        "%",
        1,
        pace=Pace.SLOW,
        device_class="battery",
    )
    yield binary("balancing", "Balancing", partial(_any, path=f"cells.{name}.bleeding"), "running")
    yield binary(
        "suspect", "Suspect reading", partial(_any, path=f"cells.{name}.suspect"), "problem"
    )
    yield measured(
        "capacity",
        "Capacity",
        f"{health}.capacity_ah.value",
        "Ah",
        1,
        pace=Pace.SLOW,
        category=DIAGNOSTIC,
    )
    yield measured(
        "resistance",
        "Resistance",
        f"{health}.ohm.value",
        "mΩ",
        1,
        pace=Pace.SLOW,
        category=DIAGNOSTIC,
        scale=1000.0,
    )
    yield measured(
        "cycles",
        "Full cycles",
        f"{health}.cycles",
        "cycles",
        1,
        pace=Pace.SLOW,
        category=DIAGNOSTIC,
    )


def _numbers(facts: Facts, path: str) -> list[float]:
    values = facts.get(path)
    known = map(number_of, values) if isinstance(values, list) else ()
    return [value for value in known if value is not None]


def _extreme(facts: Facts, path: str, pick: Callable[[list[float]], float]) -> float | None:
    numbers = _numbers(facts, path)
    return pick(numbers) if numbers else None


def _spread_mv(facts: Facts, path: str) -> float | None:
    numbers = _numbers(facts, path)
    return (max(numbers) - min(numbers)) * 1000.0 if numbers else None


def _hottest_c(facts: Facts, path: str) -> float | None:
    """The middle between the bounds of the hottest sensor."""
    bounds = [(number_of(row.get("low")), number_of(row.get("high"))) for row in facts.rows(path)]
    known = [(low + high) / 2.0 for low, high in bounds if low is not None and high is not None]
    return max(known) if known else None


def _any(facts: Facts, path: str) -> bool | None:
    values = facts.get(path)
    return bool(values) if isinstance(values, list) else None
