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
    LinkHealth,
    Links,
    SerialLink,
)
from gridzero.runtime.passed_links import PassedLinks

_DEAD = frozenset({"down", "bus-off"})


class SentLinks(PassedLinks):
    """Meets ports.links.Links for one driver; converters speak CAN or serial, the rest passes.

    sent_at_s: when the newest frame or bytes of this driver were taken by their link; None
    before the first.
    """

    def __init__(self, links: Links, clock: Clock) -> None:
        self.sent_at_s: float | None = None
        super().__init__(links)
        self._clock = clock
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
