"""Telnet clients of tests: over real sockets, showing what a person would see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from console_house import House
from free_ports import free_port

from gridzero.config.faces import ConsoleConfig
from gridzero.outputs.console.client import plain_bytes
from gridzero.outputs.console.face import ConsoleFace
from gridzero.outputs.console.telnet import Window, client_opening
from gridzero.outputs.console.trace import TracedLink
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import Role
from gridzero.ports.links import CanFrame

LOOPBACK = "127.0.0.1"
PATIENCE_S = 30.0
USUAL = Window(80, 24)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")


def explain(seen: CanFrame | bytes) -> str:
    return f"frame {seen.can_id}" if isinstance(seen, CanFrame) else ""


LINKS = (
    TracedLink("charger", "can", (explain,), (Role.CHARGER,)),
    TracedLink("inverter", "serial", (explain,), (Role.INVERTER,)),
)


class Console:
    """A running console with the house behind it."""

    def __init__(self, house: House, port: int) -> None:
        self.house, self.port = house, port

    @asynccontextmanager
    async def client(
        self, terminal: str = "xterm-256color", window: Window = USUAL
    ) -> AsyncIterator[Client]:
        async with self.wire() as client:
            client.send(client_opening(terminal, window))
            yield client

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


class Client:
    """One connection. seen: everything so far, without escape sequences."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.is_over = False
        self.raw = ""
        self._stream = plain_bytes()
        next(self._stream)

    @property
    def seen(self) -> str:
        return _ESCAPES.sub("", self.raw)

    def send(self, data: bytes | str) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)

    async def sees(self, text: str) -> str:
        """Wait until that is shown; what was shown up to then is forgotten and returned."""
        async with asyncio.timeout(PATIENCE_S):
            while text not in self.seen:
                assert not self.is_over, f"{text!r} was not shown before the end: {self.seen!r}"
                await self._read()
        seen, found, self.raw = self.seen.partition(text)
        return seen + found

    async def ends(self) -> str:
        """Wait until the other side hangs up; returns what was shown."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.is_over:
                await self._read()
        return self.seen

    async def _read(self) -> None:
        try:
            data = await self.reader.read(65536)
        except OSError:
            data = b""
        self.is_over = not data
        self.raw += self._stream.send(data).decode(errors="replace")


@asynccontextmanager
async def console(**settings: Any) -> AsyncIterator[Console]:
    """A console that listens, in a house where everything was said."""
    clock = LoopClock()
    house, port = House(clock), free_port()
    face = ConsoleFace(
        ConsoleConfig(port=port, **settings), house.feed, clock, site="Test", links=LINKS
    )
    house.say_all()
    task = asyncio.create_task(face.run())
    try:
        await until_open(port)
        yield Console(house, port)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_open(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(LOOPBACK, port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.02)
