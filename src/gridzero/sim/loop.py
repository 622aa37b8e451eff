"""An event loop whose time jumps to the next timer instead of waiting.

Sleeps, timeouts and timers of the whole process obey it, so the same code that runs for days on
a Pi runs a day in minutes. No thread may be waited for inside it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

_POLL_EVERY = 64  # real file descriptors are rare here, and a system call is not free


class Stuck(RuntimeError):
    """Every task waits for something that no timer will bring."""


class _Jumping(selectors.DefaultSelector):
    """Never waits: advances the simulated time by what it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._skipped = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._skipped += 1
        if timeout is None or self._skipped >= _POLL_EVERY:
            self._skipped = 0
            ready = super().select(0)
            if ready:
                return ready
        if timeout is None:
            raise Stuck("every task is waiting and no timer is set")
        if timeout > 0:
            self.now_s += timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Drop-in event loop with simulated time, starting at 0 s."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        # asyncio fires timers that are due within this many seconds
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Simulated monotonic seconds."""
        return self._jumping.now_s


class _Paced(_Jumping):
    """Waits, but only a fraction of what it was asked to: time runs at a given speed."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            began_s = monotonic()
            ready = selectors.DefaultSelector.select(self, timeout / self._speed)
            passed_s = (monotonic() - began_s) * self._speed
            self.now_s += min(timeout, passed_s) if ready else timeout
            return ready
        return super().select(timeout)


class PacedLoop(asyncio.SelectorEventLoop):
    """Simulated time that runs speed times as fast as the wall clock, or as fast as it can."""

    def __init__(self, speed: float) -> None:
        self._jumping = _Paced(speed)
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Simulated monotonic seconds."""
        return self._jumping.now_s


def run_simulated(main: Coroutine[Any, Any, T]) -> T:
    """asyncio.run on a SimulatedLoop."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main)
