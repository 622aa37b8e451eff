"""Frames of battery modules in words, for a person who watches the bus; pure."""

from __future__ import annotations

from typing import Any

from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte import codec, ids
from gridzero_drivers.vw_gte.balancing import cells_text
from gridzero_drivers.vw_gte.options import VwGteOptions
from gridzero_drivers.vw_gte.status import Sensor, SensorState

_REQUESTS: dict[int, tuple[int, int]] = {
    can_id: (module, half)
    for module in range(1, ids.LARGEST_BALANCED_MODULE + 1)
    for variant in ("gte_gen1", "standard")
    for half, can_id in enumerate(ids.request_ids(module, variant))
}
"""29-bit id -> (module, half): 0 orders cells 1 to 8, 1 the others."""

_SENSOR_WORDS = {
    SensorState.OUT_OF_RANGE: "out of range",
    SensorState.NOT_AVAILABLE: "not there",
}


def explain(options: Any, seen: CanFrame | bytes) -> str:
    """A frame that a module or its master sends; "" for all others."""
    if not isinstance(seen, CanFrame) or len(seen.data) != 8 or seen.is_remote or seen.is_error:
        return ""
    if not seen.is_extended and seen.can_id == ids.POLL_ID:
        return f"asks all modules for their cells, counter {seen.data[1]}"
    if seen.is_extended and seen.can_id in _REQUESTS:
        return _order(*_REQUESTS[seen.can_id], seen.data)
    got = codec.decode(seen, _series_cells(options))
    if isinstance(got, codec.Voltages):
        return _voltages(got)
    return _status(got) if got is not None else ""


def _series_cells(options: Any) -> int:
    """Frame 3 holds a 13th cell only where modules have one; without options it may."""
    if not isinstance(options, VwGteOptions):
        return 13
    return max(member.series_cells for member in options.members())


def _voltages(got: codec.Voltages) -> str:
    first, last = min(got.cells), max(got.cells)
    cells = " ".join("unknown" if v is None else f"{v:.3f}" for v in got.cells.values())
    which = f"cell {first}" if first == last else f"cells {first}-{last}"
    return f"module {got.module} {which}: {cells} V"


def _status(got: codec.ModuleStatus) -> str:
    status, parts = got.status, []
    if status.sensors:
        parts.append("temperature " + ", ".join(map(_sensor, status.sensors)))
    if status.bleeding is not None:
        parts.append(f"bleeds {cells_text(status.bleeding)}")
    return f"module {got.module} " + "; ".join(parts)


def _sensor(sensor: Sensor) -> str:
    if sensor.temp is None:
        return _SENSOR_WORDS[sensor.state]
    low_c, high_c = sensor.temp
    return f"{low_c:g} C" if low_c == high_c else f"{low_c:g}..{high_c:g} C"


def _order(module: int, half: int, data: bytes) -> str:
    """What a master asks: a byte per cell, 2 minutes per bit (section 3.2)."""
    orders = {8 * half + place + 1: value for place, value in enumerate(data) if 0 < value < 0xFE}
    if not orders:
        rest = "first" if half == 0 else "second"
        return f"module {module} told to bleed nothing ({rest} half)"
    cells = ", ".join(map(str, orders))
    return f"module {module} told to bleed {cells} for {2 * max(orders.values())} min"
