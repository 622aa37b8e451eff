"""One R48 rectifier as a charger: leased set-points in, CAN frames out, telemetry back.

The order of things is in sequence.py; here the wire is made to agree with it, people are told,
and the ways out are kept safe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from gridzero.domain.converters import ConverterSpec, Setpoint
from gridzero.domain.readings import ConverterReading, ConverterState
from gridzero.errors import FrameError
from gridzero.ports.devices import OnSent, Switch
from gridzero.ports.links import CanFrame
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.vertiv_r48.codec import (
    Ack,
    Broadcast,
    Parameter,
    Refusal,
    Status,
    Value,
    decode,
    error_text,
)
from gridzero_drivers.vertiv_r48.contactor import ContactorFeed
from gridzero_drivers.vertiv_r48.ids import COMPAT_ID, answer_filters, request_id
from gridzero_drivers.vertiv_r48.keeper import Keeper
from gridzero_drivers.vertiv_r48.line import Line, Poller
from gridzero_drivers.vertiv_r48.options import VertivR48Options
from gridzero_drivers.vertiv_r48.output import Demand, Rating, Slew
from gridzero_drivers.vertiv_r48.requests import fraction_of
from gridzero_drivers.vertiv_r48.sequence import (
    OPEN_CONTACTOR_AFTER_S,
    STOP_BELOW_A,
    STOP_WITHIN_S,
    Phase,
    Sequence,
)
from gridzero_drivers.vertiv_r48.telemetry import Telemetry

log = structlog.get_logger()

TICK_S = 0.25
_VERIFY_WITHIN_S = 2.0
_QUIET_A = 1.0
_TASK_HANGS_S = 3.0

_POLL_S = {
    Parameter.OUTPUT_V: 1.0,
    Parameter.OUTPUT_A: 1.0,
    Parameter.LIMIT: 4.0,
    Parameter.AC_V: 4.0,
    Parameter.STATUS: 4.0,
    Parameter.TEMPERATURE: 4.0,
}
_OUTPUT_A = int(Parameter.OUTPUT_A)
_SETPOINTS = {int(Parameter.ONLINE_V), int(Parameter.ONLINE_LIMIT), int(Parameter.AC_LIMIT)}

_STATES = {
    Phase.WAITING: ConverterState.UNKNOWN,
    Phase.PROGRAMMING: ConverterState.OFF,
    Phase.READY: ConverterState.OFF,
    Phase.CLOSING: ConverterState.STARTING,
    Phase.HOLDING: ConverterState.STARTING,
    Phase.RUNNING: ConverterState.RUNNING,
    Phase.STOPPING: ConverterState.STOPPING,
    Phase.LOCKED: ConverterState.FAULT,
}


class VertivR48:
    """Meets ports.devices.Charger.

    contactor: a normally open switch on the battery side, or None.
    identity: what the module calls itself on the bus, None until it says so.
    """

    def __init__(
        self, options: VertivR48Options, context: DriverContext, contactor: Switch | None = None
    ) -> None:
        self.name = context.name
        self._feed = ContactorFeed(contactor, self.name)
        self.identity: bytes | None = None
        self._options = options
        self._clock = context.clock
        self._report = context.report
        self._link = context.links.can(options.link)
        self._line = Line(self._link, self._clock, self.name)
        read_id = COMPAT_ID if options.compat_read_ids else request_id(options.module)
        self._poller = Poller(self._line, read_id, {int(p): s for p, s in _POLL_S.items()})
        self._telemetry = Telemetry(options.efficiency, self._link.health)
        self._rating = Rating(options)
        slew = Slew(fraction_of(options.rise_a_per_s, options.rated_dc_w))
        self._sequence = Sequence(self._rating, self._telemetry, options.ramp_hold_s, slew)
        self._keeper = Keeper(options, self._line, self._rating, self._telemetry)
        self._setpoint: Setpoint | None = None
        self._alive = False
        self._ticked_s = 0.0
        self._said: dict[str, str] = {}
        self._hear: dict[type[Any], Callable[[Any], None]] = {
            Value: self._hear_value,
            Status: self._hear_status,
            Ack: self._hear_ack,
            Refusal: self._hear_refusal,
            Broadcast: self._hear_broadcast,
        }
        self._link.listen(self._receive, answer_filters(options.module))

    # --- the port ---------------------------------------------------------------------------

    @property
    def contactor(self) -> Switch | None:
        """The contactor in use; may be set before run()."""
        return self._feed.switch

    @contactor.setter
    def contactor(self, switch: Switch | None) -> None:
        self._feed.switch = switch

    @property
    def spec(self) -> ConverterSpec:
        """Limits and dynamics; ``start_s`` counts from the first power told to on_sent."""
        return self._rating.spec

    @property
    def state(self) -> ConverterState:
        """As far as is known; FAULT while silent, refusing or locked."""
        sequence = self._sequence
        now_s = self._clock.now_s()
        if self._keeper.refused or sequence.complaint or sequence.silent(now_s):
            return ConverterState.FAULT
        if not self._alive and sequence.phase is not Phase.STOPPING:
            return (
                ConverterState.UNKNOWN if self._keeper.sent_on is not False else ConverterState.OFF
            )
        return _STATES[sequence.phase]

    def command(self, setpoint: Setpoint) -> None:
        """Take a set-point. What goes down is on the wire when this returns; never blocks."""
        self._setpoint = setpoint
        if self._alive:
            now_s = self._clock.now_s()
            self._step(now_s)
            if now_s - self._ticked_s > _TASK_HANGS_S:
                self._keep_without_task(now_s)

    def _keep_without_task(self, now_s: float) -> None:
        """The task that repeats and polls hangs: go on from the control loop's own turn.

        Without repeats the unit would go to its stored values, at any current. The control frame
        asks for all values as well, so nothing is blind meanwhile.
        """
        self._say("device_lost", "its task stands still; set-points are repeated without it")
        self._feed_contactor(now_s)
        self._tell_faults(now_s)
        if self._keeper.due(now_s):
            self._keeper.repeat(self._sequence, now_s)

    def reading(self) -> ConverterReading | None:
        """Newest telemetry; None before the first. AC power is estimated from DC power."""
        return self._telemetry.reading(self._clock.now_s())

    def telemetry_expected(self) -> bool:
        """Always: a rectifier that does not answer may be running on its stored values."""
        return True

    def on_sent(self, listener: OnSent) -> None:
        """Tell listener what the rectifier has been told to draw, as AC power <= 0.

        0 until the frame that switches on has left; from then on what the sent current limit
        amounts to at the measured voltage, beginning with the smallest current during the hold
        time. So ``spec.dynamics.start_s`` applies to the first non-zero power, and the rise
        that follows is the driver's own, already slewed. 0 again when the off frame has left.
        """
        self._keeper.listeners.append(listener)

    async def run(self) -> None:
        """Serve until cancelled. Silence of the rectifier is reported and waited out in here."""
        now_s = self._clock.now_s()
        self._sequence.begin(now_s)
        self._keeper.begin(now_s)
        self._ticked_s = now_s
        self._alive = True
        if self._feed.switch is None:
            self._say(
                "charger_no_contactor",
                "no contactor: about 30 s after gridzero ends or the cable breaks, the rectifier "
                "reverts to its stored voltage and current with AC and DC on",
            )
        try:
            while True:
                await self._tick(self._clock.now_s())
        finally:
            self._alive = False

    async def stop(self) -> None:
        """Smallest current, then off, then the contactor; verified while telemetry answers.

        Takes at most about 6 s. The last frames on the wire are smallest current and off.
        """
        self._alive = False
        sequence = self._sequence
        may_be_on = self._keeper.sent_on is not False
        sequence.wind_down(self._clock.now_s())
        self._keeper.apply(sequence, self._clock.now_s())
        if may_be_on:
            await self._amps_fall_below(STOP_BELOW_A, STOP_WITHIN_S)
        sequence.switch_off(self._clock.now_s())
        await self._keeper.refresh(sequence, self._clock)
        quiet = await self._amps_fall_below(_QUIET_A, _VERIFY_WITHIN_S)
        self._feed.feed(self._clock.now_s(), wanted=False)
        await self._keeper.refresh(sequence, self._clock)
        self._tell_how_it_ended(quiet=quiet)

    # --- ticking ----------------------------------------------------------------------------

    async def _tick(self, now_s: float) -> None:
        self._ticked_s = now_s
        self._say("device_lost", "")
        self._step(now_s)
        self._feed_contactor(now_s)
        self._tell_faults(now_s)
        if self._keeper.due(now_s):  # its control frame asks for all values: no read as well
            await self._keeper.refresh(self._sequence, self._clock)
        else:
            await self._line.pause()
            self._poller.tick(self._clock.now_s())
        await self._clock.sleep_s(max(0.0, now_s + TICK_S - self._clock.now_s()))

    def _step(self, now_s: float) -> None:
        """Decide and send what changed, without waiting for anything."""
        sequence = self._sequence
        before = sequence.phase
        sequence.step(
            now_s,
            self._demand(now_s),
            refused=bool(self._keeper.refused),
            contactor_open=self._feed.is_open(),
        )
        if sequence.phase is not before:
            self._entered(now_s, before)
        if sequence.phase is Phase.STOPPING:
            self._poller.soon(now_s, Parameter.OUTPUT_A)
        self._keeper.apply(sequence, now_s)

    def _demand(self, now_s: float) -> Demand:
        setpoint = self._setpoint
        power_w = 0.0 if setpoint is None else setpoint.power_at(now_s)
        expired = setpoint is not None and setpoint.power_w > 0.0 and now_s > setpoint.until_s
        self._say("lease_expired", "no set-point came in time; charging stops" if expired else "")
        return self._rating.demand(setpoint, power_w, self._telemetry.volts(now_s))

    def _entered(self, now_s: float, before: Phase) -> None:
        phase = self._sequence.phase
        log.info("charger.phase_changed", device=self.name, phase=phase.value, was=before.value)
        if phase is Phase.PROGRAMMING:
            self._keeper.program(now_s)
            self._poller.soon(now_s, Parameter.LIMIT, Parameter.STATUS)

    def _feed_contactor(self, now_s: float) -> None:
        """Open it as well when the control loop has not spoken for long."""
        setpoint = self._setpoint
        until_s = float("-inf") if setpoint is None else setpoint.until_s
        if now_s > until_s + OPEN_CONTACTOR_AFTER_S:
            self._sequence.closed = False
        self._feed.feed(now_s, wanted=self._sequence.closed)

    # --- hearing ----------------------------------------------------------------------------

    def _receive(self, frame: CanFrame) -> None:
        try:
            message = decode(frame)
        except FrameError:
            self._link.health.skip("r48 frame that does not fit")
            return
        if message is not None:
            self._hear[type(message)](message)

    def _hear_value(self, message: Value) -> None:
        self._poller.answered(message.parameter)
        self._telemetry.take(message, self._clock.now_s())

    def _hear_status(self, message: Status) -> None:
        self._poller.answered(message.parameter)
        before = self._telemetry.status_word
        self._telemetry.take(message, self._clock.now_s())
        if self._telemetry.status_word != before:
            word = f"{message.word:08x}"
            log.info("charger.status_changed", device=self.name, word=word)

    def _hear_ack(self, message: Ack) -> None:
        self._keeper.accepted(message.parameter)

    def _hear_refusal(self, message: Refusal) -> None:
        self._link.health.skip("r48 refusal")
        if not message.of_write:
            self._poller.answered(message.parameter)
        elif message.parameter in _SETPOINTS and message.parameter not in self._keeper.refused:
            self._keeper.refused[message.parameter] = error_text(message.error_code)

    def _hear_broadcast(self, message: Broadcast) -> None:
        if message.identity is not None and message.identity != self.identity:
            log.info("charger.identified", device=self.name, identity=message.identity.hex())
            self.identity = message.identity

    # --- telling ----------------------------------------------------------------------------

    def _tell_faults(self, now_s: float) -> None:
        sequence = self._sequence
        silent, tripped = sequence.silent(now_s), sequence.tripped(now_s)
        self._say("charger_silent", "no voltage and current from it for 5 s" if silent else "")
        self._say("charger_refused", self._refusal_text())
        self._say("charger_alarm", ", ".join(self._telemetry.alarms))
        self._say("charger_over_setpoint", "it gives more than it was told" if tripped else "")

    def _refusal_text(self) -> str:
        refused = self._keeper.refused
        if not refused:
            return self._sequence.complaint
        return "; ".join(f"0x{code:02x}: {why}" for code, why in sorted(refused.items()))

    def _say(self, code: str, text: str) -> None:
        """Report changes only; an empty text means that it is over."""
        if self._said.get(code, "") != text:
            self._said[code] = text
            self._report(code, active=bool(text), text=text)

    # --- the way out ------------------------------------------------------------------------

    async def _amps_fall_below(self, limit_a: float, within_s: float) -> bool:
        begun_s = self._clock.now_s()
        while self._clock.now_s() < begun_s + within_s - 0.001:
            self._feed.renew(self._clock.now_s())
            self._poller.ask(_OUTPUT_A, self._clock.now_s())
            await self._clock.sleep_s(TICK_S)
            amps = self._telemetry.amps_since(begun_s)
            if amps is not None and amps < limit_a:
                return True
        return False

    def _tell_how_it_ended(self, *, quiet: bool) -> None:
        amps = self._telemetry.amps(self._clock.now_s())
        log.info("charger.stopped", device=self.name, verified=quiet, last_a=amps)
        if not quiet and amps is not None:
            self._say("charger_over_setpoint", "it still gives current after being switched off")
        if self._feed.switch is None:
            self._say(
                "charger_no_contactor",
                "stopped without a contactor: in about 30 s the rectifier reverts to its stored "
                "voltage and current with AC and DC on",
            )
