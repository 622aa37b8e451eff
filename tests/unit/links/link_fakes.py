"""Far ends for the link tests: adapters, servers and brokers small enough to misbehave."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import tty
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Protocol

import can
from free_ports import free_port

LOOPBACK = "127.0.0.1"


class Runs(Protocol):
    async def run(self) -> Any: ...


class Reports:
    """Records what people would be told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool, str]] = []
        self.texts: list[str] = []

    def __call__(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.told.append((code, active, subject))
        self.texts.append(text)


@asynccontextmanager
async def running(link: Runs) -> AsyncIterator[asyncio.Task[Any]]:
    """The link's task, cancelled at the end; a bug in it passes through."""
    task = asyncio.ensure_future(link.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object], limit_s: float = 60.0) -> None:
    """Wait for a condition; fails the test when it never comes."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - a test may look at anything
            await asyncio.sleep(0.005)


def link_threads() -> list[str]:
    """Threads that links have started and not yet let go."""
    own = ("can ", "serial ", "i2c ")
    return [each.name for each in threading.enumerate() if each.name.startswith(own)]


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Pty:
    """A pseudo-terminal; the link opens ``path``, the test holds the other end."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self.is_open = True

    def write(self, data: bytes) -> None:
        os.write(self._master, data)

    def read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._master, 65536)
        return b""

    def on_data(self, take: Callable[[bytes], None]) -> None:
        asyncio.get_running_loop().add_reader(self._master, lambda: take(self.read()))

    def hang_up(self) -> None:
        if self.is_open:
            self.is_open = False
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)


@asynccontextmanager
async def pty() -> AsyncIterator[Pty]:
    terminal = Pty()
    try:
        yield terminal
    finally:
        terminal.hang_up()


class FakeSocketcan(can.BusABC):
    """Stands in for python-can's SocketCAN: has a descriptor, and fails when it is told to."""

    opened: ClassVar[list[FakeSocketcan]] = []
    refuse: ClassVar[list[Exception]] = []

    def __init__(self, channel: str, can_filters: Any = None, **options: Any) -> None:
        if self.refuse:
            raise self.refuse.pop(0)
        self.options = options
        self.sent: list[can.Message] = []
        self.send_error: Exception | None = None
        self._near, self._far = socket.socketpair()
        self._waiting: deque[can.Message | Exception] = deque()
        super().__init__(channel, can_filters=can_filters)
        self.opened.append(self)

    def inject(self, *items: can.Message | Exception) -> None:
        self._waiting.extend(items)
        self._far.send(b"x" * len(items))

    def fileno(self) -> int:
        return self._near.fileno()

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if not self._waiting:
            return None, True
        self._near.recv(1)
        item = self._waiting.popleft()
        if isinstance(item, Exception):
            raise item
        return item, True

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(msg)

    def _apply_filters(self, filters: Any) -> None:
        self.applied = filters

    def shutdown(self) -> None:
        super().shutdown()
        self._near.close()
        self._far.close()


class Socketcand:
    """A socketcand server with one client at a time."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: list[str] = []
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        await asyncio.sleep(0)

    def send(self, line: str) -> None:
        self._writers[-1].write(line.encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(b"< hi >")
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                line = (await reader.readuntil(b">")).decode().strip()
                self.got.append(line)
                if line.startswith(("< open", "< rawmode")):
                    writer.write(b"< ok >")
        writer.close()


class Proxy:
    """Between a client and a broker: its connections can be cut without a goodbye."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.sleep(0.01)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._to_port)
        self._writers += [writer, far_writer]
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
