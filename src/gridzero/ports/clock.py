"""One monotonic clock: the event loop's own, so that a simulated loop rules all of it."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds and waiting."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start; never goes backwards."""
        ...

    async def sleep_s(self, seconds: float) -> None:
        """Wait; 0 lets others run once."""
        ...


class LoopClock:
    """The running event loop's time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.now_s = self._loop.time

    async def sleep_s(self, seconds: float) -> None:
        """Wait in loop time."""
        await asyncio.sleep(seconds)
