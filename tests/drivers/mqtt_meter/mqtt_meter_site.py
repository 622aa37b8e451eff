"""A meter on an in-memory broker, with everything it says written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from gridzero.domain.readings import MeterReading
from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import MqttMessage
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.mqtt_meter.driver import MqttMeter
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions


def options(**given: Any) -> MqttMeterOptions:
    if "sources" not in given:
        given.setdefault("topic", "m")
    return MqttMeterOptions.model_validate({"driver": "mqtt_meter", **given})


def near(value: float) -> Any:
    """pytest.approx where a float is asked for."""
    return pytest.approx(value)


@dataclass
class Reports:
    """Meets ports.plugin.Report; active holds what a person sees now."""

    said: list[tuple[str, bool, str, str]] = field(default_factory=list)
    active: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.said.append((code, active, text, subject))
        if active:
            self.active[code, subject] = text
        else:
            self.active.pop((code, subject), None)


class House:
    """Meets ports.twins.World as far as a meter looks."""

    now_s = 0.0
    grid_w = 0.0
    mains_v = 230.0
    battery_v = 48.0
    battery_a = 0.0

    def cell_v(self, module: str) -> list[float]:
        return []

    def temp_c(self, module: str) -> float:
        return 20.0

    def bleed(self, module: str, cells: int) -> None:
        return None


class Site:
    def __init__(self, **given: Any) -> None:
        self.links = MemoryLinks()
        self.reports = Reports()
        context = DriverContext("meter", LoopClock(), self.links, self.reports)
        self.options = options(**given)
        self.meter = MqttMeter(self.options, context)
        self.readings: list[MeterReading] = []
        self.meter.on_reading(self.readings.append)

    def hear(
        self, payload: str | bytes, topic: str = "m", *, at_s: float = 0.0, retained: bool = False
    ) -> None:
        """Deliver a message at a moment of the test's choice, without waiting for it."""
        raw = payload.encode() if isinstance(payload, str) else payload
        self.links.mqtt()._subscriptions[0][1](MqttMessage(topic, raw, retained, at_s))

    @property
    def powers_w(self) -> list[float]:
        return [reading.grid_w for reading in self.readings]

    @property
    def skipped(self) -> dict[str, int]:
        return self.links.mqtt().health.skipped


TOKENS = [
    *('{"power":', '{"time":', '"power"', "{", "}", "[", "]", ":", ",", '"', "\\u0000", "\\ud8"),
    *("NaN", "Infinity", "-Infinity", "1e999", "-0.0", "12", "0.5", "true", "null", "9" * 400),
    *("unavailable", " W", "kW", "-", "é", "\n", '"2026-02-03T07:15:20Z"', "1770102920123"),
]


def noise(random: Random) -> bytes:
    """Random bytes, shuffled pieces of JSON, or a good message with one byte spoilt."""
    kind = random.random()
    if kind < 0.3:
        return random.randbytes(random.randrange(80))
    if kind < 0.7:
        return "".join(random.choices(TOKENS, k=random.randrange(1, 12))).encode()
    good = bytearray(b'{"time":1770102920.5,"power":[12.5,-3,"7,5"]}')
    good[random.randrange(len(good))] = random.randrange(256)
    return bytes(good)
