"""The process's ends of all wires, that can be cut off at once as by ``kill -9``.

The wires, the broker and the devices live on. What the process had handed to the kernel before
still arrives; nothing that it says afterwards does, and it hears nothing any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gridzero.errors import LinkError
from gridzero.links.memory import (
    MemoryCan,
    MemoryCanBus,
    MemoryGpio,
    MemoryGpioLine,
    MemoryI2c,
    MemoryLinks,
    MemoryMqtt,
    MemorySerial,
    MemorySerialWire,
)
from gridzero.ports.links import Bias


class HostI2c:
    """The bus as the process sees it. stuck: a transfer begins and never ends."""

    def __init__(self, bus: MemoryI2c) -> None:
        self.name = bus.name
        self.stuck = False
        self.is_cut = False
        self._bus = bus

    async def read_word(self, address: int, register: int) -> int:
        await self._turn()
        return await self._bus.read_word(address, register)

    async def write_word(self, address: int, register: int, value: int) -> None:
        await self._turn()
        await self._bus.write_word(address, register, value)

    async def _turn(self) -> None:
        """The real bus gives a transfer up after a second and says so (links/i2c_bus.py)."""
        if self.stuck:
            await asyncio.sleep(1.0)
            raise LinkError("no answer in time", where=self.name, remedy="Free the bus")
        if self.is_cut:
            raise LinkError("the process is dead", where=self.name, remedy="None")


class HostGpio:
    """The chip as the process sees it. After its death the kernel keeps each line as it is, as that
    of Raspberry Pi OS does: only the heartbeat ends."""

    def __init__(self, chip: MemoryGpio) -> None:
        self.name, self.health = chip.name, chip.health
        self.is_cut = False
        self._chip = chip

    def output(self, line: int, *, active_low: bool) -> HostOutput:
        return HostOutput(self, self._chip.output(line, active_low=active_low))

    def input(self, line: int, *, active_low: bool, bias: Bias) -> MemoryGpioLine:
        return self._chip.input(line, active_low=active_low, bias=bias)


class HostOutput:
    """A line that the process drives as long as it lives."""

    def __init__(self, chip: HostGpio, line: MemoryGpioLine) -> None:
        self._chip, self._line = chip, line

    def drive(self, *, active: bool) -> None:
        if not self._chip.is_cut:
            self._line.drive(active=active)


class HostLinks:
    """Meets ports.links.Links for one life of the process."""

    def __init__(self, media: MemoryLinks) -> None:
        self._media = media
        self._made: dict[tuple[str, str], Any] = {}

    def can(self, name: str) -> MemoryCan:
        return self._once("can", name, lambda: self._media.can_bus(name).attach())

    def serial(self, name: str) -> MemorySerial:
        return self._once("serial", name, lambda: self._open_port(name))

    def i2c(self, name: str) -> HostI2c:
        return self._once("i2c", name, lambda: HostI2c(self._media.i2c(name)))

    def gpio(self, name: str) -> HostGpio:
        return self._once("gpio", name, lambda: HostGpio(self._media.gpio(name)))

    def mqtt(self) -> MemoryMqtt:
        return self._once("mqtt", "", self._media.broker.attach)

    def _once(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        if (kind, name) not in self._made:
            self._made[kind, name] = make()
        return self._made[kind, name]

    def _open_port(self, name: str) -> MemorySerial:
        wire = self._media.wire(name)
        end = MemorySerial(wire)
        end.far, wire.device.far, wire.host = wire.device, end, end
        return end

    def cut(self) -> None:
        for (kind, name), end in self._made.items():
            getattr(self, f"_cut_{kind}")(name, end)

    def _cut_can(self, name: str, end: MemoryCan) -> None:
        self._media.can_bus(name).ends.remove(end)
        end._bus = MemoryCanBus("nowhere")

    def _cut_serial(self, _name: str, end: MemorySerial) -> None:
        nowhere = MemorySerialWire("nowhere")
        end._wire, end.far = nowhere, nowhere.device
        end._handlers.clear()

    def _cut_i2c(self, _name: str, end: HostI2c) -> None:
        end.is_cut = True

    def _cut_gpio(self, _name: str, end: HostGpio) -> None:
        end.is_cut = True

    def _cut_mqtt(self, _name: str, end: MemoryMqtt) -> None:
        self._media.broker.clients.remove(end)
        end.plugged = False
