"""Every installed driver beside its twin on links in memory, known only by the ports.

Options come from the sections of ``configs/*.yaml``: a new driver is put to the test by an entry
point and one section there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from gridzero.config.loader import load
from gridzero.domain.converters import Setpoint
from gridzero.errors import DeviceError, LinkError
from gridzero.links.memory import MemoryCan, MemoryLinks
from gridzero.plugins import load_plugins
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import (
    CellMonitor,
    Charger,
    Converter,
    CurrentSensor,
    Device,
    Inverter,
    Meter,
    Role,
    Switch,
)
from gridzero.ports.links import CanFrame, MqttMessage
from gridzero.ports.plugin import DriverContext, DriverPlugin, Options
from gridzero.ports.twins import DeviceTwin
from gridzero.runtime.fault_book import FaultBook
from gridzero.sim.house import House
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Constant
from gridzero.sim.twin_bench import MemoryMedia, TwinBench

PORTS: Final[Mapping[Role, type]] = {
    Role.METER: Meter,
    Role.CELLS: CellMonitor,
    Role.SHUNT: CurrentSensor,
    Role.CHARGER: Charger,
    Role.INVERTER: Inverter,
    Role.SWITCH: Switch,
}
CONFIGS: Final = Path(__file__).parents[2] / "configs"
PLUGINS: Final = load_plugins()
VARIANTS: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "soyosource": ({"read_status": True}, {"units": 2, "read_status": True}),
    "vertiv_r48": ({"module": 5, "ac_limit_a": 10.0, "ramp_hold_s": 0.0},),
    "mqtt_meter": ({"path": "a.b", "export_path": "a.c", "time_path": "t"},),
    "http_meter": (
        {
            "profile": None,
            "request": "/a?b=1",
            "path": "a.b",
            "export_path": "a.c",
            "time_path": "t",
        },
        {"profile": "tibber_pulse", "expected_interval_s": 1.0},
        {"profile": "tibber_pulse_two_registers", "expected_interval_s": 1.0},
    ),
    "sma_meter": ({"serial": None, "expected_interval_s": 0.2},),
    "gpio_switch": ({"feed": "level", "active_low": True, "feedback_line": None},),
    "ads1115_shunt": ({"invert": True, "period_s": 1.0},),
    "vw_gte": ({"buses": {"c": {"link": "x", "modules": [1, 3]}}, "series_cells": 13},),
}
"""Changes of a driver's first example that are worth the same tests; a driver may have none."""

READING: Final = tuple(role for role in Role if role is not Role.SWITCH)
"""Roles that report something by themselves; a switch is only asked."""

LEASE_S: Final = 3.0
RESTS_BELOW_W: Final = 20.0
"""What a converter's own electronics may draw while it rests."""


@dataclass(frozen=True)
class Example:
    """One driver with one set of options. section: as it would stand in a configuration."""

    plugin: DriverPlugin
    options: Options
    section: Mapping[str, Any]
    label: str

    @property
    def id(self) -> str:
        return f"{self.plugin.name}-{self.label}"


def _in_configs() -> Iterator[Example]:
    for file in sorted(CONFIGS.glob("*.yaml")):
        loaded = load(file, PLUGINS, environ={})
        for name, options in loaded.device_options.items():
            section = dict(loaded.config.devices[name])
            yield Example(PLUGINS[section["driver"]], options, section, file.stem)


def _examples() -> list[Example]:
    found: list[Example] = []
    for example in _in_configs():
        if all(example.options != other.options for other in found):
            found.append(example)
    for name, variants in VARIANTS.items():
        first = next(example for example in found if example.plugin.name == name)
        for number, changes in enumerate(variants, start=1):
            section = {**first.section, **changes}
            options = first.plugin.options.model_validate(section)
            found.append(Example(first.plugin, options, section, f"variant{number}"))
    return found


EXAMPLES: Final = _examples()


def each(*roles: Role) -> pytest.MarkDecorator:
    """Parametrise a test over all examples of these roles, or of all."""
    chosen = [e for e in EXAMPLES if not roles or e.plugin.role in roles]
    return pytest.mark.parametrize("example", chosen, ids=[e.id for e in chosen])


