"""A store that a program may write to as often as it likes: the memory card is spared.

A person's changes are stored at once. A program that steers every second, as one that sends
``target_w`` does, gets one write in a while; what it sent last is stored then, and at the end.
Meanwhile it is noted, which survives the end of the process but not that of power.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gridzero.ports.clock import Clock
from gridzero.runtime.stores import QuickStore

AT_ONCE = 20.0
EVERY_S = 30.0


class SparingStore:
    """Meets runtime.stores.Store. AT_ONCE writes pass without delay, then one every EVERY_S."""

    def __init__(self, store: QuickStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._left, self._at_s = AT_ONCE, clock.now_s()
        self._waiting: dict[str, Any] | None = None

    def load(self) -> dict[str, Any]:
        """See Store."""
        return self._store.load()

    def put_aside(self) -> None:
        """See Store."""
        self._store.put_aside()

    def save(self, values: dict[str, Any]) -> None:
        """See Store."""
        if self._waiting is not None:
            self._wait(values)
            return
        now_s = self._clock.now_s()
        self._left = min(AT_ONCE, self._left + (now_s - self._at_s) / EVERY_S)
        self._at_s = now_s
        if self._left >= 1.0:
            self._left -= 1.0
            self._store.save(values)
        else:
            self._wait(values)
            wait_s = (1.0 - self._left) * EVERY_S
            asyncio.get_running_loop().call_later(wait_s, self._write_waiting)

    def when_kept(self, then: Callable[[], None]) -> None:
        """See runtime.stores.QuickStore."""
        self._store.when_kept(then)

    def flush(self) -> None:
        """Store what waits; for the end."""
        if self._waiting is not None:
            values, self._waiting = self._waiting, None
            self._store.save(values)

    def _write_waiting(self) -> None:
        self._left, self._at_s = 0.0, self._clock.now_s()
        self.flush()

    def _wait(self, values: dict[str, Any]) -> None:
        self._waiting = dict(values)
        self._store.note(values)
