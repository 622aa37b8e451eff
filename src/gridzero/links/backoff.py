"""How a link is kept open: try, wait longer and longer, try again; tell people once per change."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NoReturn

import structlog

from gridzero.errors import LinkError
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

log = structlog.get_logger()

_COMES_AND_GOES = 2  # short lives in a row: not one outage, but a link that cannot be relied upon


class Backoff:
    """Pauses between attempts: doubling, and from the start again after a healthy time.

    longest_s: short, because a house waits; a try costs a look at a name or one refused connect.
    """

    def __init__(
        self, *, first_s: float = 0.5, longest_s: float = 3.0, healthy_s: float = 10.0
    ) -> None:
        self.first_s = first_s
        self.healthy_s = healthy_s
        self._longest_s = longest_s
        self._next_s = first_s

    def pause_s(self, lived_s: float) -> float:
        """How long to wait after an attempt that kept the link open for lived_s."""
        if lived_s >= self.healthy_s:
            self._next_s = self.first_s
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, self._longest_s)
        return pause_s


class SessionEnd:
    """Where one session of a link waits for its end, and what ends it.

    As a context manager it guards a callback: a bug inside it ends the session, and with it
    the link's task, instead of vanishing in the event loop's exception handler.
    """

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._error: Exception | None = None
        self._closed = False

    @property
    def is_over(self) -> bool:
        """Whether something ended the session, or its link closed it."""
        return self._closed or self._error is not None

    def close(self) -> None:
        """The link is done with the session; what still arrives belongs to nobody."""
        self._closed = True

    def because(self, error: Exception) -> None:
        """End the session with error; only the first one counts."""
        if self._error is None:
            self._error = error
            self._ended.set()

    async def wait(self, limit_s: float = math.inf) -> None:
        """Return after limit_s; raise what ended the session as soon as it does."""
        try:
            async with asyncio.timeout(None if math.isinf(limit_s) else limit_s):
                await self._ended.wait()
        except TimeoutError:
            return
        if self._error is not None:
            raise self._error

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.because(error)
        return True


class Keeper:
    """Runs the sessions of one link, one after another, and keeps its health and reports true.

    A link that comes and goes is told as lost until it has stayed for a healthy time.
    """

    def __init__(
        self, name: str, health: LinkHealth, report: Report, backoff: Backoff | None = None
    ) -> None:
        self._name = name
        self._health = health
        self._report = report
        self._backoff = backoff or Backoff()
        self._told: str | None = None
        self._opened_at_s: float | None = None
        self._opened_before = False
        self._short_lives = 0
        self._staying: asyncio.TimerHandle | None = None

    async def run(self, session: Callable[[], Awaitable[None]]) -> NoReturn:
        """Run sessions until cancelled.

        A session opens the link, calls up() and serves. It raises LinkError when the link is
        lost, and returns to be opened again at once. Anything else that it raises is a bug and
        passes through.
        """
        try:
            while True:
                await self._one(session)
        finally:
            self._does_not_stay()
            self._health.state, self._health.why = "down", "closed"

    async def _one(self, session: Callable[[], Awaitable[None]]) -> None:
        began_s, self._opened_at_s = asyncio.get_running_loop().time(), None
        try:
            await session()
        except LinkError as error:
            self._down(error)
            await asyncio.sleep(self._pause_s(began_s))

    def _pause_s(self, began_s: float) -> float:
        """A try that took its time was a pause itself: nobody waits for both."""
        now_s, opened_at_s = asyncio.get_running_loop().time(), self._opened_at_s
        if opened_at_s is not None:
            is_short = now_s - opened_at_s < self._backoff.healthy_s
            self._short_lives = self._short_lives + 1 if is_short else 0
            return self._backoff.pause_s(now_s - opened_at_s)
        return max(self._backoff.pause_s(0.0) - (now_s - began_s), self._backoff.first_s)

    def up(self) -> None:
        """The link is open and works."""
        loop = asyncio.get_running_loop()
        self._opened_at_s = loop.time()
        self._health.state, self._health.why = "up", ""
        self._health.reopened += self._opened_before
        self._opened_before = True
        if self._short_lives >= _COMES_AND_GOES:
            self._staying = loop.call_later(self._backoff.healthy_s, self._stays)
        else:
            self._stays()

    def _stays(self) -> None:
        self._staying = None
        if self._told is not None:
            self._told = None
            log.info("link.restored", link=self._name)
            self._report("link_down", active=False, subject=self._name)

    def _does_not_stay(self) -> None:
        if self._staying is not None:
            self._staying.cancel()
            self._staying = None

    def _down(self, error: LinkError) -> None:
        self._does_not_stay()
        self._health.state, self._health.why = "down", error.what
        if self._told != error.what:
            self._told = error.what
            log.warning("link.lost", link=self._name, what=error.what, remedy=error.remedy)
            self._report(
                "link_down",
                active=True,
                text=f"{error.where}: {error.what}. {error.remedy}",
                subject=self._name,
            )