class Bench:
    """One device, its twin, the links between them and a house around. Needs a running loop."""

    def __init__(self, example: Example, *, with_twin: bool = True, grid_w: float = 350.0) -> None:
        self.example = example
        self.clock = LoopClock()
        self.faults = FaultBook(self.clock)
        self.wires: tuple[tuple[str, str], ...] = example.plugin.link_names(example.options)
        kinds = {name: kind for kind, name in self.wires if kind != "mqtt"}
        self.links = MemoryLinks(kinds)
        context = DriverContext("thing", self.clock, self.links, self.faults.reporter("thing"))
        self.device: Any = example.plugin.build(example.options, context)
        self.sent: list[tuple[float, float]] = []
        if isinstance(self.device, Converter):
            self.device.on_sent(lambda at_s, power_w: self.sent.append((at_s, power_w)))
        self.house = House(Constant(grid_w), Constant(0.0), Pack(self._modules(), soc=0.5))
        self.twins: dict[str, DeviceTwin] = {}
        if with_twin:
            self.twins["thing"] = example.plugin.twin(example.options, self.house, 1)
        self._bench = TwinBench(self.house, self.twins, MemoryMedia(self.links))
        self.bugs: list[str] = []
        self.lost: list[DeviceError] = []

    def _modules(self) -> dict[str, int]:
        if isinstance(self.device, CellMonitor):
            return {module.name: len(module.cell_v) for module in self.device.modules()}
        return {"a1": 12}

    # --- time -------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        return self.clock.now_s()

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """The twins live; any exception in a callback, and any task left behind, is a failure."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: self.bugs.append(str(context)))
        before = asyncio.all_tasks()
        bench = asyncio.create_task(self._bench.run(), name="twin bench")
        try:
            yield
            assert not bench.done(), "a twin must not fail"
            left = asyncio.all_tasks() - before - {bench}
            assert not left, f"tasks left behind: {left}"
        finally:
            bench.cancel()
            await asyncio.gather(bench, return_exceptions=True)
            loop.set_exception_handler(None)
        assert self.bugs == []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run the device as the supervisor does; leaving cancels it and nothing remains."""
        task = asyncio.create_task(self._keep(), name="device")
        try:
            yield task
        finally:
            ended = task.done()
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5.0)
            assert done, "run() ends soon after it is cancelled"
            assert not ended, f"run() ended by itself: {task}"
            assert task.cancelled(), "a cancelled run() passes the cancellation on"

    async def _keep(self) -> None:
        while True:
            try:
                await self.device.run()
            except DeviceError as error:
                self.lost.append(error)
                await asyncio.sleep(2.0)
            else:
                raise AssertionError("run() returned")

    # --- the cable --------------------------------------------------------------------------

    def plug(self, plugged: bool) -> None:
        """Pull every cable of the device, or put it in again."""
        for kind, name in self.wires:
            if kind == "can":
                self.links.can_bus(name).plugged = plugged
            elif kind == "serial":
                self.links.wire(name).plugged = plugged
            elif kind == "i2c":
                self.links.i2c(name).plugged = plugged
            elif kind == "gpio":
                self.links.gpio(name).plugged = plugged
            elif kind == "http":
                self.links.http(name).plugged = plugged
            elif kind == "udp":
                self.links.udp(name).plugged = plugged
            else:
                self.links.mqtt().plugged = plugged

    # --- what is known ----------------------------------------------------------------------

    def stamps(self) -> dict[str, float]:
        """When each known value was measured; what is not known is absent."""
        return dict(_stamps(self.device))

    @property
    def talks(self) -> bool:
        """Whether silence would be a fault: false only for converters without read-back."""
        return not isinstance(self.device, Converter) or self.device.telemetry_expected()

    # --- converters -------------------------------------------------------------------------

    @property
    def twin_w(self) -> float:
        """AC power of the twin, magnitude, W."""
        return sum(abs(each.ac_w) for each in self.twins["thing"].converters)

    @property
    def medium_w(self) -> float:
        """A power that every converter of this kind can hold."""
        spec = self.device.spec
        return float(min(max(4 * spec.min_w, 0.4 * spec.max_w), 0.8 * spec.max_w))

    def command(self, power_w: float, **changes: Any) -> None:
        """One set-point as the site makes them."""
        values = {"until_s": self.now_s + LEASE_S, "max_dc_a": 50.0, "max_dc_v": 49.2, **changes}
        self.device.command(Setpoint(power_w=power_w, **values))

    async def hold(self, power_w: float, seconds: float, **changes: Any) -> None:
        """Renew a set-point four times a second."""
        ends_s = self.now_s + seconds
        while self.now_s < ends_s:
            self.command(power_w, **changes)
            await asyncio.sleep(0.25)

    async def reach(self, power_w: float, limit_s: float = 60.0) -> None:
        """Hold a power until the twin really delivers it."""
        ends_s = self.now_s + limit_s
        while abs(self.twin_w - power_w) > 0.1 * power_w + 20.0:
            assert self.now_s < ends_s, f"{self.twin_w} W instead of {power_w} W"
            await self.hold(power_w, 0.5)


