"""Links without hardware: the twin of each real link, for the simulated loop and for tests.

Each medium (bus, wire, broker) is one object with ends on it. Delivery is by the event loop, in
order, never inside the sender's call, as on a real link. ``plugged = False`` pulls the cable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gridzero.errors import ConfigError, LinkError
from gridzero.links.topics import matches
from gridzero.ports.links import Bias, CanFilter, CanFrame, LinkHealth, MqttMessage
from gridzero.ports.twins import GpioTwin, HttpTwin, I2cTwin

CanHandler = Callable[[CanFrame], None]


class MemoryCanBus:
    """A CAN bus. Frames sent by one end reach all others."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.plugged = True
        self.ends: list[MemoryCan] = []
        self._in_flight: list[tuple[MemoryCan, CanFrame]] = []

    def attach(self) -> MemoryCan:
        """A new end of the bus."""
        end = MemoryCan(self)
        self.ends.append(end)
        return end

    def put(self, sender: MemoryCan, frame: CanFrame) -> None:
        """Take a frame for delivery in the next turn of the loop."""
        if not self._in_flight:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._in_flight.append((sender, frame))

    def _deliver(self) -> None:
        frames, self._in_flight = self._in_flight, []
        if not self.plugged:
            return
        for sender, frame in frames:
            for end in self.ends:
                if end is not sender:
                    end.take(frame)


class MemoryCan:
    """One end of a MemoryCanBus; meets ports.links.CanLink."""

    def __init__(self, bus: MemoryCanBus) -> None:
        self.name = bus.name
        self.health = LinkHealth(state="up", why="")
        self._bus = bus
        self._listeners: list[tuple[CanHandler, tuple[CanFilter, ...]]] = []
        self._routes: dict[tuple[int, bool], tuple[CanHandler, ...]] = {}
        self._loop = asyncio.get_running_loop()

    def send(self, frame: CanFrame) -> None:
        """Put a frame on the bus. Raises LinkError when the bus is unplugged."""
        if not self._bus.plugged:
            self.health.tx_failed += 1
            raise LinkError("the bus is down", where=self.name, remedy="Plug it in again")
        if len(frame.data) > 8:
            raise LinkError("more than 8 data bytes", where=self.name, remedy="Mend the sender")
        self.health.tx += 1
        self._bus.put(self, frame)

    def listen(self, handler: CanHandler, filters: Sequence[CanFilter]) -> None:
        """See ports.links.CanLink."""
        self._listeners.append((handler, tuple(filters)))
        self._routes.clear()

    def leave(self) -> None:
        """Come off the bus for ever: what is sent and heard from now on reaches nobody."""
        self._bus.ends.remove(self)
        self._bus = MemoryCanBus("nowhere")

    def take(self, frame: CanFrame) -> None:
        """Receive a frame from the bus."""
        if frame.is_error:
            self.health.error_frames += 1
            return
        route = self._routes.get((frame.can_id, frame.is_extended))
        if route is None:
            route = self._route(frame.can_id, frame.is_extended)
        if route:
            self.health.rx += 1
            self.health.rx_at_s = self._loop.time()
            for handler in route:
                handler(frame)

    def _route(self, can_id: int, is_extended: bool) -> tuple[CanHandler, ...]:
        if len(self._routes) > 4096:  # a babbling node must not grow this for ever
            self._routes.clear()
        route = tuple(
            handler
            for handler, filters in self._listeners
            if any(passes(f, can_id, is_extended) for f in filters)
        )
        self._routes[can_id, is_extended] = route
        return route


def passes(wanted: CanFilter, can_id: int, is_extended: bool) -> bool:
    """Whether an id passes a filter."""
    return wanted.is_extended == is_extended and (can_id ^ wanted.can_id) & wanted.mask == 0


class MemorySerialWire:
    """A serial cable with two ends, ``host`` and ``device``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.plugged = True
        self.host = MemorySerial(self)
        self.device = MemorySerial(self)
        self.host.far, self.device.far = self.device, self.host


class MemorySerial:
    """One end of a MemorySerialWire; meets ports.links.SerialLink."""

    far: MemorySerial

    def __init__(self, wire: MemorySerialWire) -> None:
        self.name = wire.name
        self.health = LinkHealth(state="up", why="")
        self._wire = wire
        self._handlers: list[Callable[[bytes], None]] = []

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkError when unplugged."""
        if not self._wire.plugged:
            self.health.tx_failed += 1
            raise LinkError("the port is gone", where=self.name, remedy="Plug the adapter in")
        self.health.tx += len(data)
        asyncio.get_running_loop().call_soon(self.far.take, data)

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """See ports.links.SerialLink."""
        self._handlers.append(handler)

    def leave(self) -> None:
        """Come off the wire for ever; the port can be opened anew."""
        nowhere = MemorySerialWire("nowhere")
        self._wire, self.far = nowhere, nowhere.device
        self._handlers.clear()

    def take(self, data: bytes) -> None:
        """Receive bytes from the wire."""
        if not self._wire.plugged:
            return
        self.health.rx += len(data)
        self.health.rx_at_s = asyncio.get_running_loop().time()
        for handler in self._handlers:
            handler(data)


