"""A service process and what Linux says about it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gridzero.errors import DeviceError

_END_LIMIT_S = 20.0
_LOG_LINES = 12
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a process, in MB of 2**20 bytes.

    resident_mb: pages in memory, shared libraries included. own_mb: each shared page divided by
    the number of processes that share it. peak_mb: the most that was ever resident.
    """

    resident_mb: float
    own_mb: float
    peak_mb: float


class ServiceProcess:
    """One running service."""

    def __init__(self, process: Process, log: Path) -> None:
        self.pid = process.pid
        self._process, self._log = process, log
        self._proc = Path("/proc") / str(process.pid)

    def cpu_s(self) -> float:
        """CPU time of all threads since the start, in the kernel and outside."""
        # the second field is the program's name in brackets and may hold anything
        words = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS_PER_S

    def memory(self) -> Memory:
        """Memory now."""
        status = _kilobytes(self._proc / "status")
        shares = _kilobytes(self._proc / "smaps_rollup")
        return Memory(
            status["VmRSS"] / 1024,
            shares["Pss"] / 1024,
            status["VmHWM"] / 1024,
        )

    def check(self) -> None:
        """Raises DeviceError when it has ended."""
        if self._process.returncode is not None:
            raise self.trouble(f"it ended with exit code {self._process.returncode}")

    def trouble(self, what: str) -> DeviceError:
        """An error that shows the end of the service's log."""
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return DeviceError(
            what, where="the service process", remedy="\n".join(["Its log ends with:", *lines])
        )

    async def end(self) -> None:
        """Ask it to stop; kill it when it does not."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(_END_LIMIT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def service_process(
    module: str, config: Path, descriptors: Iterable[int]
) -> AsyncIterator[ServiceProcess]:
    """Run ``python -m module config`` with inherited descriptors; stopped at the end."""
    log = config.with_suffix(".log")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, str(config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=tuple(descriptors),
        )
    service = ServiceProcess(process, log)
    try:
        yield service
    finally:
        await asyncio.shield(service.end())


def _kilobytes(file: Path) -> dict[str, int]:
    """The lines ``name: number kB`` of a file in /proc."""
    rows = (line.split() for line in file.read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[2:] == ["kB"]}