def _stamps(device: Device) -> Iterator[tuple[str, float]]:
    if isinstance(device, CellMonitor):
        for module in device.modules():
            stamps = (*module.cell_at_s, module.temp_at_s)
            yield from ((f"{module.name}.{i}", s) for i, s in enumerate(stamps) if s is not None)
        return
    if isinstance(device, Switch):
        return  # its position is read when it is asked for
    newest = device.reading() if isinstance(device, Converter) else device.latest()  # type: ignore[attr-defined]  # every other role
    if newest is not None:
        yield "newest", newest.at_s


# --- noise --------------------------------------------------------------------------------------


@dataclass
class Noise:
    """Puts whatever can come out of a wire into the host's ends. tape: real traffic, to bend."""

    bench: Bench
    dice: Random = field(default_factory=lambda: Random(7))
    tape: list[Any] = field(default_factory=list)

    def record(self) -> None:
        """Remember what the twin really says."""
        for kind, name in self.bench.wires:
            if kind == "can":
                end = self.bench.links.can(name)
                for _, filters in list(end._listeners):
                    end.listen(self.tape.append, filters)
            elif kind == "serial":
                self.bench.links.wire(name).host.listen(self.tape.append)
            elif kind == "mqtt":
                self.bench.links.mqtt().subscribe("#", self.tape.append)
            elif kind == "udp":
                self.bench.links.udp(name).listen(self.tape.append)

    def make(self, count: int) -> None:
        """So many pieces on the device's wires. Raises what a receive callback raises."""
        makers = [m for wire in self.bench.wires if (m := self._maker(*wire)) is not None]
        for _ in range(count if makers else 0):
            self.dice.choice(makers)()

    def _maker(self, kind: str, name: str) -> Callable[[], None] | None:
        if kind == "can":
            end = self.bench.links.can(name)
            return lambda: end.take(self._frame(end))
        if kind == "serial":
            wire = self.bench.links.wire(name)
            return lambda: wire.host.take(self._bytes())
        if kind == "mqtt":
            return lambda: self.bench.links.mqtt().take(self._message())
        if kind == "udp":
            return lambda: self.bench.links.udp(name).take(self._bytes())
        return None

    def _frame(self, end: MemoryCan) -> CanFrame:
        if self.tape and self.dice.random() < 0.3:
            frame: CanFrame = self.dice.choice(self.tape)
            return frame._replace(data=self._bent(frame.data))
        _, filters = self.dice.choice(end._listeners)
        wanted = self.dice.choice(list(filters))
        widest = 0x1FFFFFFF if wanted.is_extended else 0x7FF
        can_id = wanted.can_id | self.dice.getrandbits(29) & ~wanted.mask & widest
        length = 8 if self.dice.random() < 0.8 else self.dice.randrange(9)
        data = self.dice.randbytes(length)
        return CanFrame(can_id, data, wanted.is_extended, self.dice.random() < 0.02)

    def _bytes(self) -> bytes:
        if self.tape and self.dice.random() < 0.5:
            return self._bent(self.dice.choice(self.tape))
        return self.dice.randbytes(self.dice.randrange(40))

    def _message(self) -> MqttMessage:
        topics = [topic for topic, _ in self.bench.links.mqtt()._subscriptions if topic != "#"]
        payload = self.dice.choice(_PAYLOADS) if self.dice.random() < 0.7 else self._bytes_of_tape()
        retained = self.dice.random() < 0.1
        return MqttMessage(self.dice.choice(topics), payload, retained, self.bench.now_s)

    def _bytes_of_tape(self) -> bytes:
        if not self.tape or self.dice.random() < 0.3:
            return self.dice.randbytes(self.dice.randrange(40))
        return self._bent(self.dice.choice(self.tape).payload)

    def _bent(self, data: bytes) -> bytes:
        bent = bytearray(data)
        for _ in range(self.dice.randrange(1, 4)):
            if bent:
                bent[self.dice.randrange(len(bent))] ^= 1 << self.dice.randrange(8)
        return bytes(
            bent[: self.dice.randrange(len(bent) + 1)] if self.dice.random() < 0.1 else bent
        )

    @asynccontextmanager
    async def when_asked(self) -> AsyncIterator[None]:
        """Meanwhile every device that is asked answers with anything, or not at all."""
        async with self.on_i2c(), self.on_http():
            yield

    @asynccontextmanager
    async def on_http(self) -> AsyncIterator[None]:
        """Meanwhile every web server answers with anything, or not at all."""
        for link in self.bench.twins["thing"].http:
            server = self.bench.links.http(link)
            server.server = _NoisyHttp(server.server, self)
        try:
            yield
        finally:
            for link in self.bench.twins["thing"].http:
                server = self.bench.links.http(link)
                assert isinstance(server.server, _NoisyHttp)
                server.server = server.server.real

    @asynccontextmanager
    async def on_i2c(self) -> AsyncIterator[None]:
        """Meanwhile every I2C device answers with anything, or not at all."""
        for link, address in self.bench.twins["thing"].i2c:
            devices = self.bench.links.i2c(link).devices
            devices[address] = _NoisyI2c(devices[address], self.dice)
        try:
            yield
        finally:
            for link, address in self.bench.twins["thing"].i2c:
                devices = self.bench.links.i2c(link).devices
                noisy = devices[address]
                assert isinstance(noisy, _NoisyI2c)
                devices[address] = noisy.real


