"""The grid meter as the site sees it; meets ports.devices.Meter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from gridzero.domain.readings import MeterReading
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.metering.codec import NoReading
from gridzero_drivers.metering.desk import Desk
from gridzero_drivers.metering.stamps import StampClock
from gridzero_drivers.sma_meter.codec import Datagram, NotOurs, decode
from gridzero_drivers.sma_meter.options import SmaMeterOptions

_OTHERS: Final = "other meters"
_TURN_MS: Final = 1 << 32

OTHERS_S: Final = 60.0
"""A second meter that was silent for this long is gone."""


class SmaMeter:
    """Turns datagrams into readings as they arrive; never raises whatever arrives."""

    def __init__(self, options: SmaMeterOptions, context: DriverContext) -> None:
        self._name = context.name
        self.interval_s = options.expected_interval_s
        self._clock = context.clock
        self._options = options
        self._desk = Desk(context.report)
        self._link = context.links.udp(options.link)
        self._link.listen(self._on_datagram)
        self._stamps = StampClock()
        self._ticker = _Ticker()
        self._own: int | None = None
        self._other_at_s = float("-inf")
        self._last_at_s = float("-inf")

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
        """Wait: readings come by callback, and their age is judged by the core."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Nothing to leave safe: a meter only speaks."""

    def _on_datagram(self, data: bytes) -> None:
        said = decode(data)
        if isinstance(said, NotOurs):
            self._link.health.skip(said)
        elif self._is_meant(said):
            self._take(said)

    def _is_meant(self, said: Datagram) -> bool:
        """Two meters and no serial number: nobody knows which one is at the house connection.

        So neither counts while both speak, and when one falls silent only the first heard does.
        """
        if self._options.serial is not None:
            return said.serial == self._options.serial
        if self._own is None:
            self._own = said.serial
        now_s = self._clock.now_s()
        if said.serial != self._own:
            self._other_at_s = now_s
            text = f"meters {self._own} and {said.serial} both speak. Set serial to the right one"
            self._desk.blame(_OTHERS, text)
        elif now_s - self._other_at_s > OTHERS_S:
            self._desk.praise(_OTHERS)
        return said.serial == self._own and now_s - self._other_at_s > OTHERS_S

    def _take(self, said: Datagram) -> None:
        now_s = self._clock.now_s()
        lag_s = self._stamps.lag_s(self._ticker.seconds(said.ticker_ms), now_s)
        if isinstance(lag_s, NoReading):
            self._link.health.skip(lag_s)
        elif not abs(said.grid_w) <= self._options.plausible_w:
            self._link.health.skip(NoReading.IMPLAUSIBLE)
            self._desk.blame("", f"implausible: {said.grid_w:.0f} W")
        else:
            at_s = max(self._last_at_s, now_s - self._options.latency_s - lag_s)
            self._last_at_s = at_s
            counters = (_kwh(said.import_ws), _kwh(said.export_ws))
            self._desk.publish(MeterReading(at_s, now_s, said.grid_w, *counters))


def _kwh(counted_ws: int | None) -> float | None:
    return None if counted_ws is None else counted_ws / 3.6e6


class _Ticker:
    """The meter's milliseconds as seconds that do not begin again each 49.7 days."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._turns = 0

    def seconds(self, ticker_ms: int) -> float:
        if self._last_ms - ticker_ms > _TURN_MS // 2:
            self._turns += 1
        elif ticker_ms - self._last_ms > _TURN_MS // 2 and self._turns:
            return ((self._turns - 1) * _TURN_MS + ticker_ms) / 1000  # late, from before the turn
        self._last_ms = ticker_ms
        return (self._turns * _TURN_MS + ticker_ms) / 1000
