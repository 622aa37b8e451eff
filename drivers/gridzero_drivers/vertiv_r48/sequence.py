"""The order in which a rectifier is started, run and stopped; no I/O, no clock of its own.

The sequence only sets what shall be true: on or off, current fraction, voltage, contactor. The
driver makes the wire agree, at once where it goes down and every two seconds in any case.

    WAITING      nothing heard, or nothing for 5 s: minimum and off are repeated
    PROGRAMMING  off; voltage and smallest current are set, the current limit is read back
    READY        off, and known to obey
    CLOSING      the contactor is asked to close, the rectifier still off
    HOLDING      on, smallest current, until the unit's own ramp is over
    RUNNING      follows the demand: down at once, up at a fixed pace
    STOPPING     smallest current, until it flows no more or 3 s are over; then off
    LOCKED       it gave more than it was told: off for 60 s
"""

from __future__ import annotations

from enum import StrEnum

from gridzero_drivers.vertiv_r48.output import Demand, Rating, Slew
from gridzero_drivers.vertiv_r48.telemetry import SILENT_S, Excess, Telemetry

OPEN_CONTACTOR_AFTER_S = 15.0
STOP_BELOW_A = 2.0
STOP_WITHIN_S = 3.0
LOCK_S = 60.0
_COMPLAIN_AFTER_S = 3.0
_CONTACTOR_SETTLES_S = 0.5


class Phase(StrEnum):
    """Where in the sequence the rectifier is."""

    WAITING = "waiting"
    PROGRAMMING = "programming"
    READY = "ready"
    CLOSING = "closing"
    HOLDING = "holding"
    RUNNING = "running"
    STOPPING = "stopping"
    LOCKED = "locked"


