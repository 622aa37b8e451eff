"""gridzero as people start it: a process of its own, watched from outside."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import Signals
from typing import Any, Final

import aiomqtt
import yaml

DEMO: Final = Path(__file__).parents[2] / "configs" / "demo.yaml"
LOOPBACK: Final = "127.0.0.1"
PATIENCE_S: Final = 60.0
_LOOK_S = 0.02


async def until(condition: Callable[[], object], limit_s: float = PATIENCE_S) -> None:
    """Wait for a condition; fails the test when it never comes."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - a process is looked at, it does not call back
            await asyncio.sleep(_LOOK_S)


class Process:
    """One gridzero. Its folder holds what it prints; it is killed at the end of the test."""

    def __init__(self, folder: Path, *command: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        with self._out.open("w") as out, self._err.open("w") as err:
            self._popen = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def log(self, file: str = "err.txt") -> list[dict[str, Any]]:
        """Complete JSON lines of the log, in order."""
        with suppress(FileNotFoundError):
            lines = (self.folder / file).read_text().split("\n")[:-1]
            return [json.loads(line) for line in lines if line.startswith("{")]
        return []

    def events(self, event: str, file: str = "err.txt") -> list[dict[str, Any]]:
        return [entry for entry in self.log(file) if entry["event"] == event]

    def send(self, number: Signals) -> None:
        self._popen.send_signal(number)

    async def ended(self) -> int:
        """Its exit code; minus the signal's number when one has killed it."""
        await until(lambda: not self.is_alive)
        return self._popen.wait()

    async def end(self, number: Signals) -> int:
        self.send(number)
        return await self.ended()

    def close(self) -> None:
        self._popen.kill()
        self._popen.wait()


@asynccontextmanager
async def gridzero(folder: Path, *arguments: str, beside: bool = False) -> AsyncIterator[Process]:
    """``gridzero ARGUMENTS`` in a folder of its own.

    beside: ``run`` with the processes that people look at.
    """
    alone = ("--alone",) if arguments[0] in {"run", "demo"} and not beside else ()
    async with python(folder, "-m", "gridzero.cli", *arguments, *alone) as process:
        yield process


@asynccontextmanager
async def python(folder: Path, *arguments: str) -> AsyncIterator[Process]:
    process = Process(folder, sys.executable, *arguments)
    try:
        yield process
    finally:
        process.close()


def demo_config(folder: Path) -> str:
    """The demo's house with a log that a program can read, and a rectifier in a hurry."""
    values = yaml.safe_load(DEMO.read_text())
    values["site"]["log"] = {"format": "json"}
    values["devices"]["rectifier"]["ramp_hold_s"] = 1.0
    return write(folder, values)


def site_config(
    folder: Path, mqtt: dict[str, Any], port: str = "/dev/gridzero-none", **links: Any
) -> str:
    """A small house: a module on a virtual bus where nobody answers, an inverter on a port."""
    values = {
        "site": {"name": "Test", "state_dir": "state", "log": {"format": "json"}},
        "mqtt": mqtt,
        "links": {
            "bus": {"type": "can", "interface": "virtual", "channel": f"test-{folder.name}"},
            "inverter": {"type": "serial", "port": port},
            **links,
        },
        "devices": {
            "meter": {"driver": "mqtt_meter", "topic": "meterbox/grid"},
            "battery": {"driver": "vw_gte", "buses": {"a": {"link": "bus", "modules": [1]}}},
            "inverter": {"driver": "soyosource", "link": "inverter"},
        },
    }
    return write(folder, values)


def write(folder: Path, values: dict[str, Any]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "house.yaml"
    file.write_text(yaml.safe_dump(values))
    return str(file)


class Terminal:
    """The far end of a serial port."""

    def __init__(self) -> None:
        self._far, self._near = os.openpty()
        os.set_blocking(self._far, False)
        self.path = os.ttyname(self._near)

    def read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._far, 65536)
        return b""

    def close(self) -> None:
        os.close(self._far)
        os.close(self._near)


class Ear:
    """Everything that is said at a broker."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[tuple[str, bytes]] = []

    async def listen(self) -> None:
        async for message in self._client.messages:
            self.heard.append((str(message.topic), bytes(message.payload)))

    async def say(self, topic: str, payload: str) -> None:
        await self._client.publish(topic, payload)

    def last(self, topic: str) -> bytes | None:
        return next((payload for t, payload in reversed(self.heard) if t == topic), None)

    def all(self, topic: str) -> list[bytes]:
        return [payload for t, payload in self.heard if t == topic]

    @property
    def state(self) -> dict[str, Any]:
        """The newest state, {} before the first."""
        newest = self.last("gridzero/state")
        return json.loads(newest) if newest else {}


@asynccontextmanager
async def ear(port: int) -> AsyncIterator[Ear]:
    """Listen at a broker, as soon as it is there."""
    await until(lambda: _is_open(port))
    async with aiomqtt.Client(LOOPBACK, port) as client:
        await client.subscribe("#")
        listener = Ear(client)
        task = asyncio.create_task(listener.listen())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
