"""A meter that is asked, one question at a time; meets ports.devices.Meter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gridzero.domain.readings import MeterReading
from gridzero.errors import LinkError
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.http_meter.options import HttpMeterOptions
from gridzero_drivers.metering.codec import NoReading, excerpt
from gridzero_drivers.metering.counters import Counters
from gridzero_drivers.metering.desk import Desk
from gridzero_drivers.metering.rounds import Rounds

PATIENCE_S: Final = 10.0
"""An answer without the path may be a moment of the device's; for this long, it is a mistake."""

SHORTEST_PAUSE_S: Final = 0.05
"""Between an answer and the next question, however slow the answer was."""


class HttpMeter:
    """Turns answers into readings; never raises whatever is answered.

    A reading is as old as the question: nobody knows when in between the device looked.
    """

    def __init__(self, options: HttpMeterOptions, context: DriverContext) -> None:
        self._name = context.name
        self.interval_s = options.expected_interval_s
        self._request = options.target
        self._clock = context.clock
        self._link = context.links.http(options.link)
        self._rounds = Rounds(options.terms(), options, options.format)
        self._desk = Desk(context.report)
        self._counters = Counters(options.counter_paths(), options.kwh_scale, options.format)
        self._missing_since_s: float | None = None

    @property
    def name(self) -> str:
        """The device's key in the configuration."""
        return self._name

    def latest(self) -> MeterReading | None:
        """Newest valid reading, None before the first."""
        return self._desk.latest

    def on_reading(self, listener: Callable[[MeterReading], None]) -> None:
        """Call listener at once for each new valid reading."""
        self._desk.on_reading(listener)

    async def run(self) -> None:
        """Ask for ever. A silent server is told by its link, the age of readings by the core."""
        while True:
            asked_at_s = self._clock.now_s()
            await self._ask(asked_at_s)
            left_s = asked_at_s + self.interval_s - self._clock.now_s()
            await self._clock.sleep_s(max(left_s, SHORTEST_PAUSE_S))

    async def stop(self) -> None:
        """Nothing to leave safe: a meter is only asked."""

    async def _ask(self, asked_at_s: float) -> None:
        try:
            body = await self._link.get(self._request)
        except LinkError:
            return  # counted and told by the link
        now_s = self._clock.now_s()
        result = self._rounds.take(self._request, body, now_s, asked_at_s)
        if isinstance(result, MeterReading):
            self._missing_since_s = None
            self._counters.hear(body)
            import_kwh, export_kwh = self._counters.take()
            self._desk.publish(replace(result, import_kwh=import_kwh, export_kwh=export_kwh))
        elif isinstance(result, NoReading):
            self._refused(result, body, now_s)

    def _refused(self, why: NoReading, body: bytes, now_s: float) -> None:
        self._link.health.skip(why)
        if why.is_garbage or self._lacks_the_path(why, now_s):
            said = f"{self._request} answered {excerpt(body)}"
            self._desk.blame("", f"{why.replace('_', ' ')}: {said}")

    def _lacks_the_path(self, why: NoReading, now_s: float) -> bool:
        if why is not NoReading.PATH_MISSING:
            return False
        if self._missing_since_s is None:
            self._missing_since_s = now_s
        return now_s - self._missing_since_s >= PATIENCE_S