class Sequence:
    """One rectifier's state machine; call step() at every tick and with every command.

    on, fraction, volts: what the rectifier shall be told. closed: whether the contactor shall
    be closed. complaint: why it is not started although it answers, "" = nothing.
    """

    def __init__(self, rating: Rating, telemetry: Telemetry, hold_s: float, slew: Slew) -> None:
        self._rating = rating
        self._telemetry = telemetry
        self._hold_s = hold_s
        self._slew = slew
        self._excess = Excess()
        self._begun_at_s = self._since_s = 0.0
        self._contactor_open: bool | None = None
        self._on_at_s: float | None = None
        self._locked_until_s = float("-inf")
        self.phase = Phase.WAITING
        self.on = False
        self.closed = False
        self.complaint = ""
        self.fraction = rating.min_fraction
        self.volts = rating.demand(None, 0.0, None).volts
        self._steps = {
            Phase.WAITING: self._waiting,
            Phase.PROGRAMMING: self._programming,
            Phase.READY: self._ready,
            Phase.CLOSING: self._closing,
            Phase.HOLDING: self._holding,
            Phase.RUNNING: self._running,
            Phase.STOPPING: self._stopping,
            Phase.LOCKED: self._locked,
        }

    def begin(self, now_s: float) -> None:
        """Know nothing; off until it has answered."""
        self._telemetry.forget()
        self._begun_at_s = self._since_s = now_s
        self._off(now_s, Phase.WAITING)

    def switched_on(self, now_s: float) -> None:
        """The frame that switches on has left: the hold time counts from here."""
        if self._on_at_s is None:
            self._on_at_s = now_s

    def wind_down(self, now_s: float) -> None:
        """Smallest current, still on: the first half of stopping."""
        self.fraction = self._rating.min_fraction
        self._enter(Phase.STOPPING, now_s)

    def switch_off(self, now_s: float) -> None:
        """Off: the second half of stopping."""
        self._off(now_s, Phase.READY)

    def silent(self, now_s: float) -> bool:
        """Whether nothing usable was heard for 5 s."""
        return self.phase is Phase.WAITING and now_s - self._heard_at_s() > SILENT_S

    def tripped(self, now_s: float) -> bool:
        """Whether it gave too much within the last minute."""
        return now_s < self._locked_until_s

    def step(
        self, now_s: float, demand: Demand, *, refused: bool, contactor_open: bool | None
    ) -> None:
        """Go on with what is known now.

        refused: a set-point is being refused. contactor_open: None = there is no contactor.
        """
        self.volts = demand.volts
        self._contactor_open = contactor_open
        self._watch_silence(now_s)
        self._watch_excess(now_s)
        cut_off = contactor_open and self.phase in (Phase.HOLDING, Phase.RUNNING)
        if refused or cut_off:
            demand = Demand(0.0, demand.volts)
        self._steps[self.phase](now_s, demand)

    def _watch_silence(self, now_s: float) -> None:
        quiet_s = now_s - self._heard_at_s()
        if quiet_s > SILENT_S and self.phase is not Phase.WAITING:
            self._off(now_s, Phase.WAITING)
        if quiet_s > OPEN_CONTACTOR_AFTER_S:
            self.closed = False

    def _heard_at_s(self) -> float:
        measured_at_s = self._telemetry.measured_at_s()
        return self._begun_at_s if measured_at_s is None else measured_at_s

    def _watch_excess(self, now_s: float) -> None:
        heard = self._telemetry
        volts, amps = heard.volts(now_s), heard.amps(now_s)
        max_a = self._rating.amps(self.fraction)
        if not self._excess.lasts(now_s, volts, amps, self.volts, max_a):
            return
        self._locked_until_s = now_s + LOCK_S
        if self.phase in (Phase.HOLDING, Phase.RUNNING):
            self.wind_down(now_s)
        elif self.phase is not Phase.STOPPING:
            self._lock(now_s)

    def _waiting(self, now_s: float, _: Demand) -> None:
        measured_at_s = self._telemetry.measured_at_s()
        if measured_at_s is not None and measured_at_s > self._since_s:
            self._enter(Phase.PROGRAMMING, now_s)

    def _programming(self, now_s: float, _: Demand) -> None:
        limit = self._telemetry.limit_since(self._since_s)
        if limit is not None and self._agrees(limit):
            self.complaint = ""
            self._enter(Phase.READY, now_s)
        elif now_s - self._since_s > _COMPLAIN_AFTER_S:
            reads = "nothing" if limit is None else f"{limit:.3f}"
            self.complaint = f"its current limit reads back {reads}, not {self.fraction:.3f} as set"

    def _agrees(self, limit: float) -> bool:
        """Within 1 % and one step of the unit's resolution."""
        return abs(limit - self.fraction) <= 0.01 * self.fraction + 1.001 / 1024

    def _ready(self, now_s: float, demand: Demand) -> None:
        if demand.fraction == 0.0 or self.tripped(now_s):
            return
        if self._pack_is_plausible(now_s, demand):
            self.closed = True
            self._enter(Phase.CLOSING, now_s)
            self._closing(now_s, demand)

    def _pack_is_plausible(self, now_s: float, demand: Demand) -> bool:
        """A guarded demand vouches for the cells; here only: not above the voltage limit.

        A low reading proves nothing: with DC off the terminals may read 0 V.
        """
        volts = self._telemetry.volts(now_s)
        return volts is not None and volts <= demand.volts + Excess.OVER_V

    def _closing(self, now_s: float, demand: Demand) -> None:
        if demand.fraction == 0.0:
            self._enter(Phase.READY, now_s)
        elif self._contactor_has_settled(now_s):
            self.on, self._on_at_s = True, None
            self._enter(Phase.HOLDING, now_s)

    def _contactor_has_settled(self, now_s: float) -> bool:
        if self._contactor_open is None:
            return True
        return not self._contactor_open and now_s - self._since_s >= _CONTACTOR_SETTLES_S

    def _holding(self, now_s: float, demand: Demand) -> None:
        if demand.fraction == 0.0:
            self.wind_down(now_s)
        elif self._on_at_s is not None and now_s - self._on_at_s >= self._hold_s:
            self._slew.begin(now_s)
            self._enter(Phase.RUNNING, now_s)

    def _running(self, now_s: float, demand: Demand) -> None:
        if demand.fraction == 0.0:
            self.wind_down(now_s)
        else:
            self.fraction = self._slew.toward(now_s, self.fraction, demand.fraction)

    def _stopping(self, now_s: float, _: Demand) -> None:
        amps = self._telemetry.amps_since(self._since_s)
        faded = amps is not None and amps < STOP_BELOW_A
        if not (faded or now_s - self._since_s >= STOP_WITHIN_S):
            return
        if self.tripped(now_s):
            self._lock(now_s)
        else:
            self._off(now_s, Phase.READY)

    def _locked(self, now_s: float, _: Demand) -> None:
        if not self.tripped(now_s):
            self._enter(Phase.PROGRAMMING, now_s)

    def _lock(self, now_s: float) -> None:
        self.closed = False
        self._off(now_s, Phase.LOCKED)

    def _off(self, now_s: float, phase: Phase) -> None:
        self.on = False
        self.complaint = ""
        self._on_at_s = None
        self.fraction = self._rating.min_fraction
        self._enter(phase, now_s)

    def _enter(self, phase: Phase, now_s: float) -> None:
        if phase is not self.phase:
            self.phase = phase
            self._since_s = now_s
