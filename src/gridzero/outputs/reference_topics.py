"""The topics of the ESP32 battery monitor that many packs of these modules began with.

For dashboards that were built on it: same names, same forms, but no broken JSON, no ``nan`` and
nothing old. What is not known is not said. docs/home-assistant.md lists them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gridzero.outputs.feed import Feed
from gridzero.outputs.values import at, number_of
from gridzero.ports.clock import Clock

_CELLS_COUNT_FOR_S: Final = 30.0
_SHED: Final = "goatshed/status"
_LEAST_STEP_W: Final = 50.0

Values = Iterator[tuple[str, str]]


class ReferenceTopics:
    """A face that repeats what gridzero says in other words. prefix: before all its topics."""

    name = "reference_topics"

    def __init__(self, feed: Feed, clock: Clock, prefix: str) -> None:
        self._feed, self._clock = feed, clock
        self._prefix = f"{prefix.strip('/')}/" if prefix else ""
        self._direction = 0
        self._demand_w: float | None = None
        feed.on("state", self._on_state)
        feed.on("cells", self._on_cells)
        feed.on_status(self._on_status)

    async def run(self) -> None:
        """See outputs.face.Face. Everything is said when it is heard."""
        while True:
            await self._clock.sleep_s(3600.0)

    def _on_status(self, is_online: bool) -> None:
        if is_online:
            self._say(_SHED, "boot")

    def _on_state(self, state: Mapping[str, Any]) -> None:
        for topic, text in battery_topics(state):
            self._say(f"battery/{topic}", text)
        balancing = self._is_balancing()
        if balancing is not None:
            self._say("battery/balancing", "1" if balancing else "0")
        self._say_direction(state)

    def _is_balancing(self) -> bool | None:
        cells = self._feed.latest("cells")
        if cells is None or self._feed.age_s("cells") > _CELLS_COUNT_FOR_S:
            return None
        return any(isinstance(one, Mapping) and bool(one.get("bleeding")) for one in cells.values())

    def _on_cells(self, cells: Mapping[str, Any]) -> None:
        self._say("battery/cells", json.dumps(cells_topic(cells), separators=(",", ":")))

    def _say_direction(self, state: Mapping[str, Any]) -> None:
        """Turns and larger steps of the commanded power, as event texts."""
        power_w = _number(state, "setpoint_w")
        if power_w is None:
            return
        direction = (power_w > 0.0) - (power_w < 0.0)
        before, self._direction = self._direction, direction
        if direction < 0 <= before:
            self._say(_SHED, "START CHARGING")
        elif before < 0 <= direction:
            self._say(_SHED, f"STOP CHARGING {_stop_word(direction, state)}".rstrip())
        if direction > 0 and abs(power_w - (self._demand_w or 0.0)) >= _LEAST_STEP_W:
            self._demand_w = power_w
            self._say(_SHED, f"Demand: {power_w:.0f}")

    def _say(self, topic: str, text: str) -> None:
        self._feed.link.publish(f"{self._prefix}{topic}", text)


def _stop_word(direction: int, state: Mapping[str, Any]) -> str:
    if direction > 0:
        return "to invert"
    is_full = at(state, "battery", "is_full") is True
    return "fully charged" if is_full else "too small"


def battery_topics(state: Mapping[str, Any]) -> Values:
    """(topic below ``battery/``, payload) of everything that is known."""
    for topic, path, digits in (
        ("amps", "battery.current_a", 2),
        ("soc", "battery.soc_pct", 0),
        ("amphour", "battery.out_ah", 2),
        ("volt", "battery.pack_v", 2),
        ("highcell", "battery.max_cell_v", 2),
        ("lowcell", "battery.min_cell_v", 2),
    ):
        value = _number(state, path)
        if value is not None:
            yield topic, f"{value:.{digits}f}"
    low_c, high_c = _number(state, "battery.temp_low_c"), _number(state, "battery.temp_high_c")
    if low_c is not None and high_c is not None:
        yield "temp", f"{(low_c + high_c) / 2.0:.2f}"
    faults = state.get("faults")
    if isinstance(faults, list):
        yield "error", "; ".join(_fault(fault) for fault in faults)[:500]


def cells_topic(cells: Mapping[str, Any]) -> dict[str, dict[str, list[float | None]]]:
    """Modules by their name in capitals, each with its cells in V; null is not known."""
    return {
        str(name).upper(): {"cells": [_rounded(volts) for volts in module["cells_v"]]}
        for name, module in cells.items()
        if isinstance(module, Mapping) and isinstance(module.get("cells_v"), list)
    }


def _fault(fault: Any) -> str:
    return str(fault.get("text") or fault.get("code")) if isinstance(fault, Mapping) else "?"


def _rounded(value: Any) -> float | None:
    number = number_of(value)
    return None if number is None else round(number, 2)


def _number(values: Mapping[str, Any], path: str) -> float | None:
    return number_of(at(values, *path.split(".")))