class _NoisyHttp:
    def __init__(self, real: Any, noise: Noise) -> None:
        self.real, self._noise = real, noise

    def answer(self, target: str) -> bytes:
        luck = self._noise.dice.random()
        if luck < 0.1:
            raise OSError(target)
        if luck < 0.5:
            return self._noise.dice.choice(_PAYLOADS)
        body: bytes = self.real.answer(target)
        return self._noise._bent(body) if luck < 0.8 else body


class _NoisyI2c:
    def __init__(self, real: Any, dice: Random) -> None:
        self.real = real
        self._dice = dice

    def read_word(self, register: int) -> int:
        luck = self._dice.random()
        if luck < 0.1:
            raise LinkError("no answer", where="i2c", remedy="Check wiring")
        if luck < 0.5:
            return self._dice.getrandbits(16)
        word: int = self.real.read_word(register)
        return word ^ (1 << self._dice.randrange(16) if luck < 0.6 else 0)

    def write_word(self, register: int, value: int) -> None:
        if self._dice.random() < 0.9:
            self.real.write_word(register, value)


_PAYLOADS: Final = (
    b"",
    b"NaN",
    b"nan",
    b"-inf",
    b"1e999",
    b"1e300",
    b"unavailable",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'{"a":',
    b"\xff\xfe\x00",
    b"0x10",
    b"9" * 5000,
    b"[" * 5000,
    b'{"a": 1e999}',
    json.dumps({"a": {"b": "x", "c": None}, "t": -1}).encode(),
)


async def within(limit_s: float, waited: Any) -> float:
    """Wait for an awaitable; returns how long it took, s. Fails when it takes longer."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s + 30.0):
            await waited
    took_s = loop.time() - began_s
    assert took_s <= limit_s, f"it took {took_s:.1f} s"
    return took_s
