"""Feeds the watchdogs outside of this process, and stops feeding when commands stop.

It runs in the event loop, never in a thread: a thread would go on while the loop stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

import structlog

from gridzero.errors import LinkError
from gridzero.links.alive_file import SENDING, AliveFile
from gridzero.links.systemd import Systemd
from gridzero.links.watchdog_device import WatchdogDevice
from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.heartbeat import Heartbeat

log = structlog.get_logger()

_PERIOD_S = 1.0
_STOP_S = 30.0
"""The way out is bounded: contactors, rectifiers and links need less than this."""

_RETRY_S = 2.0
_FRACTION = 1 / 3


class Feeder(Protocol):
    """One watchdog."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def period_s(self) -> float:
        """How often it must hear at least, s."""
        ...

    def feed(self, status: str) -> None:
        """Commands are being sent. Raises LinkError when it cannot be fed."""
        ...

    def starve(self, why: str) -> None:
        """They are not."""
        ...

    def stopping(self) -> None:
        """The orderly way out goes on. Raises LinkError."""
        ...

    def end(self) -> None:
        """All devices are stopped. Never raises."""
        ...


class SystemdFeeder:
    """READY with the first sign of life, then WATCHDOG, STATUS and STOPPING."""

    name = "systemd"

    def __init__(self, systemd: Systemd) -> None:
        self._systemd = systemd
        self._ready = False
        self._stopping = False
        self._status = ""

    @property
    def period_s(self) -> float:
        """A third of what systemd grants."""
        granted_s = self._systemd.watchdog_s
        return _PERIOD_S if granted_s is None else granted_s * _FRACTION

    def feed(self, status: str) -> None:
        """See Feeder."""
        lines = ["READY=1"] if not self._ready else []
        if self._systemd.watchdog_s is not None:
            lines.append("WATCHDOG=1")
        if status != self._status:
            lines.append(f"STATUS={status}")
        if not lines:
            return
        if not self._systemd.tell(*lines):
            raise LinkError(
                "systemd's notify socket takes nothing",
                where="watchdog",
                remedy="Check NotifyAccess of the unit, or set watchdog.systemd: off",
            )
        self._ready, self._status = True, status

    def starve(self, why: str) -> None:
        """See Feeder."""
        status = f"not fed: {why}"
        if self._ready and status != self._status and self._systemd.tell(f"STATUS={status}"):
            self._status = status

    def stopping(self) -> None:
        """Systemd counts no more once it knows; TimeoutStopSec takes over."""
        if not self._stopping:
            self._stopping = True
            self._systemd.tell("STOPPING=1", "STATUS=stopping")

    def end(self) -> None:
        """See Feeder."""
        self.stopping()


class DeviceFeeder:
    """A hardware watchdog; armed by the first feed, so that a site that never came up rests."""

    def __init__(self, device: WatchdogDevice) -> None:
        self.name = device.path
        self._device = device

    @property
    def period_s(self) -> float:
        """Often enough for the shortest time-out that the configuration allows."""
        return _PERIOD_S

    def feed(self, status: str) -> None:  # noqa: ARG002 - the port's
        """See Feeder."""
        was_armed = self._device.is_armed
        self._device.pet()
        if not was_armed:
            log.info("watchdog.armed", device=self._device.path, timeout_s=self._device.timeout_s)

    def starve(self, why: str) -> None:
        """Nothing is the message."""

    def stopping(self) -> None:
        """A stop sequence may take longer than its time-out."""
        if self._device.is_armed:
            self._device.pet()

    def end(self) -> None:
        """See Feeder."""
        self._device.disarm()


class FileFeeder:
    """No watchdog, but read by one: `gridzero healthcheck`."""

    def __init__(self, file: AliveFile) -> None:
        self.name = str(file.path)
        self._file = file

    @property
    def period_s(self) -> float:
        """Often enough for the oldest that a health check takes."""
        return _PERIOD_S

    def feed(self, status: str) -> None:
        """See Feeder."""
        self._file.write(SENDING, status)

    def starve(self, why: str) -> None:
        """See Feeder. That it cannot be written is told by feed, and nothing is fed now."""
        with suppress(LinkError):
            self._file.write("stuck", why)

    def stopping(self) -> None:
        """See Feeder."""
        self._file.write("stopping", "")

    def end(self) -> None:
        """See Feeder."""
        with suppress(LinkError):
            self._file.write("ended", "")


class Watchdogs:
    """Feeds while the heartbeat misses nothing; on the way out for 30 s at most."""

    def __init__(
        self,
        feeders: Sequence[Feeder],
        heartbeat: Heartbeat,
        faults: FaultBook,
        clock: Clock,
        *,
        is_stopping: Callable[[], bool] = lambda: False,
        status: Callable[[], str] = lambda: "",
    ) -> None:
        self._feeders, self._heartbeat = feeders, heartbeat
        self._faults, self._clock = faults, clock
        self._is_stopping, self._status = is_stopping, status
        self._stopping_since_s: float | None = None
        self._has_lived = False
        self._retry_s: dict[str, float] = {}

    async def run(self) -> None:
        """Feed until cancelled, which ends the watch in order: devices are stopped by then."""
        period_s = min((_PERIOD_S, *(feeder.period_s for feeder in self._feeders)))
        try:
            while True:
                self.look()
                await self._clock.sleep_s(period_s)
        finally:
            for feeder in self._feeders:
                feeder.end()

    def look(self) -> None:
        """Feed, starve or accompany the stop, once."""
        now_s = self._clock.now_s()
        if self._is_stopping():
            self._accompany(now_s)
            return
        why = self._heartbeat.missing()
        self._tell(why)
        for feeder in self._feeders:
            if why:
                feeder.starve(why)
            else:
                self._try(feeder, now_s, partial(feeder.feed, self._status()))

    def _tell(self, why: str) -> None:
        """Before the first sign of life nothing is missing yet: links open, devices are found."""
        self._has_lived = self._has_lived or not why
        if self._has_lived:
            self._faults.set("commands_stuck", "watchdog", why or None)

    def _accompany(self, now_s: float) -> None:
        if self._stopping_since_s is None:
            self._stopping_since_s = now_s
        if now_s - self._stopping_since_s <= _STOP_S:
            for feeder in self._feeders:
                self._try(feeder, now_s, feeder.stopping)

    def _try(self, feeder: Feeder, now_s: float, do: Callable[[], None]) -> None:
        name = feeder.name
        if now_s < self._retry_s.get(name, now_s):
            return
        try:
            do()
        except LinkError as error:
            self._retry_s[name] = now_s + _RETRY_S
            self._faults.set("watchdog_lost", name, f"{error.what}. {error.remedy}")
        else:
            self._faults.set("watchdog_lost", name, None)
