"""Which parts of gridzero have something to say now; each has an own availability topic."""

from __future__ import annotations

from typing import Final

from gridzero.outputs.home_assistant.facts import Facts

BATTERY: Final = "battery"
METER: Final = "meter"


def available(subsystem: str, facts: Facts, meter_lost_s: float) -> bool:
    """Whether the values of a subsystem are worth showing. subsystem: see device keys."""
    kind, _, name = subsystem.partition("_")
    if subsystem == BATTERY:
        return facts.number("state.battery.max_cell_v") is not None
    if subsystem == METER:
        age_s = facts.number("state.meter_age_s")
        return age_s is not None and age_s <= meter_lost_s
    if kind == "module":
        cells = facts.get(f"cells.{name}.cells_v")
        return isinstance(cells, list) and any(volts is not None for volts in cells)
    return facts.get(f"state.{kind}s.{name}.silent") is False
