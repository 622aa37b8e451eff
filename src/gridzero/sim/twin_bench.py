"""The bench: joins each device's twin to its wire and to the simulated house.

Time passes in steps. What a device sends on its own comes out of a step; what it answers comes
out a few milliseconds after the question, as on a real bus. The same bench works on in-memory
links in simulated time and on virtual CAN, pseudo-terminals and a real broker in real time.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from types import TracebackType
from typing import NoReturn, Protocol

import structlog

from gridzero.errors import LinkError
from gridzero.links.can_bus import RealCan
from gridzero.links.memory import MemoryGpio, MemoryHttp, MemoryI2c, MemoryLinks, MemoryUdp
from gridzero.ports.links import (
    CanFilter,
    CanFrame,
    CanLink,
    LinkHealth,
    MqttLink,
    SerialLink,
)
from gridzero.ports.plugin import Report
from gridzero.ports.twins import CanTwin, DeviceTwin, I2cTwin, MqttTwin, SerialTwin, UdpTwin
from gridzero.sim.house import House

log = structlog.get_logger()

STEP_S = 0.1
REPLY_LATENCY_S = 0.005
MOST_BEHIND_S = 2.0
_EVERYTHING = (CanFilter(0, 0, False), CanFilter(0, 0, True))


class Media(Protocol):
    """The device side of every link, by the link's name in the configuration."""

    def can(self, name: str) -> CanLink:
        """An end of a CAN bus for one twin."""
        ...

    def serial(self, name: str) -> SerialLink:
        """The far end of a serial line."""
        ...

    def i2c(self, name: str) -> MemoryI2c:
        """The bus itself; I2C is simulated in memory everywhere."""
        ...

    def gpio(self, name: str) -> MemoryGpio:
        """The chip itself; GPIO is simulated in memory everywhere."""
        ...

    def http(self, name: str) -> MemoryHttp:
        """The server itself; HTTP is simulated in memory everywhere."""
        ...

    def udp(self, name: str) -> MemoryUdp:
        """The port itself; UDP is simulated in memory everywhere."""
        ...

    def mqtt(self) -> MqttLink:
        """A client of the broker."""
        ...


class MemoryMedia:
    """The device side of in-memory links."""

    def __init__(self, links: MemoryLinks) -> None:
        self._links = links
        self._mqtt: MqttLink | None = None

    def can(self, name: str) -> CanLink:
        """A new end, so that twins on one bus hear each other."""
        return self._links.can_bus(name).attach()

    def serial(self, name: str) -> SerialLink:
        """The device's end of the wire."""
        return self._links.wire(name).device

    def i2c(self, name: str) -> MemoryI2c:
        """The bus."""
        return self._links.i2c(name)

    def gpio(self, name: str) -> MemoryGpio:
        """The chip."""
        return self._links.gpio(name)

    def http(self, name: str) -> MemoryHttp:
        """The server."""
        return self._links.http(name)

    def udp(self, name: str) -> MemoryUdp:
        """The port."""
        return self._links.udp(name)

    def mqtt(self) -> MqttLink:
        """One client for all twins."""
        if self._mqtt is None:
            self._mqtt = self._links.broker.attach()
        return self._mqtt


class PtyDevice:
    """The device side of a pseudo-terminal; ``path`` is the port for the service to open.

    Must be made inside a running loop. Meets ports.links.SerialLink.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = LinkHealth(state="up", why="")
        self._handlers: list[Callable[[bytes], None]] = []
        self._loop = asyncio.get_running_loop()
        # the port side stays open here too: reading fails while nobody has it open
        self._device_fd, self._port_fd = os.openpty()
        tty.setraw(self._port_fd)
        os.set_blocking(self._device_fd, False)
        self.path = os.ttyname(self._port_fd)
        self._loop.add_reader(self._device_fd, self._readable)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkError when closed or when nobody reads them."""
        try:
            written = os.write(self._device_fd, data) if self.health.state == "up" else 0
        except OSError:
            written = 0
        self.health.tx += written
        if written < len(data):
            self.health.tx_failed += 1
            raise LinkError("nobody reads the port", where=self.name, remedy="Open it or wait")

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """See ports.links.SerialLink."""
        self._handlers.append(handler)

    def close(self) -> None:
        """Pull the cable: whoever has the port open gets an error."""
        if self.health.state == "up":
            self.health.state, self.health.why = "down", "closed"
            self._loop.remove_reader(self._device_fd)
            os.close(self._device_fd)
            os.close(self._port_fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._device_fd, 4096)
        except OSError:
            self.health.skip("read failed")
            return
        self.health.rx += len(data)
        self.health.rx_at_s = self._loop.time()
        for handler in self._handlers:
            handler(data)


class MqttConnection(MqttLink, Protocol):
    """A broker connection that must be run."""

    async def run(self) -> object:
        """Stay connected until cancelled."""
        ...


