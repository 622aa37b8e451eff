"""A relay that is closed for as long as somebody renews its lease; meets ports.devices.Switch.

Only run() closes it: what nobody would open again is not closed in the first place.
"""

from __future__ import annotations

from contextlib import suppress

import structlog

from gridzero.errors import LinkError
from gridzero.ports.links import GpioInput
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.gpio_switch.codec import is_active
from gridzero_drivers.gpio_switch.options import GpioSwitchOptions

log = structlog.get_logger()

_NEVER = float("-inf")
_STOP_LOOK_S = 0.05
_STOP_BEYOND_S = 0.5


class GpioSwitch:
    """One normally open relay."""

    def __init__(self, options: GpioSwitchOptions, context: DriverContext) -> None:
        self.name = context.name
        self._options = options
        self._clock = context.clock
        self._report = context.report
        chip = context.links.gpio(options.link)
        self._coil = chip.output(options.line, active_low=options.active_low)
        self._contact: GpioInput | None = None
        if options.feedback_line is not None:
            self._contact = chip.input(
                options.feedback_line,
                active_low=options.feedback_active_low,
                bias=options.feedback_bias,
            )
        self._until_s = _NEVER
        self._beat = 0
        self._agreed_s = 0.0
        self._told: str | None = None

    def close(self, until_s: float) -> None:
        """Keep closed until until_s; it is closed within one beat, if run() is alive."""
        self._until_s = until_s

    def open(self) -> None:
        """Open at once; a pin that cannot be reached is tried again by run()."""
        self._until_s = _NEVER
        with suppress(LinkError):
            self._drive(wanted=False)

    def is_closed(self) -> bool | None:
        """What the auxiliary contact says now; None without one, or when it cannot be read."""
        try:
            return None if self._contact is None else self._contact.is_active()
        except LinkError:
            return None

    async def run(self) -> None:
        """Feed it while the lease holds. Raises LinkError when the pin is not held."""
        self._agreed_s = self._clock.now_s()
        self._drive(wanted=False)
        try:
            while True:
                now_s = self._clock.now_s()
                self._drive(wanted=now_s < self._until_s)
                self._watch(now_s)
                await self._clock.sleep_s(self._rest_s(now_s))
        finally:
            self.open()

    async def stop(self) -> None:
        """Open it, and see that the auxiliary contact agrees; within settle_s and 0.5 s."""
        self.open()
        self._agreed_s = self._clock.now_s()
        ends_s = self._agreed_s + self._options.settle_s + _STOP_BEYOND_S
        while self.is_closed() and self._clock.now_s() < ends_s:
            self._watch(self._clock.now_s())
            await self._clock.sleep_s(_STOP_LOOK_S)
        log.info("switch.stopped", device=self.name, closed=self.is_closed())

    def _rest_s(self, now_s: float) -> float:
        """Until the next beat, or the end of the lease if that comes first."""
        beat_s, left_s = self._options.beat_s, self._until_s - now_s
        return left_s if 0.0 < left_s < beat_s else beat_s

    def _drive(self, *, wanted: bool) -> None:
        if wanted is (self._beat == 0):
            self._agreed_s = self._clock.now_s()  # the contact may take its time from here
        self._beat = self._beat + 1 if wanted else 0
        self._coil.drive(active=is_active(self._options.feed, self._beat, wanted=wanted))

    def _watch(self, now_s: float) -> None:
        """Compare the auxiliary contact with what is wanted. Raises LinkError."""
        if self._contact is None:
            return
        wanted = self._beat > 0
        closed = self._contact.is_active()
        if closed is wanted:
            self._agreed_s = now_s
            self._tell(None)
        elif now_s - self._agreed_s >= self._options.settle_s - 1e-6:
            self._tell("contactor_welded" if closed else "contactor_stuck_open")

    def _tell(self, code: str | None) -> None:
        if code == self._told:
            return
        if self._told is not None:
            self._report(self._told, active=False)
        if code is not None:
            self._report(code, active=True, text=_WORDS[code])
        self._told = code


_WORDS = {
    "contactor_welded": "its feedback contact says closed although it was told to open",
    "contactor_stuck_open": "its feedback contact says open although it was told to close",
}
