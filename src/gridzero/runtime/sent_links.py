"""Links as one driver gets them, with a note of when something of its own really left.

The measure of the watchdogs: not that a task lives, but that the link took the driver's bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gridzero.ports.clock import Clock
from gridzero.ports.links import (
    CanFilter,
    CanFrame,
    CanLink,
    GpioLink,
    HttpLink,
    I2cLink,
    LinkHealth,
    Links,
    MqttLink,
    SerialLink,
    UdpLink,
)

_DEAD = frozenset({"down", "bus-off"})


class SentLinks:
    """Meets ports.links.Links for one driver.

    sent_at_s: when the newest frame or bytes of this driver were taken by their link; None
    before the first.
    """

    def __init__(self, links: Links, clock: Clock) -> None:
        self.sent_at_s: float | None = None
        self._links, self._clock = links, clock
        self._used: list[LinkHealth] = []

    @property
    def is_cut(self) -> bool:
        """Whether a link of this driver is down, which people have been told."""
        return any(health.state in _DEAD for health in self._used)

    def can(self, name: str) -> CanLink:
        """See ports.links.Links."""
        link = self._links.can(name)
        self._used.append(link.health)
        return _SentCan(link, self._note)

    def serial(self, name: str) -> SerialLink:
        """See ports.links.Links."""
        link = self._links.serial(name)
        self._used.append(link.health)
        return _SentSerial(link, self._note)

    def i2c(self, name: str) -> I2cLink:
        """See ports.links.Links; no converter speaks I2C."""
        return self._links.i2c(name)

    def gpio(self, name: str) -> GpioLink:
        """See ports.links.Links."""
        return self._links.gpio(name)

    def http(self, name: str) -> HttpLink:
        """See ports.links.Links; no converter speaks HTTP."""
        return self._links.http(name)

    def udp(self, name: str) -> UdpLink:
        """See ports.links.Links; nothing is sent over it."""
        return self._links.udp(name)

    def mqtt(self) -> MqttLink:
        """See ports.links.Links."""
        return self._links.mqtt()

    def _note(self) -> None:
        self.sent_at_s = self._clock.now_s()


class _SentCan:
    """Meets ports.links.CanLink."""

    def __init__(self, link: CanLink, sent: Callable[[], None]) -> None:
        self.name, self.health = link.name, link.health
        self._link, self._sent = link, sent

    def send(self, frame: CanFrame) -> None:
        self._link.send(frame)
        self._sent()

    def listen(self, handler: Callable[[CanFrame], None], filters: Sequence[CanFilter]) -> None:
        self._link.listen(handler, filters)


class _SentSerial:
    """Meets ports.links.SerialLink."""

    def __init__(self, link: SerialLink, sent: Callable[[], None]) -> None:
        self.name, self.health = link.name, link.health
        self._link, self._sent = link, sent

    def write(self, data: bytes) -> None:
        self._link.write(data)
        self._sent()

    def listen(self, handler: Callable[[bytes], None]) -> None:
        self._link.listen(handler)
