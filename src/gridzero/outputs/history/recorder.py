"""The face that writes everything down.

It hears, keeps the last seconds in memory and hands them to its thread every ``batch_s``. What
cannot be written stays in memory for up to twenty minutes and is tried again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import structlog

from gridzero.config.faces import HistoryConfig
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.ear import Ear
from gridzero.outputs.history.opening import Damaged, is_damage, only_recorder, put_aside
from gridzero.outputs.history.prune import Bounds
from gridzero.outputs.history.store import Store
from gridzero.ports.clock import Clock

log = structlog.get_logger()
T = TypeVar("T")

NAME: Final = "history"
_PRUNE_S = 600.0
_LAST_WORDS_S = 10.0
_PATIENCE_S = 86_400.0  # a dying card may hang; what is still under way must not be done twice


class Thread(Protocol):
    """Where blocking calls are made: links.worker.Worker; simulations call at once."""

    def __call__(self, function: Callable[[], T], *, limit_s: float) -> Awaitable[T]:
        """What function returns or raises; TimeoutError after limit_s."""
        ...


class Recorder:
    """See the module. Must be made before the feed's link runs; ``run`` may be called again."""

    name = NAME

    def __init__(
        self,
        feed: Feed,
        clock: Clock,
        file: Path,
        settings: HistoryConfig,
        ear: Ear,
        thread: Thread,
    ) -> None:
        self._feed, self._clock, self._file, self._settings = feed, clock, file, settings
        self._ear, self._thread = ear, thread
        self._store: Store | None = None
        self._pruned_s = float("-inf")
        self._told: str | None = None

    async def run(self) -> None:
        """Record until cancelled. Raises HistoryError when the file is another's."""
        with ExitStack() as stack:
            await self._lock(stack)
            try:
                while True:
                    await self._clock.sleep_s(self._settings.batch_s)
                    await self._write()
            finally:
                await self._finish()

    async def _lock(self, stack: ExitStack) -> None:
        try:
            stack.enter_context(only_recorder(self._file))
        except OSError as error:  # a full disk is no reason to end: it may have room again
            self._tell(str(error))

    async def _write(self) -> None:
        """One batch; what is not written is kept for the next."""
        batch = self._ear.batch()
        try:
            store = await self._opened()
            if batch:
                await self._call(lambda: store.write(batch))
        except (sqlite3.DatabaseError, OSError) as error:
            self._ear.take_back(batch)
            await self._failed(error)
        else:
            self._tell_well()
            await self._prune(store)

    async def _opened(self) -> Store:
        if self._store is None:
            try:
                self._store = await self._call(lambda: Store.open(self._file))
            except Damaged as error:
                await self._set_aside(error)
                self._store = await self._call(lambda: Store.open(self._file))
            log.info("history.opened", file=str(self._file))
        return self._store

    async def _prune(self, store: Store) -> None:
        now_s, now_ds = self._clock.now_s(), self._ear.now_ds()
        if now_ds is None or now_s - self._pruned_s < _PRUNE_S:
            return
        self._pruned_s, bounds = now_s, bounds_of(self._settings)
        try:
            await self._call(lambda: store.prune(now_ds, bounds))
        except sqlite3.DatabaseError as error:
            await self._failed(error)

    async def _failed(self, error: Exception) -> None:
        self._tell(str(error))
        if isinstance(error, sqlite3.Error) and is_damage(error):
            store, self._store = self._store, None
            if store is not None:
                await self._call(store.abandon)
            await self._set_aside(error)

    async def _set_aside(self, error: Exception) -> None:
        """Keep the damaged file for a person to look at. The next batch begins a new one."""
        aside = await self._call(lambda: put_aside(self._file))
        self._event("history_damaged", f"{error}; kept as {aside.name}, a new one is begun")

    async def _finish(self) -> None:
        """The last batch, and an orderly end; what fails now is lost and told."""
        store, self._store = self._store, None
        if store is None:
            return
        batch = self._ear.batch()

        def end() -> None:
            try:
                store.write(batch)
            finally:
                store.close()

        try:
            await self._thread(end, limit_s=_LAST_WORDS_S)
        except (sqlite3.Error, OSError, TimeoutError) as error:
            log.error("history.not_finished", file=str(self._file), error=str(error))

    async def _call(self, function: Callable[[], T]) -> T:
        return await self._thread(function, limit_s=_PATIENCE_S)

    def _tell(self, why: str) -> None:
        """Once, however long it lasts."""
        if self._told is None:
            log.error("history.not_written", file=str(self._file), error=why)
            self._event("history_not_written", f"the history cannot be written: {why}")
        self._told = why

    def _tell_well(self) -> None:
        if self._told is not None:
            self._told = None
            log.info("history.written_again", file=str(self._file))
            self._event("history_not_written", "the history is written again", active=False)

    def _event(self, code: str, text: str, *, active: bool = True) -> None:
        values: dict[str, Any] = {
            "code": code,
            "subject": NAME,
            "severity": "warning" if active else "info",
            "text": text,
            "remedy": "Make room on the disk and look at its health; control is not touched",
            "active": active,
        }
        self._feed.publish("event", values)


def bounds_of(settings: HistoryConfig) -> Bounds:
    """How long and how much to keep, of the configuration."""
    return Bounds(settings.raw_days, settings.minute_days, settings.hour_years, settings.max_mb)
