"""One meter on its real link, read by its real driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from gridzero.domain.readings import MeterReading
from gridzero.errors import ConfigError, GridzeroError
from gridzero.meter.words import reading_line
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import Meter
from gridzero.ports.links import (
    CanLink,
    GpioLink,
    HttpLink,
    I2cLink,
    LinkHealth,
    MqttLink,
    SerialLink,
    UdpLink,
)
from gridzero.ports.plugin import DriverContext, DriverPlugin

Say = Callable[[str], None]


class Runs(Protocol):
    """A link that must be run."""

    @property
    def health(self) -> LinkHealth:
        """What it counted."""
        ...

    async def run(self) -> Any:
        """Serve until cancelled."""
        ...


class OneLink:
    """Meets ports.links.Links for a meter alone: whatever it asks for is this link."""

    def __init__(self, link: Any) -> None:
        self._link = link

    def mqtt(self) -> MqttLink:
        """The link."""
        return self._link  # type: ignore[no-any-return]  # the driver's kind decides which it is

    def http(self, name: str) -> HttpLink:
        """The link, whatever its name."""
        del name
        return self._link  # type: ignore[no-any-return]  # as above

    def udp(self, name: str) -> UdpLink:
        """The link, whatever its name."""
        del name
        return self._link  # type: ignore[no-any-return]  # as above

    def can(self, name: str) -> CanLink:
        """There is none."""
        return _none(name)

    def serial(self, name: str) -> SerialLink:
        """There is none."""
        return _none(name)

    def i2c(self, name: str) -> I2cLink:
        """There is none."""
        return _none(name)

    def gpio(self, name: str) -> GpioLink:
        """There is none."""
        return _none(name)


def _none(name: str) -> NoReturn:
    raise ConfigError("this meter cannot be tested alone", where=name, remedy="Use gridzero run")


class NothingHeard(GridzeroError):
    """No message, no answer, no datagram."""


@dataclass(slots=True)
class Checked:
    """What became of a meter.

    faults: in words, as they stand at the end. link: why it was down then, "" = it was up.
    """

    readings: list[MeterReading] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    link: str = ""


@asynccontextmanager
async def running(link: Runs) -> AsyncIterator[None]:
    """The link's task, ended on the way out."""
    task = asyncio.create_task(link.run(), name="link")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def check(
    plugin: DriverPlugin, options: Any, link: Runs, seconds: float, say: Say
) -> Checked:
    """Listen for so many seconds; say each reading."""
    result = Checked()

    def report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        key = f"{code} {subject}".strip()
        result.faults.pop(key, None)
        if active:
            result.faults[key] = text
            say(f"{code}: {text}")

    meter = plugin.build(options, DriverContext("meter", LoopClock(), OneLink(link), report))
    assert isinstance(meter, Meter), "a plugin of this role builds meters"

    def take(reading: MeterReading) -> None:
        say(reading_line(reading, result.readings[-1] if result.readings else None))
        result.readings.append(reading)

    meter.on_reading(take)
    async with running(link):
        await _run_for(meter, seconds)
        result.link = link.health.why
    result.skipped = dict(link.health.skipped)
    return result


async def _run_for(meter: Meter, seconds: float) -> None:
    task = asyncio.create_task(meter.run(), name="meter")
    await asyncio.wait([task], timeout=seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await meter.stop()
