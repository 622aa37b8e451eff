"""What a simulated device looks like to the bench, and what it may look at.

A twin speaks the device's real bytes and holds its physics. It has no tasks and no clock: the
bench hands it what was sent, lets time pass, and puts what comes back on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gridzero.ports.links import CanFrame


class World(Protocol):
    """The simulated house as a twin sees it."""

    @property
    def now_s(self) -> float: ...
    @property
    def grid_w(self) -> float:
        """True power at the house connection, > 0 import."""
        ...

    @property
    def mains_v(self) -> float: ...
    @property
    def battery_v(self) -> float:
        """At the battery terminals."""
        ...

    @property
    def battery_a(self) -> float:
        """> 0 out of the battery."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether current can flow between this device and the battery.

        False while an open contactor lies between the two.
        """
        ...

    def cell_v(self, module: str) -> Sequence[float]:
        """True terminal voltage of each cell of a module such as ``b3``."""
        ...

    def temp_c(self, module: str) -> float: ...

    def bleed(self, module: str, cells: int) -> None:
        """Switch the bleed resistors of a module: bit i = cell i+1."""
        ...


class CanTwin(Protocol):
    """A node, or all nodes of one driver, on one CAN bus."""

    def receive(self, frame: CanFrame) -> None:
        """Take a frame from the wire."""
        ...

    def advance(self, seconds: float) -> list[CanFrame]:
        """Let time pass (0 is allowed); returns what is sent now, in order."""
        ...


class SerialTwin(Protocol):
    """The far end of a serial line."""

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire."""
        ...

    def advance(self, seconds: float) -> bytes:
        """Let time pass; returns the bytes that are sent now."""
        ...


class MqttTwin(Protocol):
    """A device that talks MQTT."""

    def advance(self, seconds: float) -> list[tuple[str, bytes]]:
        """Let time pass; returns (topic, payload) to publish now, in order."""
        ...


class HttpTwin(Protocol):
    """A web server."""

    def answer(self, target: str) -> bytes:
        """The body at target. Raise OSError to behave as if it were unplugged."""
        ...


class UdpTwin(Protocol):
    """A device that sends datagrams by itself."""

    def advance(self, seconds: float) -> list[bytes]:
        """Let time pass; returns the datagrams that are sent now, in order."""
        ...


class I2cTwin(Protocol):
    """A device with 16-bit registers. Raise OSError to behave as if it were unplugged."""

    def read_word(self, register: int) -> int: ...
    def write_word(self, register: int, value: int) -> None: ...


class GpioTwin(Protocol):
    """What hangs on one line of a GPIO chip."""

    def drive(self, high: bool | None) -> None:
        """The chip drives the line high or low, or has let it go (None)."""
        ...

    def level(self) -> bool:
        """What the line reads: True is high."""
        ...


class SwitchTwin(Protocol):
    """The power side of a simulated relay."""

    @property
    def is_closed(self) -> bool:
        """Whether its main contacts conduct."""
        ...


class ConverterTwin(Protocol):
    """The power side of a simulated charger or inverter, valid after its last advance()."""

    @property
    def ac_w(self) -> float:
        """Toward the house: inverter >= 0, charger <= 0."""
        ...

    @property
    def dc_a(self) -> float:
        """Out of the battery: inverter >= 0, charger <= 0."""
        ...


@dataclass(frozen=True)
class DeviceTwin:
    """All ends of one simulated device: by link name, and its power side if it has one.

    i2c is keyed by (link name, 7-bit address), gpio by (link name, line).
    """

    can: Mapping[str, CanTwin] = field(default_factory=dict)
    serial: Mapping[str, SerialTwin] = field(default_factory=dict)
    mqtt: Sequence[MqttTwin] = ()
    i2c: Mapping[tuple[str, int], I2cTwin] = field(default_factory=dict)
    gpio: Mapping[tuple[str, int], GpioTwin] = field(default_factory=dict)
    http: Mapping[str, HttpTwin] = field(default_factory=dict)
    udp: Mapping[str, UdpTwin] = field(default_factory=dict)
    converters: Sequence[ConverterTwin] = ()
    switch: SwitchTwin | None = None
