"""The processes that ``gridzero run`` starts beside itself, and starts again when they end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import structlog

from gridzero.config.models import Config
from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.supervisor import Service

log = structlog.get_logger()

WITH_PARENT = "--with-parent"
"""Ends the process when its standard input ends: so it does not outlive a killed parent."""

INSTEAD = "--instead"
"""A file with the text to go by instead of that of the configuration file."""

BEGIN_S = 2.0  # the house is served first
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 300.0
SERVES_S = 30.0
END_S = 3.0


class Child:
    """One process: kept alive, never waited for.

    command: the program and its arguments. It ends when its standard input does, so that it
    does not outlive this process however that dies.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        faults: FaultBook,
        clock: Clock,
        output: IO[str] | None = None,
        text: str | None = None,
    ) -> None:
        """output: where it writes; None = where this process does. text: see ``children``."""
        self.name, self.pid, self._text = name, 0, text
        self._command, self._faults, self._clock = command, faults, clock
        self._output = output

    async def run(self) -> None:
        """Start the process again whenever it ends, until cancelled."""
        await self._clock.sleep_s(BEGIN_S)
        retry_s = FIRST_RETRY_S
        while True:
            begun_s = self._clock.now_s()
            why = await self._live()
            served_s = self._clock.now_s() - begun_s
            retry_s = FIRST_RETRY_S if served_s > SERVES_S else min(2 * retry_s, LONGEST_RETRY_S)
            self._faults.set("companion_lost", self.name, f"{why}; tried again in {retry_s:.0f} s")
            await self._clock.sleep_s(retry_s)

    async def _live(self) -> str:
        """One life; returns why it ended."""
        try:
            with _as_file(self._text) as handles:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    *(f"{INSTEAD}=/proc/self/fd/{handle}" for handle in handles),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=self._output,
                    stderr=self._output,
                    pass_fds=handles,
                )
        except OSError as error:
            return f"cannot be started: {error}"
        self.pid = process.pid
        loop = asyncio.get_running_loop()
        serves = loop.call_later(SERVES_S, self._faults.set, "companion_lost", self.name, None)
        try:
            return f"ended with code {await process.wait()}"
        finally:
            serves.cancel()
            self.pid = 0
            await _end(process)


def children(
    config: Config,
    file: Path,
    faults: FaultBook,
    clock: Clock,
    *options: str,
    output: IO[str] | None = None,
    text: str | None = None,
) -> Iterator[Service]:
    """A service for each process that a configuration asks for.

    options: more for their command lines. output: where they write. text: what the file held when
    control read it; so that a file that is being edited, or was refused, is not theirs either.
    """
    for name in names_of(config):
        command = (sys.executable, "-m", "gridzero.cli", name, WITH_PARENT, *options, str(file))
        yield Service(name, Child(name, command, faults, clock, output, text).run)


def names_of(config: Config) -> Iterator[str]:
    """Which processes a configuration asks for."""
    switched = (config.home_assistant, config.history, config.console, config.reference_topics)
    if any(face.enabled for face in switched) or config.metrics or config.alerts:
        yield "companion"
    if config.dashboard is not None:
        yield "dashboard"


@contextmanager
def _as_file(text: str | None) -> Iterator[tuple[int, ...]]:
    """A file in memory with the text, for a process to inherit; () where there is no text.

    Raises OSError.
    """
    if text is None or not hasattr(os, "memfd_create"):
        yield ()
        return
    with os.fdopen(os.memfd_create("gridzero-configuration"), "wb") as file:
        file.write(text.encode())
        file.flush()
        yield (file.fileno(),)


class Beside:
    """The processes beside control; which they are, and what they read, may change.

    make: a service for each that a configuration asks for, given its text.
    """

    def __init__(
        self,
        make: Callable[[Config, str], Iterable[Service]],
        config: Config,
        text: str,
        faults: FaultBook,
    ) -> None:
        self._make, self._faults = make, faults
        self._wanted = {service.name: service for service in make(config, text)}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stale = frozenset[str]()
        self._is_renewed = asyncio.Event()

    def renew(self, names: frozenset[str], config: Config, text: str) -> None:
        """Start these again with another configuration, and end what it does not ask for."""
        made = {service.name: service for service in self._make(config, text)}
        self._wanted = {
            name: service if name in names else self._wanted.get(name, service)
            for name, service in made.items()
        }
        self._stale |= names
        self._is_renewed.set()

    async def run(self) -> None:
        """Keep them until cancelled."""
        try:
            while True:
                for name, service in self._wanted.items():
                    if name not in self._tasks:
                        self._tasks[name] = asyncio.create_task(_run(service), name=name)
                await self._renewed()
                stale, self._stale = self._stale, frozenset()
                ended = {n for n in self._tasks if n in stale or n not in self._wanted}
                await self._end(ended)
                for name in ended:
                    self._faults.set("companion_lost", name, None)
        finally:
            await self._end(set(self._tasks))

    async def _renewed(self) -> None:
        """Raises what a task died of: that is a bug."""
        waiting = asyncio.create_task(self._is_renewed.wait())
        try:
            done, _ = await asyncio.wait(
                (waiting, *self._tasks.values()), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiting.cancel()
        for task in done - {waiting}:
            task.result()
        self._is_renewed.clear()

    async def _end(self, names: set[str]) -> None:
        ended = [self._tasks.pop(name) for name in names]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


async def _run(service: Service) -> None:
    await service.run()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end; one that does not is killed."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