class RealMedia:
    """Virtual CAN, pseudo-terminals and a broker; I2C in memory.

    Make the bench first, then run this beside it: it runs the links that the bench asked for.
    channels: python-can channel by link name, the same as the service's (the link's name where
    none is given). interface: "virtual" reaches the same process, "socketcan" a vcan interface.
    """

    def __init__(
        self,
        *,
        channels: Mapping[str, str],
        report: Report,
        mqtt: MqttConnection,
        interface: str = "virtual",
    ) -> None:
        self._channels = channels
        self._report = report
        self._mqtt = mqtt
        self._interface = interface
        self._can: dict[str, RealCan] = {}
        self._ptys: dict[str, PtyDevice] = {}
        self._i2c: dict[str, MemoryI2c] = {}
        self._gpio: dict[str, MemoryGpio] = {}
        self._http: dict[str, MemoryHttp] = {}
        self._udp: dict[str, MemoryUdp] = {}

    async def run(self) -> None:
        """Keep the links open until cancelled; then close the pseudo-terminals."""
        try:
            async with asyncio.TaskGroup() as links:
                links.create_task(self._mqtt.run(), name="twins' broker connection")
                for name, end in self._can.items():
                    links.create_task(end.run(), name=f"twins' end of {name}")
        finally:
            for pty in self._ptys.values():
                pty.close()

    def can(self, name: str) -> CanLink:
        """One end for all twins on a bus."""
        if name not in self._can:
            self._can[name] = RealCan(
                name=f"{name} (twins)",
                interface=self._interface,
                channel=self._channels.get(name, name),
                report=self._report,
                hear_this_host=True,
            )
        return self._can[name]

    def serial(self, name: str) -> SerialLink:
        """The device side of a pseudo-terminal."""
        return self._pty(name)

    def pty_path(self, name: str) -> str:
        """What the service opens as its serial port."""
        return self._pty(name).path

    def i2c(self, name: str) -> MemoryI2c:
        """The bus, to be given to the service too."""
        return self._i2c.setdefault(name, MemoryI2c(name))

    def gpio(self, name: str) -> MemoryGpio:
        """The chip, to be given to the service too."""
        return self._gpio.setdefault(name, MemoryGpio(name))

    def http(self, name: str) -> MemoryHttp:
        """The server, to be given to the service too."""
        return self._http.setdefault(name, MemoryHttp(name))

    def udp(self, name: str) -> MemoryUdp:
        """The port, to be given to the service too."""
        return self._udp.setdefault(name, MemoryUdp(name))

    def mqtt(self) -> MqttLink:
        """The twins' client."""
        return self._mqtt

    def _pty(self, name: str) -> PtyDevice:
        if name not in self._ptys:
            self._ptys[name] = PtyDevice(name)
        return self._ptys[name]


class _Bugs:
    """Keeps the first exception of a callback, for the task that may raise it."""

    def __init__(self) -> None:
        self.first: Exception | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.first = self.first or error
        return True


class _Plug:
    """One twin on one wire: hands over what comes, sends what the twin has to say."""

    def __init__(self, bugs: _Bugs, reply_latency_s: float) -> None:
        self.lost = 0
        self._bugs = bugs
        self._reply_latency_s = reply_latency_s
        self._loop = asyncio.get_running_loop()
        self._flush: asyncio.TimerHandle | None = None
        self._open = True

    def advance(self, seconds: float) -> None:
        """Let the twin's time pass and send."""
        raise NotImplementedError

    def close(self) -> None:
        """Answer no more."""
        self._open = False
        if self._flush is not None:
            self._flush.cancel()

    def _answer_soon(self) -> None:
        if self._flush is None and self._open:
            self._flush = self._loop.call_later(self._reply_latency_s, self._answer)

    def _answer(self) -> None:
        self._flush = None
        with self._bugs:
            self.advance(0.0)


class _CanPlug(_Plug):
    def __init__(self, twin: CanTwin, link: CanLink, bugs: _Bugs, latency_s: float) -> None:
        super().__init__(bugs, latency_s)
        self._twin, self._link = twin, link
        link.listen(self._take, _EVERYTHING)

    def advance(self, seconds: float) -> None:
        for frame in self._twin.advance(seconds):
            try:
                self._link.send(frame)
            except LinkError:
                self.lost += 1

    def _take(self, frame: CanFrame) -> None:
        with self._bugs:
            self._twin.receive(frame)
        self._answer_soon()


class _SerialPlug(_Plug):
    def __init__(self, twin: SerialTwin, link: SerialLink, bugs: _Bugs, latency_s: float) -> None:
        super().__init__(bugs, latency_s)
        self._twin, self._link = twin, link
        link.listen(self._take)

    def advance(self, seconds: float) -> None:
        data = self._twin.advance(seconds)
        if data:
            try:
                self._link.write(data)
            except LinkError:
                self.lost += 1

    def _take(self, data: bytes) -> None:
        with self._bugs:
            self._twin.receive(data)
        self._answer_soon()


