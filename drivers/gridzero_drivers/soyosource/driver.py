"""SoyoSource grid-tie inverters on one RS485 port, as one inverter of the site.

The set-point path is short: a changed set-point is written from inside ``command``, so a meter
message reaches the wire in the same turn of the event loop. ``run`` only repeats the last demand,
asks for status, and lets an unrenewed set-point end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from gridzero.domain.converters import ConverterSpec, Dynamics, LossCurve, Setpoint
from gridzero.domain.readings import ConverterReading, ConverterState
from gridzero.errors import LinkError
from gridzero.ports.devices import OnSent
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.soyosource.codec import (
    QUERY,
    Demand,
    Query,
    Status,
    demand_per_unit_w,
    status_name,
)
from gridzero_drivers.soyosource.options import SoyosourceOptions
from gridzero_drivers.soyosource.pacing import MIN_GAP_S, SOON_S, Pace
from gridzero_drivers.soyosource.stream import DEMAND, STATUS, STATUS_QUERY, FrameStream
from gridzero_drivers.soyosource.telemetry import Telemetry

log = structlog.get_logger()

STOP_FRAMES: Final = 5
FORGETS_AFTER_S: Final = 10.0
"""Longest time that an inverter is said to go on without frames (section 1.8)."""
_AFTER_LEASE_S: Final = 0.001
_ROUNDING_W: Final = 1e-6  # so that 900 W of demand survives a division and a multiplication


def spec_of(options: SoyosourceOptions) -> ConverterSpec:
    """Limits and dynamics of all units together (figures of section 3.6).

    Set-points and the ledger are AC output; only the bytes on the wire are demands, so the gain
    between the two stays in here and the dynamics have none.
    """
    units = options.units
    return ConverterSpec(
        min_w=options.min_w * units * options.gain,
        max_w=options.max_w * units * options.gain,
        efficiency=options.efficiency,
        dynamics=Dynamics(
            dead_time_s=0.3,
            jump_w=57.0 * units,
            rise_w_per_s=75.0 * units,
            fall_w_per_s=100.0 * units,
            zero_at_once=True,
        ),
        window=options.window,
        losses=_losses(options),
    )


def _losses(options: SoyosourceOptions) -> LossCurve:
    """A line by the DC power that the firmware regulates (section 3.2), and what is set."""
    max_w = options.max_w * options.gain
    return LossCurve(
        square_per_w=options.full_load_extra_w / (max_w * max_w * options.units),
        share=1.0 / options.efficiency - 1.0,
        run_w=options.run_w * options.units,
        standby_w=options.standby_w * options.units,
        start_wh=options.start_wh * options.units,
    )


class SoyosourceInverter:
    """Meets ports.devices.Inverter. write_errors: frames that the port did not take."""

    def __init__(self, options: SoyosourceOptions, context: DriverContext) -> None:
        self.name = context.name
        self.spec = spec_of(options)
        self.write_errors = 0
        self._options = options
        self._clock = context.clock
        self._report = context.report
        self._link = context.links.serial(options.link)
        self._pace = Pace(
            options.send_period_s, options.status_period_s if options.read_status else None
        )
        self._telemetry = Telemetry(options)
        self._stream: FrameStream[Status | Demand | Query] = FrameStream(
            (STATUS, DEMAND, STATUS_QUERY), self._link.health.skip
        )
        self._listeners: list[OnSent] = []
        self._setpoint: Setpoint | None = None
        self._lease_expired = False
        self._stopped = False
        self._sent_w: int | None = None  # per unit; None = nothing that still counts
        self._broken: LinkError | None = None
        self._link_up = True
        self._wake = asyncio.Event()
        self._planned_s = 0.0
        self._link.listen(self._on_bytes)

    @property
    def state(self) -> ConverterState:
        """By the last status while it is fresh and not normal, else by what was sent."""
        if trouble := self._telemetry.trouble(self._clock.now_s()):
            return trouble
        if self._sent_w is None:
            return ConverterState.UNKNOWN
        return ConverterState.RUNNING if self._sent_w else ConverterState.OFF

    def reading(self) -> ConverterReading | None:
        """The last status while fresh; ``ac_w`` in it is an estimate from DC power."""
        return self._telemetry.reading(self._clock.now_s())

    def telemetry_expected(self) -> bool:
        """Never: many units obey for years without one reply."""
        return False

    def on_sent(self, listener: OnSent) -> None:
        """Tell listener (when in s, AC output of all units in W) at each change on the wire.

        Output is the demand times the gain: what will be delivered once it has been followed.

        A port that took nothing for FORGETS_AFTER_S counts as 0 W.
        """
        self._listeners.append(listener)

    def command(self, setpoint: Setpoint) -> None:
        """Take a set-point and write it at once, or 250 ms after the last frame."""
        if self._stopped:
            return
        self._setpoint = setpoint
        self._serve_demand(self._clock.now_s())
        if self._broken or self._next_s() < self._planned_s - SOON_S:
            self._wake.set()

    async def run(self) -> None:
        """Repeat the demand. Raises LinkError when the port does not take it."""
        self._stopped = False
        while True:
            now_s = self._clock.now_s()
            self._serve_demand(now_s)
            self._serve_query(now_s)
            if self._broken:
                raise self._broken
            await self._rest(now_s)

    async def stop(self) -> None:
        """Say zero several times within 1.5 s: the inverter believes silence only much later."""
        self._stopped = True
        self._setpoint = None
        since_s = self._clock.now_s() - self._pace.demand_at_s
        await self._clock.sleep_s(max(MIN_GAP_S - since_s, 0.0))
        for _ in range(STOP_FRAMES):
            self._send_demand(0, self._clock.now_s())
            await self._clock.sleep_s(MIN_GAP_S)

    async def _rest(self, now_s: float) -> None:
        self._planned_s = self._next_s()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._planned_s - now_s):
                await self._wake.wait()
        self._wake.clear()

    def _next_s(self) -> float:
        """When something is to be done next, if nothing happens before."""
        changed = self._wanted_w(self._clock.now_s()) != self._sent_w
        next_s = min(self._pace.demand_due_s(changed=changed), self._pace.query_due_s())
        if self._setpoint and not self._lease_expired:
            next_s = min(next_s, self._setpoint.until_s + _AFTER_LEASE_S)
        return next_s

    def _serve_demand(self, now_s: float) -> None:
        self._watch_lease(now_s)
        wanted_w = self._wanted_w(now_s)
        if self._pace.demand_is_due(now_s, changed=wanted_w != self._sent_w):
            self._send_demand(wanted_w, now_s)

    def _serve_query(self, now_s: float) -> None:
        if self._pace.take_query(now_s):
            self._stream.clear()
            self._write(QUERY)

    def _wanted_w(self, now_s: float) -> int:
        """Demand per unit, W, that may be on the wire now."""
        if self._setpoint is None:
            return 0
        return demand_per_unit_w(
            self._setpoint.power_at(now_s) / self._options.gain + _ROUNDING_W,
            units=self._options.units,
            min_per_unit_w=self._options.min_w,
            max_per_unit_w=self._options.max_w,
        )

    def _send_demand(self, per_unit_w: int, now_s: float) -> None:
        if self._write(Demand(per_unit_w).to_bytes()):
            self._pace.demand_left(now_s)
            self._note(per_unit_w, now_s)
        elif now_s - self._pace.demand_at_s > FORGETS_AFTER_S:
            self._note(None, now_s)

    def _note(self, per_unit_w: int | None, now_s: float) -> None:
        """Keep the ledger: what the units are obeying now, None = nothing, after long silence."""
        if per_unit_w == self._sent_w:
            return
        self._sent_w = per_unit_w
        for listener in self._listeners:
            listener(now_s, (per_unit_w or 0) * self._options.units * self._options.gain)

    def _write(self, data: bytes) -> bool:
        try:
            self._link.write(data)
        except LinkError as error:
            self._lost(error)
            return False
        self._broken = None
        if not self._link_up:
            self._link_up = True
            log.info("link.recovered", device=self.name, link=self._link.name)
            self._report("link_down", active=False)
        return True

    def _lost(self, error: LinkError) -> None:
        self.write_errors += 1
        self._broken = error
        if self._link_up:
            self._link_up = False
            log.warning("link.lost", device=self.name, link=self._link.name, what=error.what)
            self._report("link_down", active=True, text=str(error))

    def _watch_lease(self, now_s: float) -> None:
        setpoint = self._setpoint
        # phrased so that a lease end that is not a number counts as expired
        expired = setpoint is not None and not now_s <= setpoint.until_s
        if expired == self._lease_expired:
            return
        self._lease_expired = expired
        if expired:
            log.warning("lease.expired", device=self.name, sending_w=0)
        else:
            log.info("lease.renewed", device=self.name)
        self._report("lease_expired", active=expired)

    def _on_bytes(self, data: bytes) -> None:
        for frame in self._stream.feed(data):
            if isinstance(frame, Status):  # everything else is an echo of our own frames
                self._take_status(frame)

    def _take_status(self, status: Status) -> None:
        if not self._telemetry.take(status, self._clock.now_s()):
            return
        name = status_name(status.code)
        log.info("status.changed", device=self.name, code=status.code, status=name)
        self._report(
            "inverter_fault",
            active=not self._telemetry.is_normal,
            text=f"operation status {status.code} ({name}): no power is delivered",
        )
