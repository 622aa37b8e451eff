"""Sending to one rectifier: never raises, and asks for one value at a time."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from gridzero.errors import LinkError
from gridzero.ports.clock import Clock
from gridzero.ports.links import CanFrame, CanLink
from gridzero_drivers.vertiv_r48 import requests

log = structlog.get_logger()


class Line:
    """The way to one rectifier. What the link cannot take is told once and tried again later."""

    SPACING_S = 0.01

    def __init__(self, link: CanLink, clock: Clock, device: str) -> None:
        self._link = link
        self._clock = clock
        self._device = device
        self._broken = False
        self._sent_at_s = float("-inf")

    def send(self, frame: CanFrame) -> bool:
        """Send now, whatever was sent before. Says whether the link took the frame."""
        self._sent_at_s = self._clock.now_s()
        try:
            self._link.send(frame)
        except LinkError as error:
            if not self._broken:
                log.warning("charger.not_reached", device=self._device, what=error.what)
            self._broken = True
            return False
        self._broken = False
        return True

    async def pause(self) -> None:
        """Let 10 ms pass since the last frame; what is urgent does not wait for this."""
        rest_s = self._sent_at_s + self.SPACING_S - self._clock.now_s()
        if rest_s > 0.0:
            await self._clock.sleep_s(rest_s)


class Poller:
    """Reads values in turn, most overdue first, one outstanding at a time."""

    TIMEOUT_S = 0.25
    RETRIES = 2

    def __init__(self, line: Line, can_id: int, periods_s: Mapping[int, float]) -> None:
        """can_id: where reads are addressed. periods_s: parameter -> how often it is wanted."""
        self._line = line
        self._frames = {parameter: requests.read(can_id, parameter) for parameter in periods_s}
        self._periods_s = dict(periods_s)
        self._due_s = dict.fromkeys(periods_s, 0.0)
        self._asked: int | None = None
        self._asked_at_s = 0.0
        self._tries = 0

    def soon(self, now_s: float, *parameters: int) -> None:
        """Want these before all others."""
        for parameter in parameters:
            self._due_s[parameter] = min(self._due_s[parameter], now_s - 60.0)

    def answered(self, parameter: int) -> None:
        """An answer came, whatever it said."""
        if parameter == self._asked:
            self._asked = None

    def tick(self, now_s: float) -> None:
        """Ask again, give up, or ask the next; at most one frame."""
        if self._asked is None:
            self._ask_next(now_s)
        elif now_s - self._asked_at_s < self.TIMEOUT_S - 0.001:
            return
        elif self._tries <= self.RETRIES:
            self.ask(self._asked, now_s)
        else:
            self._ask_next(now_s)

    def ask(self, parameter: int, now_s: float) -> None:
        """Send a read now."""
        self._tries = self._tries + 1 if parameter == self._asked else 1
        self._asked, self._asked_at_s = parameter, now_s
        self._line.send(self._frames[parameter])

    def _ask_next(self, now_s: float) -> None:
        self._asked = None
        parameter = min(self._due_s, key=self._due_s.__getitem__)
        if self._due_s[parameter] > now_s + 0.001:
            return
        overdue = now_s - self._due_s[parameter] > self._periods_s[parameter]
        begin_s = now_s if overdue else self._due_s[parameter]
        self._due_s[parameter] = begin_s + self._periods_s[parameter]
        self.ask(parameter, now_s)