class _MqttPlug(_Plug):
    def __init__(self, twin: MqttTwin, link: MqttLink, bugs: _Bugs) -> None:
        super().__init__(bugs, 0.0)
        self._twin, self._link = twin, link

    def advance(self, seconds: float) -> None:
        for topic, payload in self._twin.advance(seconds):
            self._link.publish(topic, payload)


class _UdpPlug(_Plug):
    def __init__(self, twin: UdpTwin, port: MemoryUdp, bugs: _Bugs) -> None:
        super().__init__(bugs, 0.0)
        self._twin, self._port = twin, port

    def advance(self, seconds: float) -> None:
        for data in self._twin.advance(seconds):
            self._port.send(data)


class _I2cPlug:
    """Says what the kernel's OSError means, as the real bus does."""

    def __init__(self, twin: I2cTwin, bus: str, address: int) -> None:
        self._twin = twin
        self._where = f"{bus} 0x{address:02x}"

    def read_word(self, register: int) -> int:
        """Read. Raises LinkError when the twin plays dead."""
        with self._as_link_error():
            return self._twin.read_word(register)

    def write_word(self, register: int, value: int) -> None:
        """Write. Raises LinkError when the twin plays dead."""
        with self._as_link_error():
            self._twin.write_word(register, value)

    @contextmanager
    def _as_link_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "Check wiring and address strap"
            raise LinkError("no answer", where=self._where, remedy=remedy) from error


class TwinBench:
    """All twins of a site on their wires. Must be made inside a running loop.

    twins: by device name; their converters are added to the house. dropped_s: time that the
    house did not live because this process stood still for more than MOST_BEHIND_S.
    """

    def __init__(
        self,
        house: House,
        twins: Mapping[str, DeviceTwin],
        media: Media,
        *,
        step_s: float = STEP_S,
        reply_latency_s: float = REPLY_LATENCY_S,
    ) -> None:
        self.house = house
        self.dropped_s = 0.0
        self._step_s = step_s
        self._latency_s = reply_latency_s
        self._bugs = _Bugs()
        self._plugs = tuple(
            chain.from_iterable(self._plugged(twin, media) for twin in twins.values())
        )
        for name, twin in twins.items():
            self._connect_power(name, twin)

    @property
    def lost(self) -> int:
        """How much the twins could not send because a link was down."""
        return sum(plug.lost for plug in self._plugs)

    async def run(self) -> NoReturn:
        """Let house and twins live in the loop's time until cancelled.

        Raises what a twin raised: a bug in a twin ends the run.
        """
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        self.house.follow(loop.time)
        try:
            while True:
                due_s += self._step_s
                await asyncio.sleep(due_s - loop.time())
                due_s += self._drop(loop.time() - due_s)
                self.step()
        finally:
            for plug in self._plugs:
                plug.close()

    def step(self) -> None:
        """One step of house and twins. Raises what a twin raised."""
        self.house.step(self._step_s)
        for plug in self._plugs:
            plug.advance(self._step_s)
        if self._bugs.first is not None:
            raise self._bugs.first

    def _drop(self, late_s: float) -> float:
        """How much time to leave out, s: a step late is caught up, a long sleep is not."""
        if late_s <= MOST_BEHIND_S:
            return 0.0
        self.dropped_s += late_s
        log.warning("bench.late", late_s=round(late_s, 3))
        return late_s

    def _plugged(self, twin: DeviceTwin, media: Media) -> Iterator[_Plug]:
        for link, can_twin in twin.can.items():
            yield _CanPlug(can_twin, media.can(link), self._bugs, self._latency_s)
        for link, serial_twin in twin.serial.items():
            yield _SerialPlug(serial_twin, media.serial(link), self._bugs, self._latency_s)
        for mqtt_twin in twin.mqtt:
            yield _MqttPlug(mqtt_twin, media.mqtt(), self._bugs)
        for link, udp_twin in twin.udp.items():
            yield _UdpPlug(udp_twin, media.udp(link), self._bugs)
        for link, http_twin in twin.http.items():
            media.http(link).server = http_twin
        for (link, address), i2c_twin in twin.i2c.items():
            media.i2c(link).devices[address] = _I2cPlug(i2c_twin, link, address)
        for (link, line), gpio_twin in twin.gpio.items():
            media.gpio(link).pins[line] = gpio_twin

    def _connect_power(self, name: str, twin: DeviceTwin) -> None:
        for number, converter in enumerate(twin.converters, start=1):
            only = len(twin.converters) == 1
            self.house.add_converter(name if only else f"{name}.{number}", converter)
