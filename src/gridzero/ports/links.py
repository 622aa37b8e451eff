"""What a driver sees of a bus, a serial port, a broker or an I2C bus.

Receiving is by callback in the event loop: a plain function that updates state cannot fall
behind the way an unread queue does. Sending never waits; what cannot be sent raises LinkError
or is counted. The callers of a link decide on health by the age of what they received.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol


class CanFrame(NamedTuple):
    """One classic CAN frame. data: 0..8 bytes. Error and remote frames carry their flag."""

    can_id: int
    data: bytes
    is_extended: bool = False
    is_remote: bool = False
    is_error: bool = False


class CanFilter(NamedTuple):
    """Accept frames whose id agrees with can_id in the bits of mask, of this id length."""

    can_id: int
    mask: int
    is_extended: bool


@dataclass(slots=True)
class LinkHealth:
    """Counters since start, and the present state of a link.

    state: "up", "down", "error-warning", "error-passive", "bus-off".
    rx_at_s: when the last thing was received, None = never.
    """

    state: str = "down"
    why: str = "not opened yet"
    rx: int = 0
    tx: int = 0
    tx_failed: int = 0
    error_frames: int = 0
    bus_off: int = 0
    reopened: int = 0
    rx_at_s: float | None = None
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, why: str) -> None:
        """Count something received that could not be used."""
        self.skipped[why] = self.skipped.get(why, 0) + 1


class CanLink(Protocol):
    """One CAN bus."""

    @property
    def name(self) -> str: ...
    @property
    def health(self) -> LinkHealth: ...

    def send(self, frame: CanFrame) -> None:
        """Hand one frame to the controller. Raises LinkError when it cannot be taken."""
        ...

    def listen(self, handler: Callable[[CanFrame], None], filters: Sequence[CanFilter]) -> None:
        """Call handler in the event loop for each data frame that passes one of the filters.

        Error frames are counted in ``health`` and not passed on. Own frames do not come back.
        """
        ...


class SerialLink(Protocol):
    """One serial port."""

    @property
    def name(self) -> str: ...
    @property
    def health(self) -> LinkHealth: ...

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkError when the port is gone or does not drain."""
        ...

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """Call handler in the event loop with whatever bytes arrive."""
        ...


class MqttMessage(NamedTuple):
    """One message. retained: it was stored by the broker, so its age is unknown."""

    topic: str
    payload: bytes
    retained: bool
    received_at_s: float


class MqttLink(Protocol):
    """The connection to the broker; subscriptions survive reconnects."""

    @property
    def health(self) -> LinkHealth: ...

    def subscribe(self, topic: str, handler: Callable[[MqttMessage], None]) -> None:
        """Call handler in the event loop for each message on topic (``+`` and ``#`` allowed)."""
        ...

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Queue a message; never waits, never raises. Dropped and counted while disconnected."""
        ...


class I2cLink(Protocol):
    """One I2C bus, 16-bit registers, most significant byte first."""

    @property
    def name(self) -> str: ...

    async def read_word(self, address: int, register: int) -> int:
        """Unsigned 16-bit register. Raises LinkError when the device does not answer."""
        ...

    async def write_word(self, address: int, register: int, value: int) -> None:
        """Write an unsigned 16-bit register. Raises LinkError when not acknowledged."""
        ...


class GpioOutput(Protocol):
    """One line that is driven. Active is what the device calls on: active_low is seen to."""

    def drive(self, *, active: bool) -> None:
        """Set the level at once. Raises LinkError when the line is not held."""
        ...


class GpioInput(Protocol):
    """One line that is read."""

    def is_active(self) -> bool:
        """The level now. Raises LinkError when the line is not held."""
        ...


class Bias(StrEnum):
    """The chip's own resistor at an input."""

    NONE = "none"
    PULL_UP = "pull_up"
    PULL_DOWN = "pull_down"


class GpioLink(Protocol):
    """One GPIO chip. Lines are asked for before the link is opened, each once."""

    @property
    def name(self) -> str: ...
    @property
    def health(self) -> LinkHealth: ...

    def output(self, line: int, *, active_low: bool) -> GpioOutput:
        """A line to drive; inactive from the moment it is held, and when it is let go."""
        ...

    def input(self, line: int, *, active_low: bool, bias: Bias) -> GpioInput:
        """A line to read."""
        ...


class HttpLink(Protocol):
    """One web server that is asked for what it knows."""

    @property
    def name(self) -> str: ...
    @property
    def health(self) -> LinkHealth: ...

    async def get(self, target: str) -> bytes:
        """The body that stands at target, such as ``/api/v1/data``; one request at a time.

        Raises LinkError without an answer in time, for one that is too long, and for every
        status but 200; redirects are not followed.
        """
        ...


class UdpLink(Protocol):
    """One UDP port, or multicast group, that is listened to."""

    @property
    def name(self) -> str: ...
    @property
    def health(self) -> LinkHealth: ...

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """Call handler in the event loop with each datagram."""
        ...


class Links(Protocol):
    """All links of a site by the name they have in the configuration."""

    def can(self, name: str) -> CanLink:
        """Raises ConfigError when no CAN link has that name."""
        ...

    def serial(self, name: str) -> SerialLink:
        """Raises ConfigError when no serial link has that name."""
        ...

    def i2c(self, name: str) -> I2cLink:
        """Raises ConfigError when no I2C link has that name."""
        ...

    def gpio(self, name: str) -> GpioLink:
        """Raises ConfigError when no GPIO link has that name."""
        ...

    def http(self, name: str) -> HttpLink:
        """Raises ConfigError when no HTTP link has that name."""
        ...

    def udp(self, name: str) -> UdpLink:
        """Raises ConfigError when no UDP link has that name."""
        ...

    def mqtt(self) -> MqttLink:
        """The broker connection."""
        ...