class MemoryBroker:
    """An MQTT broker: retained messages, wildcards, last wills."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.clients: list[MemoryMqtt] = []

    def attach(self) -> MemoryMqtt:
        """A new connected client."""
        client = MemoryMqtt(self)
        self.clients.append(client)
        return client

    def put(self, topic: str, payload: bytes, retain: bool) -> None:
        """Take a message for delivery in the next turn of the loop."""
        if retain:
            if payload:
                self.retained[topic] = payload
            else:
                self.retained.pop(topic, None)
        asyncio.get_running_loop().call_soon(self._deliver, topic, payload)

    def _deliver(self, topic: str, payload: bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        for client in self.clients:
            client.take(MqttMessage(topic, payload, False, now_s))


class MemoryMqtt:
    """A client of a MemoryBroker; meets ports.links.MqttLink."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.name = "mqtt"
        self.plugged = True
        self.health = LinkHealth(state="up", why="")
        self._broker = broker
        self._subscriptions: list[tuple[str, Callable[[MqttMessage], None]]] = []

    def subscribe(self, topic: str, handler: Callable[[MqttMessage], None]) -> None:
        """See ports.links.MqttLink."""
        self._subscriptions.append((topic, handler))
        loop = asyncio.get_running_loop()
        for stored, payload in list(self._broker.retained.items()):
            if matches(topic, stored):
                loop.call_soon(handler, MqttMessage(stored, payload, True, loop.time()))

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """See ports.links.MqttLink."""
        if not self.plugged:
            self.health.tx_failed += 1
            return
        self.health.tx += 1
        raw = payload.encode() if isinstance(payload, str) else payload
        self._broker.put(topic, raw, retain)

    def leave(self) -> None:
        """Hear and say nothing more."""
        self._broker.clients.remove(self)
        self.plugged = False

    def take(self, message: MqttMessage) -> None:
        """Receive a message from the broker."""
        if not self.plugged:
            return
        for topic, handler in self._subscriptions:
            if matches(topic, message.topic):
                self.health.rx += 1
                self.health.rx_at_s = message.received_at_s
                handler(message)


class MemoryI2c:
    """An I2C bus with devices on it; meets ports.links.I2cLink."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.plugged = True
        self.devices: dict[int, I2cTwin] = {}

    async def read_word(self, address: int, register: int) -> int:
        """See ports.links.I2cLink."""
        return self._device(address).read_word(register) & 0xFFFF

    async def write_word(self, address: int, register: int, value: int) -> None:
        """See ports.links.I2cLink."""
        self._device(address).write_word(register, value)

    def _device(self, address: int) -> I2cTwin:
        device = self.devices.get(address)
        if device is None or not self.plugged:
            raise LinkError(
                f"no device answers at 0x{address:02x}",
                where=self.name,
                remedy="Check wiring, address strap and that I2C is enabled",
            )
        return device


class MemoryHttp:
    """A web server; meets ports.links.HttpLink. Knobs: plugged, delay_s (of each answer)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = LinkHealth(state="up", why="")
        self.plugged = True
        self.delay_s = 0.01
        self.server: HttpTwin | None = None

    async def get(self, target: str) -> bytes:
        """See ports.links.HttpLink."""
        self.health.tx += 1
        await asyncio.sleep(self.delay_s)
        try:
            body = self._server().answer(target)
        except OSError as error:
            self.health.tx_failed += 1
            remedy = "Check that it is on and in the network"
            raise LinkError("no answer", where=self.name, remedy=remedy) from error
        self.health.rx += 1
        self.health.rx_at_s = asyncio.get_running_loop().time()
        return body

    def _server(self) -> HttpTwin:
        if self.server is None or not self.plugged:
            raise OSError
        return self.server


