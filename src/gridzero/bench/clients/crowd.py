"""Starts and ends the processes that people look at, and the people."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gridzero.cli import COMMANDS
from gridzero.config.faces import ConsoleConfig, DashboardConfig
from gridzero.demo.live import free_port
from gridzero.errors import DeviceError

BROWSERS = 20
_BUSY_LIMIT_S = 60.0
_END_LIMIT_S = 8.0
_PICTURES = 3


@dataclass(frozen=True, slots=True)
class Doors:
    """TCP ports. None: this face cannot be had here."""

    mqtt: int
    dashboard: int | None
    console: int | None

    @classmethod
    def free(cls, mqtt: int) -> Doors:
        """Ports that nobody has, for the faces that are installed."""
        known = {command.name for command in COMMANDS}
        has_page = "dashboard" in known and "port" in DashboardConfig.model_fields
        has_page = has_page and find_spec("nicegui") is not None
        has_console = "port" in ConsoleConfig.model_fields
        return cls(mqtt, free_port(0) if has_page else None, free_port(0) if has_console else None)

    def sections(self) -> str:
        """For the configuration."""
        lines = (
            f"dashboard: {{port: {self.dashboard}}}\n" if self.dashboard else "",
            f"console: {{port: {self.console}}}\n" if self.console else "",
            f"metrics: {{port: {free_port(0)}}}\n",
        )
        return "".join(lines)

    def whom(self) -> str:
        """For the process of the people."""
        values = {"mqtt": self.mqtt, "dashboard": self.dashboard, "console": self.console}
        return json.dumps({**values, "browsers": BROWSERS})


class Crowd:
    """All who look on. received: the people's last line."""

    def __init__(self, doors: Doors, processes: Mapping[str, Process]) -> None:
        self.received: dict[str, Any] = {}
        self._doors, self._processes = doors, processes

    async def read(self) -> None:
        """Follow what the people print until they end."""
        output = self._processes["people"].stdout
        assert output is not None, "it is started with a pipe"
        while line := await output.readline():
            with suppress(ValueError):
                self.received = json.loads(line)

    async def until_busy(self) -> None:
        """Everybody has received something. Raises DeviceError when that does not come."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + _BUSY_LIMIT_S
        while not self.is_busy:
            self.check()
            if loop.time() > ends_s:
                raise _trouble(f"not all have received something: {self.received}")
            await asyncio.sleep(0.2)

    @property
    def is_busy(self) -> bool:
        """Whether all of them receive."""
        found = self.received
        if not (found.get("mqtt") and found.get("trace")):
            return False
        if self._doors.console and not found["console"]:
            return False
        watched = found["browsers"] == BROWSERS and found["pictures"] >= _PICTURES
        return watched or not self._doors.dashboard

    def check(self) -> None:
        """Raises DeviceError when one of the processes has ended."""
        for name, process in self._processes.items():
            if process.returncode is not None:
                raise _trouble(f"{name} ended with exit code {process.returncode}")


@asynccontextmanager
async def crowd(doors: Doors, config: Path) -> AsyncIterator[Crowd]:
    """Companion, dashboard and people, while the block lasts."""
    commands = {"companion": ("-m", "gridzero.cli", "companion", str(config))}
    if doors.dashboard:
        commands["dashboard"] = ("-m", "gridzero.cli", "dashboard", str(config))
    processes: dict[str, Process] = {}
    reading: asyncio.Task[None] | None = None
    try:
        for name, command in commands.items():
            processes[name] = await _started(command, config.with_name(f"{name}.log"))
        await _until_open(doors, processes)
        processes["people"] = await _started(
            ("-m", "gridzero.bench.clients.people", doors.whom()), config.with_name("people.log")
        )
        found = Crowd(doors, processes)
        reading = asyncio.create_task(found.read())
        yield found
    finally:
        await asyncio.gather(*map(_end, processes.values()))
        if reading is not None:
            await reading


async def _started(command: tuple[str, ...], log: Path) -> Process:
    with log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if log.stem == "people" else output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


async def _until_open(doors: Doors, processes: Mapping[str, Process]) -> None:
    """The ports answer. Raises DeviceError when they do not."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + _BUSY_LIMIT_S
    for port in filter(None, (doors.dashboard, doors.console)):
        while not await _is_open(port):
            if loop.time() > ends_s or any(p.returncode is not None for p in processes.values()):
                raise _trouble(f"nobody listens on port {port}")
            await asyncio.sleep(0.2)


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_END_LIMIT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _trouble(what: str) -> DeviceError:
    return DeviceError(what, where="the clients", remedy="Run companion and dashboard by hand")
