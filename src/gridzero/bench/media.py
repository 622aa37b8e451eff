"""The devices' ends of the links of a service that runs in another process."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gridzero.errors import LinkError
from gridzero.links.memory import MemoryGpio, MemoryHttp, MemoryI2c, MemoryUdp
from gridzero.links.mqtt_client import RealMqtt
from gridzero.ports.links import CanFilter, CanFrame, LinkHealth, MqttLink, MqttMessage
from gridzero.sim.house import House
from gridzero.sim.twin_bench import PtyDevice

_FRAME = struct.Struct("=IB3x8s")  # struct can_frame of linux/can.h
_EXTENDED = 1 << 31
_ID = (1 << 29) - 1
_AMPS_PER_BIT = 0.256 / 32768 / 0.075 * 100  # full scale; shunt of 100 A and 75 mV
_SHUNT_S = 0.1


class BusEnd:
    """The twins' end of a CAN bus; ``descriptor`` is the service's. Meets ports.links.CanLink.

    Needs a running loop.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = LinkHealth(state="up", why="")
        self._handlers: list[Callable[[CanFrame], None]] = []
        self._near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._near.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._near, self._readable)

    @property
    def descriptor(self) -> int:
        """What the service inherits."""
        return self._far.fileno()

    def send(self, frame: CanFrame) -> None:
        """Put a frame on the bus. Raises LinkError when the service does not read."""
        can_id = frame.can_id | (_EXTENDED if frame.is_extended else 0)
        try:
            self._near.send(_FRAME.pack(can_id, len(frame.data), frame.data))
        except OSError as error:
            raise LinkError(str(error), where=self.name, remedy="See the service's log") from error

    def listen(self, handler: Callable[[CanFrame], None], filters: Sequence[CanFilter]) -> None:
        """Call handler for every frame of the service; filters are not looked at."""
        del filters
        self._handlers.append(handler)

    def close(self) -> None:
        """Close both ends."""
        self._loop.remove_reader(self._near)
        self._near.close()
        self._far.close()

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._take(self._near.recv(_FRAME.size))

    def _take(self, raw: bytes) -> None:
        can_id, length, data = _FRAME.unpack(raw)
        frame = CanFrame(can_id & _ID, data[:length], is_extended=bool(can_id & _EXTENDED))
        for handler in self._handlers:
            handler(frame)


class MeterLine:
    """A broker connection whose publishing can be muted. Meets ports.links.MqttLink."""

    def __init__(self, link: MqttLink) -> None:
        self.is_muted = False
        self._link = link

    @property
    def health(self) -> LinkHealth:
        """The connection's."""
        return self._link.health

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish unless muted."""
        if not self.is_muted:
            self._link.publish(topic, payload, retain=retain)

    def subscribe(self, topic: str, handler: Callable[[MqttMessage], None]) -> None:
        """See ports.links.MqttLink."""
        self._link.subscribe(topic, handler)


class ShuntFile:
    """What the service's current sensor reads: the conversion register of an ADS1115."""

    def __init__(self, path: Path, house: House) -> None:
        self._path, self._house = path, house
        path.write_bytes(bytes(2))

    async def run(self) -> NoReturn:
        """Follow the current of the battery until cancelled."""
        with self._path.open("r+b", buffering=0) as file:
            while True:
                raw = round(self._house.battery_a / _AMPS_PER_BIT)
                os.pwrite(file.fileno(), raw.to_bytes(2, "big", signed=True), 0)
                await asyncio.sleep(_SHUNT_S)


class FarMedia:
    """Meets sim.twin_bench.Media. mqtt: connected to the service's broker by its own task."""

    def __init__(self, can_links: Sequence[str], serial_link: str, mqtt: RealMqtt) -> None:
        self.buses = {name: BusEnd(name) for name in can_links}
        self.pty = PtyDevice(serial_link)
        self.meter_line = MeterLine(mqtt)
        self._i2c: dict[str, MemoryI2c] = {}
        self._gpio: dict[str, MemoryGpio] = {}

    def can(self, name: str) -> BusEnd:
        """The twins' end of a bus; each bus of the reference house has one twin."""
        return self.buses[name]

    def serial(self, _name: str) -> PtyDevice:
        """The one serial line."""
        return self.pty

    def i2c(self, name: str) -> MemoryI2c:
        """A bus that nobody reads: the service has a sensor of its own."""
        return self._i2c.setdefault(name, MemoryI2c(name))

    def gpio(self, name: str) -> MemoryGpio:
        """A chip that nobody uses: the reference house has no relays."""
        return self._gpio.setdefault(name, MemoryGpio(name))

    def http(self, name: str) -> MemoryHttp:
        """A server that nobody asks: the reference house has its meter on MQTT."""
        return MemoryHttp(name)

    def udp(self, name: str) -> MemoryUdp:
        """A port that nobody listens to."""
        return MemoryUdp(name)

    def mqtt(self) -> MeterLine:
        """The meter's connection."""
        return self.meter_line

    def descriptors(self) -> dict[str, int]:
        """What the service inherits, by link."""
        return {name: bus.descriptor for name, bus in self.buses.items()}

    def close(self) -> None:
        """Close all ends."""
        self.pty.close()
        for bus in self.buses.values():
            bus.close()
