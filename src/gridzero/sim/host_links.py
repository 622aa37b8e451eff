"""The process's ends of all wires, that can be cut off at once as by ``kill -9``.

The wires, the broker and the devices live on. What the process had handed to the kernel before
still arrives; nothing that it says afterwards does, and it hears nothing any more.
"""

from __future__ import annotations

import asyncio

from gridzero.errors import LinkError
from gridzero.links.memory import (
    MemoryCan,
    MemoryGpio,
    MemoryGpioLine,
    MemoryHttp,
    MemoryI2c,
    MemoryLinks,
    MemoryMqtt,
    MemorySerial,
    MemoryUdp,
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
        """See ports.links.I2cLink."""
        await self._turn()
        return await self._bus.read_word(address, register)

    async def write_word(self, address: int, register: int, value: int) -> None:
        """See ports.links.I2cLink."""
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
    """The chip as the process sees it.

    After its death the kernel keeps each line as it is, as that of Raspberry Pi OS does: only the
    heartbeat ends.
    """

    def __init__(self, chip: MemoryGpio) -> None:
        self.name, self.health = chip.name, chip.health
        self.is_cut = False
        self._chip = chip

    def output(self, line: int, *, active_low: bool) -> HostOutput:
        """See ports.links.GpioLink."""
        return HostOutput(self, self._chip.output(line, active_low=active_low))

    def input(self, line: int, *, active_low: bool, bias: Bias) -> MemoryGpioLine:
        """See ports.links.GpioLink."""
        return self._chip.input(line, active_low=active_low, bias=bias)


class HostOutput:
    """A line that the process drives as long as it lives."""

    def __init__(self, chip: HostGpio, line: MemoryGpioLine) -> None:
        self._chip, self._line = chip, line

    def drive(self, *, active: bool) -> None:
        """See ports.links.GpioOutput."""
        if not self._chip.is_cut:
            self._line.drive(active=active)


class HostLinks:
    """Meets ports.links.Links for one life of the process."""

    def __init__(self, media: MemoryLinks) -> None:
        self._media = media
        self._can: dict[str, MemoryCan] = {}
        self._serial: dict[str, MemorySerial] = {}
        self._i2c: dict[str, HostI2c] = {}
        self._gpio: dict[str, HostGpio] = {}
        self._mqtt: MemoryMqtt | None = None

    def can(self, name: str) -> MemoryCan:
        """An end of the bus, of this life."""
        if name not in self._can:
            self._can[name] = self._media.can_bus(name).attach()
        return self._can[name]

    def serial(self, name: str) -> MemorySerial:
        """The port, opened by this life."""
        if name not in self._serial:
            self._serial[name] = self._open_port(name)
        return self._serial[name]

    def i2c(self, name: str) -> HostI2c:
        """The bus."""
        if name not in self._i2c:
            self._i2c[name] = HostI2c(self._media.i2c(name))
        return self._i2c[name]

    def gpio(self, name: str) -> HostGpio:
        """The chip."""
        if name not in self._gpio:
            self._gpio[name] = HostGpio(self._media.gpio(name))
        return self._gpio[name]

    def http(self, name: str) -> MemoryHttp:
        """The web server: a request that a dead process made changes nothing."""
        return self._media.http(name)

    def udp(self, name: str) -> MemoryUdp:
        """The port: a dead process that hears on changes nothing."""
        return self._media.udp(name)

    def mqtt(self) -> MemoryMqtt:
        """A client of the broker, of this life."""
        if self._mqtt is None:
            self._mqtt = self._media.broker.attach()
        return self._mqtt

    def _open_port(self, name: str) -> MemorySerial:
        wire = self._media.wire(name)
        end = MemorySerial(wire)
        end.far, wire.device.far, wire.host = wire.device, end, end
        return end

    def cut(self) -> None:
        """The process is dead."""
        ends: list[MemoryCan | MemorySerial] = [*self._can.values(), *self._serial.values()]
        for end in ends:
            end.leave()
        parts: list[HostI2c | HostGpio] = [*self._i2c.values(), *self._gpio.values()]
        for part in parts:
            part.is_cut = True
        if self._mqtt is not None:
            self._mqtt.leave()
