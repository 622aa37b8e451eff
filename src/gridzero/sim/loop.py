"""An event loop whose time jumps to the next timer instead of waiting.

Sleeps, timeouts and timers of the whole process obey it, so the same code that runs for days on
a Pi runs a day in minutes. No thread may be waited for inside it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from time import monotonic
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

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
            # on whole nanoseconds, so that no timer shifts the others by its rounding
            self.now_s = round(self.now_s + timeout, 9)
        return []


class _InOrder(asyncio.TimerHandle):
    """A timer that comes after those that were set earlier for the same moment."""

    __slots__ = ("_number",)
    _scheduled: bool

    def __init__(
        self,
        number: int,
        when: float,
        callback: Callable[..., object],
        args: Sequence[object],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._number = number

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _InOrder):
            return NotImplemented
        return (self.when(), self._number) < (other.when(), other._number)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Drop-in event loop with simulated time, starting at 0 s.

    Times are whole nanoseconds, and of timers for the same moment the one that was set first
    comes first: a new timer somewhere in the program does not turn the order of the others.
    """

    _scheduled: list[_InOrder]

    def __init__(self) -> None:
        self._jumping = _Jumping()
        self._numbers = itertools.count()
        super().__init__(self._jumping)
        # asyncio fires timers that are due within this many seconds
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Simulated monotonic seconds."""
        return self._jumping.now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, but in order; its heap alone does not keep equal moments in order."""
        number = next(self._numbers)
        timer = _InOrder(number, round(when, 9), callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # noqa: SLF001 - what the loop's own call_at does
        return timer


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
