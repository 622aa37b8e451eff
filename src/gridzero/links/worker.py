"""One thread for calls that may block in the kernel."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from gridzero.errors import LinkError

MOST_HANGING = 3

T = TypeVar("T")


class Worker:
    """Runs what it is given, in order, in a thread of its own.

    Unlike an executor's thread it is never joined: a call that hangs in a driver holds up
    neither the event loop nor the end of the process.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return self._jobs.qsize()

    @property
    def is_alive(self) -> bool:
        """False once the thread has done its last job after stop()."""
        return self._thread.is_alive()

    def post(self, job: Callable[[], None]) -> None:
        """Run job later; it must not raise."""
        self._jobs.put(job)

    async def call(
        self,
        function: Callable[[], T],
        *,
        limit_s: float,
        discard: Callable[[T], Any] = lambda _: None,
    ) -> T:
        """What function returns or raises; TimeoutError after limit_s.

        discard: called with a result that came after the caller had gone, such as a port that
        was opened too late and must be closed again.
        """
        done: Future[T] = Future()
        self.post(partial(_settle, done, function))
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.wrap_future(done)
        except (TimeoutError, asyncio.CancelledError):
            done.add_done_callback(partial(_discard, discard))
            raise
        finally:
            del done  # it knows its exception, which knows this frame

    def stop(self) -> None:
        """Let the thread end after the jobs it has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # not kept while the thread waits for the next one


class Workers:
    """A fresh thread for each session of one link, as long as drivers give them back.

    A driver that hangs for ever keeps its thread; one more with each try would end the process.
    """

    def __init__(self, name: str, *, where: str) -> None:
        self._name, self._where = name, where
        self._left: list[Worker] = []

    @contextmanager
    def next(self) -> Iterator[Worker]:
        """A worker for one session. Raises LinkError while MOST_HANGING of them hang."""
        self._left = [worker for worker in self._left if worker.is_alive]
        if len(self._left) >= MOST_HANGING:
            raise LinkError(
                f"{MOST_HANGING} tries to open or close it hang in its driver",
                where=self._where,
                remedy="Unplug the adapter and plug it in again; see: dmesg",
            )
        worker = Worker(self._name)
        try:
            yield worker
        finally:
            worker.stop()
            self._left.append(worker)


class _RaisedInto:
    """Hands what its body raises to a future."""

    def __init__(self, done: Future[Any]) -> None:
        self._done = done

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None:
            self._done.set_exception(error)
        return True


def _settle(done: Future[T], function: Callable[[], T]) -> None:
    if done.set_running_or_notify_cancel():
        with _RaisedInto(done):
            done.set_result(function())
        del done  # as in call()


def _discard(discard: Callable[[T], Any], done: Future[T]) -> None:
    if not done.cancelled() and done.exception() is None:
        discard(done.result())