class MemoryUdp:
    """A UDP port; meets ports.links.UdpLink. Knob: plugged."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = LinkHealth(state="up", why="")
        self.plugged = True
        self._handlers: list[Callable[[bytes], None]] = []

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """See ports.links.UdpLink."""
        self._handlers.append(handler)

    def send(self, data: bytes) -> None:
        """Send a datagram to whoever listens."""
        asyncio.get_running_loop().call_soon(self.take, data)

    def take(self, data: bytes) -> None:
        """Receive a datagram."""
        if not self.plugged:
            return
        self.health.rx += 1
        self.health.rx_at_s = asyncio.get_running_loop().time()
        for handler in self._handlers:
            handler(data)


class MemoryGpio:
    """A GPIO chip with things on its lines; meets ports.links.GpioLink.

    pins: what hangs on each line. Knob: plugged. ``process_died`` is what the kernel does after
    kill -9: lines go back to inputs, unless the kernel keeps outputs (as that of Raspberry Pi OS
    does by default).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = LinkHealth(state="up", why="")
        self.plugged = True
        self.pins: dict[int, GpioTwin] = {}
        self.outputs: set[int] = set()

    def output(self, line: int, *, active_low: bool) -> MemoryGpioLine:
        """See ports.links.GpioLink."""
        self.outputs.add(line)
        return MemoryGpioLine(self, line, active_low=active_low)

    def input(self, line: int, *, active_low: bool, bias: Bias) -> MemoryGpioLine:  # noqa: ARG002 - the port's
        """See ports.links.GpioLink. The twin on the line stands for its resistors, too."""
        return MemoryGpioLine(self, line, active_low=active_low)

    def process_died(self, *, kernel_keeps_outputs: bool = False) -> None:
        """Nobody holds the lines any more."""
        for line in self.outputs if not kernel_keeps_outputs else ():
            self.pin(line).drive(None)

    def pin(self, line: int) -> GpioTwin:
        """What hangs on a line. Raises LinkError when nothing does, or the chip is gone."""
        pin = self.pins.get(line)
        if pin is None or not self.plugged:
            self.health.tx_failed += 1
            raise LinkError(
                f"line {line} is not held", where=self.name, remedy="Check chip and line number"
            )
        return pin


class MemoryGpioLine:
    """One line; meets ports.links.GpioOutput and GpioInput."""

    def __init__(self, chip: MemoryGpio, line: int, *, active_low: bool) -> None:
        self._chip, self._line, self._active_low = chip, line, active_low

    def drive(self, *, active: bool) -> None:
        """See ports.links.GpioOutput."""
        self._chip.pin(self._line).drive(active is not self._active_low)
        self._chip.health.tx += 1

    def is_active(self) -> bool:
        """See ports.links.GpioInput."""
        return self._chip.pin(self._line).level() is not self._active_low


class MemoryLinks:
    """Every link of a site, made on first use; meets ports.links.Links on the host's side."""

    def __init__(self, kinds: Mapping[str, str] | None = None) -> None:
        """kinds: link name -> kind, to refuse names that the configuration does not have."""
        self._kinds = kinds
        self.can_buses: dict[str, MemoryCanBus] = {}
        self.wires: dict[str, MemorySerialWire] = {}
        self.i2c_buses: dict[str, MemoryI2c] = {}
        self.gpio_chips: dict[str, MemoryGpio] = {}
        self.http_servers: dict[str, MemoryHttp] = {}
        self.udp_ports: dict[str, MemoryUdp] = {}
        self.broker = MemoryBroker()
        self._can: dict[str, MemoryCan] = {}
        self._mqtt: MemoryMqtt | None = None

    def can(self, name: str) -> MemoryCan:
        """The host's end of a CAN bus."""
        if name not in self._can:
            self._can[name] = self.can_bus(name).attach()
        return self._can[name]

    def can_bus(self, name: str) -> MemoryCanBus:
        """The bus itself, to attach twins to."""
        self._check(name, "can")
        return self.can_buses.setdefault(name, MemoryCanBus(name))

    def serial(self, name: str) -> MemorySerial:
        """The host's end of a serial wire."""
        return self.wire(name).host

    def wire(self, name: str) -> MemorySerialWire:
        """The wire itself, to attach a twin to."""
        self._check(name, "serial")
        return self.wires.setdefault(name, MemorySerialWire(name))

    def i2c(self, name: str) -> MemoryI2c:
        """The bus, with its devices."""
        self._check(name, "i2c")
        return self.i2c_buses.setdefault(name, MemoryI2c(name))

    def gpio(self, name: str) -> MemoryGpio:
        """The chip, with what hangs on its lines."""
        self._check(name, "gpio")
        return self.gpio_chips.setdefault(name, MemoryGpio(name))

    def http(self, name: str) -> MemoryHttp:
        """The web server."""
        self._check(name, "http")
        return self.http_servers.setdefault(name, MemoryHttp(name))

    def udp(self, name: str) -> MemoryUdp:
        """The port."""
        self._check(name, "udp")
        return self.udp_ports.setdefault(name, MemoryUdp(name))

    def mqtt(self) -> MemoryMqtt:
        """The host's client."""
        if self._mqtt is None:
            self._mqtt = self.broker.attach()
        return self._mqtt

    def _check(self, name: str, kind: str) -> None:
        if self._kinds is not None and self._kinds.get(name) != kind:
            raise ConfigError(
                f"there is no {kind} link named {name!r}",
                where="links",
                remedy=f"Add it under links: with type: {kind}",
            )
