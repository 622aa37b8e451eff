"""Storing what the rectifier falls back to in silence: by hand, one write at a time.

Never part of the control path. Stored values wear the unit's memory, cannot be read back, and
decide what happens when nobody is there to watch; see the README for the order of the work and
for the proof by silence that has to follow.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from gridzero.errors import DeviceError, DeviceSilent, FrameError, GridzeroError
from gridzero.ports.clock import Clock
from gridzero.ports.links import CanFrame, CanLink
from gridzero_drivers.vertiv_r48 import stored
from gridzero_drivers.vertiv_r48.codec import Ack, Parameter, Refusal, decode, error_text
from gridzero_drivers.vertiv_r48.ids import answer_filters, request_id

log = structlog.get_logger()

ARMING_WORDS = "I am here and the contactor is open"
TOKEN_VALID_S = 60.0
PAUSE_BETWEEN_WRITES_S = 5.0
MOST_WRITES_PER_DAY = 20
ACK_WITHIN_S = 1.0
_DAY_S = 86_400.0


class NotArmed(GridzeroError):
    """A stored write was asked for without the right to it."""


@dataclass(frozen=True, slots=True)
class Token:
    """The right to one write, until a moment of the clock."""

    number: int
    until_s: float


class Commissioning:
    """Persistent writes to one module; usable while the driver runs, but do not charge then."""

    def __init__(self, link: CanLink, module: int, clock: Clock) -> None:
        self._link = link
        self._module = module
        self._id = request_id(module)
        self._clock = clock
        self._where = f"{link.name}, module {module}"
        self._token: Token | None = None
        self._tokens_given = 0
        self._written_at_s: list[float] = []
        self._waiting: tuple[int, asyncio.Future[Ack | Refusal]] | None = None
        link.listen(self._receive, answer_filters(module))

    def arm(self, operator_says: str) -> Token:
        """The right to one write within 60 s, against the exact words of ARMING_WORDS.

        Raises NotArmed for other words. A new token makes the one before it void.
        """
        if operator_says != ARMING_WORDS:
            raise NotArmed(
                "a stored write needs a person on site",
                where=self._where,
                remedy=f"Open the contactor, then say: {ARMING_WORDS}",
            )
        self._tokens_given += 1
        self._token = Token(self._tokens_given, self._clock.now_s() + TOKEN_VALID_S)
        return self._token

    async def store_voltage(self, token: Token, volts: float) -> Ack:
        """Store the output voltage for silence and power-up, 41.0 to 58.5 V.

        Raises ValueError outside, NotArmed, DeviceSilent without an acknowledgement within 1 s,
        DeviceError when the rectifier refuses (some models store 48 V and more only).
        """
        return await self._store(token, stored.stored_volts(self._id, volts))

    async def store_limit(self, token: Token, fraction: float) -> Ack:
        """Store the current limit for silence and power-up, 0 to 1.21. Errors as above."""
        return await self._store(token, stored.stored_limit(self._id, fraction))

    async def store_walk_in(self, token: Token, *, enabled: bool) -> Ack:
        """Switch the soft start of the output voltage on or off. Errors as above."""
        return await self._store(token, stored.switch(self._id, Parameter.WALK_IN, on=enabled))

    async def store_walk_in_time(self, token: Token, seconds: float) -> Ack:
        """Duration of the soft start, s, 0 to 200. Errors as above."""
        return await self._store(token, stored.walk_in_time(self._id, seconds))

    async def _store(self, token: Token, frame: CanFrame) -> Ack:
        self._spend(token)
        parameter = frame.data[3]
        self._link.send(frame)
        log.info("memory.written", device=self._where, parameter=parameter, data=frame.data.hex())
        answer = await self._answer(parameter)
        if isinstance(answer, Refusal):
            raise DeviceError(
                f"the rectifier refused 0x{parameter:02x}: {error_text(answer.error_code)}",
                where=self._where,
                remedy="Some models store 48 V and more only, or no current below 10 %",
            )
        return answer

    def _spend(self, token: Token) -> None:
        """Raises NotArmed unless the token is the newest, unspent and in time."""
        now_s = self._clock.now_s()
        if token != self._token or now_s > token.until_s:
            self._refuse("the token is spent, replaced or older than 60 s", "Arm again")
        recent = [at_s for at_s in self._written_at_s if now_s - at_s < _DAY_S]
        if recent and now_s - recent[-1] < PAUSE_BETWEEN_WRITES_S:
            self._refuse("the last write is less than 5 s ago", "Wait a moment")
        if len(recent) >= MOST_WRITES_PER_DAY:
            self._refuse(f"{MOST_WRITES_PER_DAY} writes within a day", "Memory wears: wait a day")
        self._token = None
        self._written_at_s = [*recent, now_s]

    def _refuse(self, what: str, remedy: str) -> None:
        raise NotArmed(what, where=self._where, remedy=remedy)

    async def _answer(self, parameter: int) -> Ack | Refusal:
        future: asyncio.Future[Ack | Refusal] = asyncio.get_running_loop().create_future()
        self._waiting = (parameter, future)
        try:
            async with asyncio.timeout(ACK_WITHIN_S):
                return await future
        except TimeoutError:
            raise DeviceSilent(
                f"no acknowledgement of 0x{parameter:02x} within {ACK_WITHIN_S:g} s",
                where=self._where,
                remedy="Assume nothing: prove by a minute of silence what the unit falls back to",
            ) from None
        finally:
            self._waiting = None

    def _receive(self, frame: CanFrame) -> None:
        if self._waiting is None:
            return
        try:
            message = decode(frame)
        except FrameError:
            return  # the driver on this link counts it
        parameter, future = self._waiting
        if not isinstance(message, Ack | Refusal) or future.done():
            return
        if message.parameter == parameter and (isinstance(message, Ack) or message.of_write):
            future.set_result(message)
