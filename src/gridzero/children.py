"""The processes that ``gridzero run`` starts beside itself, and starts again when they end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
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
    ) -> None:
        """output: where it writes; None = where this process does."""
        self.name, self.pid = name, 0
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
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
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
) -> Iterator[Service]:
    """A service for each process that a configuration asks for.

    options: more for their command lines. output: where they write.
    """
    for name in names_of(config):
        command = (sys.executable, "-m", "gridzero.cli", name, WITH_PARENT, *options, str(file))
        yield Service(name, Child(name, command, faults, clock, output).run)


def names_of(config: Config) -> Iterator[str]:
    """Which processes a configuration asks for."""
    switched = (config.home_assistant, config.history, config.console, config.reference_topics)
    if any(face.enabled for face in switched) or config.metrics or config.alerts:
        yield "companion"
    if config.dashboard is not None:
        yield "dashboard"


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
