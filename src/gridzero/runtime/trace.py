"""What passes on a link, for somebody who looks: kept for seconds, and only while asked for.

A trace costs control one comparison per frame while nobody asks, and is bounded while somebody
does: what is more than that is counted, not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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
from gridzero.runtime.settings import SettingRefused

HOLD_S = 10.0
MOST_KEPT = 200


class Passed(NamedTuple):
    """One frame, or some bytes of a serial link (can_id None). direction: rx, tx."""

    at_s: float
    direction: str
    can_id: int | None
    is_extended: bool | None
    data: bytes


class Traced(NamedTuple):
    """What passed on a link since it was last taken. dropped: how many more there were."""

    link: str
    kind: str
    frames: tuple[Passed, ...]
    dropped: int


@dataclass(slots=True)
class Tap:
    """One link. until_s: when somebody stops looking. is_heard: somebody notes what comes."""

    kind: str
    until_s: float = float("-inf")
    kept: list[Passed] = field(default_factory=list)
    dropped: int = 0
    newest: object = None
    is_heard: bool = False


class Tracer:
    """Every tap of a site."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taps: dict[str, Tap] = {}
        self._wanted = asyncio.Event()

    async def wanted(self) -> None:
        """Return as soon as somebody looks at any link."""
        if not any(self._clock.now_s() <= tap.until_s for tap in self._taps.values()):
            self._wanted.clear()
            await self._wanted.wait()

    def ask(self, argument: str) -> str:
        """Trace the link of this name for ten more seconds, "stop" ends all; returns words.

        Raises SettingRefused for a link that is not there.
        """
        name = argument.strip().split(" ")[0]
        if name == "stop":
            for tap in self._taps.values():
                tap.until_s = float("-inf")
            return "no link is traced"
        if name not in self._taps:
            raise SettingRefused(
                f"there is no link {name[:40]!r} to trace",
                where="trace",
                remedy=f"There are {', '.join(self._taps) or 'none'}",
            )
        tap, now_s = self._taps[name], self._clock.now_s()
        if now_s > tap.until_s:
            tap.kept, tap.dropped, tap.newest = [], 0, None  # what was left when somebody stopped
        tap.until_s = now_s + HOLD_S
        self._wanted.set()
        return f"{name} is traced for {HOLD_S:.0f} s"

    def tap(self, name: str, kind: str) -> Tap:
        """The tap of a link; the same for all its users."""
        return self._taps.setdefault(name, Tap(kind))

    def note(self, tap: Tap, direction: str, seen: CanFrame | bytes) -> None:
        """One thing passed; several listeners of a bus see the same frame."""
        now_s = self._clock.now_s()
        if now_s > tap.until_s or (direction == "rx" and self._is_noted(tap, seen)):
            return
        if len(tap.kept) >= MOST_KEPT:
            tap.dropped += 1
        elif isinstance(seen, CanFrame):
            tap.kept.append(Passed(now_s, direction, seen.can_id, seen.is_extended, seen.data))
        else:
            tap.kept.append(Passed(now_s, direction, None, None, seen))

    def _is_noted(self, tap: Tap, seen: CanFrame | bytes) -> bool:
        if not isinstance(seen, CanFrame):
            return False  # single bytes are one object wherever they come from
        before, tap.newest = tap.newest, seen
        return seen is before

    def take(self) -> list[Traced]:
        """What passed since the last time, of every link where anything did."""
        news = []
        for name, tap in self._taps.items():
            if tap.kept:
                news.append(Traced(name, tap.kind, tuple(tap.kept), tap.dropped))
                tap.kept, tap.dropped, tap.newest = [], 0, None
        return news


class TracedLinks(PassedLinks):
    """Meets ports.links.Links: those of a site with a tap at each CAN and serial link.

    A shunt on I2C alone would fill the screen, and on MQTT everybody may listen anyway.
    """

    def __init__(self, links: Links, tracer: Tracer) -> None:
        super().__init__(links)
        self._tracer = tracer

    def can(self, name: str) -> CanLink:
        """See ports.links.Links."""
        return _TracedCan(self._links.can(name), self._tracer)

    def serial(self, name: str) -> SerialLink:
        """See ports.links.Links."""
        return _TracedSerial(self._links.serial(name), self._tracer)


class _TracedCan:
    """Meets ports.links.CanLink."""

    def __init__(self, link: CanLink, tracer: Tracer) -> None:
        self.name, self._link, self._tracer = link.name, link, tracer
        self._tap = tracer.tap(link.name, "can")

    @property
    def health(self) -> LinkHealth:
        return self._link.health

    def send(self, frame: CanFrame) -> None:
        self._link.send(frame)
        self._tracer.note(self._tap, "tx", frame)

    def listen(self, handler: Callable[[CanFrame], None], filters: Sequence[CanFilter]) -> None:
        note, tap = self._tracer.note, self._tap

        def noted(frame: CanFrame) -> None:
            note(tap, "rx", frame)
            handler(frame)

        self._link.listen(noted, filters)


class _TracedSerial:
    """Meets ports.links.SerialLink."""

    def __init__(self, link: SerialLink, tracer: Tracer) -> None:
        self.name, self._link, self._tracer = link.name, link, tracer
        self._tap = tracer.tap(link.name, "serial")

    @property
    def health(self) -> LinkHealth:
        return self._link.health

    def write(self, data: bytes) -> None:
        self._link.write(data)
        self._tracer.note(self._tap, "tx", data)

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """Everybody on a serial line hears the same: one of them notes it."""

        def noted(data: bytes) -> None:
            self._tracer.note(self._tap, "rx", data)
            handler(data)

        self._link.listen(handler if self._tap.is_heard else noted)
        self._tap.is_heard = True
