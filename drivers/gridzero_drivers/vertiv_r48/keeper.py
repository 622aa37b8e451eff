"""Keeps the rectifier told what the sequence wants, before the unit forgets it.

The unit drops voltage and current about 30 s after their last repeat and the control byte about
40 s after its own, so the three are repeated together, every two seconds.
"""

from __future__ import annotations

from gridzero.ports.clock import Clock
from gridzero.ports.devices import OnSent
from gridzero_drivers.vertiv_r48 import requests
from gridzero_drivers.vertiv_r48.codec import Parameter
from gridzero_drivers.vertiv_r48.ids import request_id
from gridzero_drivers.vertiv_r48.line import Line
from gridzero_drivers.vertiv_r48.options import VertivR48Options
from gridzero_drivers.vertiv_r48.output import Rating
from gridzero_drivers.vertiv_r48.sequence import Phase, Sequence
from gridzero_drivers.vertiv_r48.telemetry import Telemetry

_AC_LIMIT_TRIES = 3
_AC_LIMIT_PAUSE_S = 60.0
_TELL_STEP_W = 1.0
_AC_LIMIT = int(Parameter.AC_LIMIT)


class Keeper:
    """Compares what was sent with what is wanted. None as a sent value: it has to go out again.

    refused: set-points that the rectifier refuses (parameter -> why).
    listeners: who is told the AC power that now stands on the wire.
    """

    def __init__(
        self, options: VertivR48Options, line: Line, rating: Rating, telemetry: Telemetry
    ) -> None:
        self.refused: dict[int, str] = {}
        self.listeners: list[OnSent] = []
        self.sent_on: bool | None = None
        self._sent_fraction: float | None = None
        self._sent_volts: float | None = None
        self._ac_limit_a = options.ac_limit_a
        self._ac_limit_tries = 0
        self._ac_limit_at_s = float("-inf")
        self._refresh_s = options.refresh_s
        self._due_s = 0.0
        self._told_w = 0.0
        self._line = line
        self._rating = rating
        self._telemetry = telemetry
        self._id = request_id(options.module)
        self._control = {
            True: requests.control(options.module),
            False: requests.control(options.module, ac_off=True, dc_off=True),
        }

    def begin(self, now_s: float) -> None:
        """Nothing is known to stand on the other side."""
        self._sent_fraction = self._sent_volts = self.sent_on = None
        self.hurry(now_s)

    def program(self, now_s: float) -> None:
        """All set-points are due, the AC limit too."""
        self._ac_limit_tries = 0
        self.hurry(now_s)

    def hurry(self, now_s: float) -> None:
        """Make the next repeat due now."""
        self._due_s = now_s

    def due(self, now_s: float) -> bool:
        """Whether it is time to repeat."""
        return now_s >= self._due_s - 0.001

    def accepted(self, parameter: int) -> None:
        """The rectifier acknowledged a write."""
        if parameter == _AC_LIMIT:
            self._ac_limit_tries = _AC_LIMIT_TRIES
        if self.refused:
            self.refused.pop(parameter, None)

    def apply(self, sequence: Sequence, now_s: float) -> None:
        """Send changed limits at once; on and off go with the repeat, which is then due."""
        if sequence.fraction != self._sent_fraction:
            self._send_limit(sequence, now_s)
        if sequence.volts != self._sent_volts:
            self._send_volts(sequence)
        if sequence.on is not self.sent_on:
            self.hurry(now_s)

    async def refresh(self, sequence: Sequence, clock: Clock) -> None:
        """All that lapses, together: voltage and current before the control byte."""
        self._due_s = clock.now_s() + self._refresh_s
        if self._ac_limit_is_due(sequence, clock.now_s()):
            await self._line.pause()
            self._send_ac_limit(clock.now_s())
        await self._line.pause()
        self._send_volts(sequence)
        await self._line.pause()
        self._send_limit(sequence, clock.now_s())
        await self._line.pause()
        self._send_control(sequence, clock.now_s())

    def repeat(self, sequence: Sequence, now_s: float) -> None:
        """What lapses, at once and without pauses: for when nobody is there who could wait."""
        self._due_s = now_s + self._refresh_s
        self._send_volts(sequence)
        self._send_limit(sequence, now_s)
        self._send_control(sequence, now_s)

    def _send_volts(self, sequence: Sequence) -> None:
        volts = sequence.volts
        sent = self._line.send(requests.online_volts(self._id, volts))
        self._sent_volts = volts if sent else None

    def _send_limit(self, sequence: Sequence, now_s: float) -> None:
        fraction = sequence.fraction
        sent = self._line.send(requests.online_limit(self._id, fraction))
        self._sent_fraction = fraction if sent else None
        self._tell_power(now_s)

    def _send_control(self, sequence: Sequence, now_s: float) -> None:
        wanted = sequence.on
        if not self._line.send(self._control[wanted]):
            self.sent_on = None
            return
        self.sent_on = wanted
        if wanted:
            sequence.switched_on(now_s)
        self._tell_power(now_s)

    def _ac_limit_is_due(self, sequence: Sequence, now_s: float) -> bool:
        """At start-up, and again only while unanswered or refused.

        Nobody knows whether the unit stores it, so starts in quick succession share one write.
        """
        if self._ac_limit_a is None or sequence.phase is Phase.WAITING:
            return False
        if self._ac_limit_tries == 0:
            return now_s - self._ac_limit_at_s >= _AC_LIMIT_PAUSE_S
        return self._ac_limit_tries < _AC_LIMIT_TRIES or _AC_LIMIT in self.refused

    def _send_ac_limit(self, now_s: float) -> None:
        if self._ac_limit_a is not None:
            self._ac_limit_tries += 1
            self._ac_limit_at_s = now_s
            self._line.send(requests.ac_limit(self._id, self._ac_limit_a))

    def _tell_power(self, now_s: float) -> None:
        """What is sent now, as AC power; small drifts of the voltage are not worth a word."""
        if self._sent_fraction is None or self.sent_on is None:
            return
        volts = self._telemetry.volts(now_s)
        power_w = self._rating.ac_w(self._sent_fraction, volts) if self.sent_on else 0.0
        if abs(power_w - self._told_w) < _TELL_STEP_W and (power_w > 0.0) == (self._told_w > 0.0):
            return
        self._told_w = power_w
        for listener in self.listeners:
            listener(now_s, 0.0 - power_w)
