"""A real serial port by pyserial-asyncio: USB adapters, UARTs, pseudo-terminals."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import serial
import serial.rs485
import serial_asyncio

from gridzero.errors import LinkError
from gridzero.links.backoff import Keeper, SessionEnd
from gridzero.links.claims import PSEUDO_TERMINALS
from gridzero.links.worker import Worker, Workers
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

OPEN_LIMIT_S = 5.0
DRAIN_LOOKS = 50
DRAIN_LOOK_S = 0.01
CLOSE_LIMIT_S = 2.0
MOST_UNSENT_BYTES = 64

_REMEDIES = {
    errno.ENOENT: "Plug the adapter in; give the port by its name under /dev/serial/by-id",
    errno.EACCES: "Add the user to the group dialout, or give the container the device",
    errno.EAGAIN: "Another program has the port open; stop it",
    errno.EBUSY: "Another program has the port open; stop it",
    errno.EIO: "Plug the adapter in again",
}
_REMEDY = "Check the adapter's plug and its driver"
_RS485_REMEDY = "Leave rs485 out: most USB adapters switch the direction themselves"


class RealSerial:
    """One serial port, 8N1, opened by run() and again after each outage.

    Meets ports.links.SerialLink. exclusive: refuse to share the port with another program.
    rs485: let the kernel switch the transceiver's direction (TIOCSRS485), for a UART whose RTS
    drives it.
    """

    def __init__(
        self,
        *,
        name: str,
        port: str,
        baud: int,
        report: Report,
        exclusive: bool = True,
        rs485: bool = False,
    ) -> None:
        self.name = name
        self.health = LinkHealth()
        self._port = port
        self._baud = baud
        self._exclusive = exclusive
        self._rs485 = rs485
        self._keeper = Keeper(name, self.health, report)
        self._handlers: list[Callable[[bytes], None]] = []
        self._connection: _Connection | None = None
        self._workers = Workers(f"serial {name}", where=name)

    async def run(self) -> NoReturn:
        """Keep the port open until cancelled. Raises only for bugs."""
        await self._keeper.run(self._serve)

    def listen(self, handler: Callable[[bytes], None]) -> None:
        """See ports.links.SerialLink."""
        self._handlers.append(handler)

    def write(self, data: bytes) -> None:
        """See ports.links.SerialLink."""
        try:
            self._writable().write(data)
        except LinkError:
            self.health.tx_failed += 1
            raise
        self.health.tx += len(data)

    def _writable(self) -> _Connection:
        if self._connection is None:
            raise self._error(f"the port is not open: {self.health.why}", None)
        try:
            unsent = self._connection.unsent_bytes()
        except OSError as error:
            raise self._error(f"the port is gone: {error}", error.errno) from error
        if unsent > MOST_UNSENT_BYTES:
            raise LinkError(
                f"{unsent} bytes wait to be sent: the line does not drain",
                where=self.name,
                remedy="Check the adapter; flow control must be off",
            )
        return self._connection

    async def _serve(self) -> None:
        with self._workers.next() as worker:
            port = await self._open(worker)
            await self._serve_on(port)

    async def _serve_on(self, port: serial.Serial) -> None:
        end = SessionEnd()
        connection = _Connection(port, end, self._take, self._lost)
        connection.transport, _ = await serial_asyncio.connection_for_serial(
            asyncio.get_running_loop(), lambda: connection, port
        )
        self._connection = connection
        self._keeper.up()
        try:
            await end.wait()
        finally:
            self._connection = None
            await connection.close()

    def _take(self, data: bytes) -> None:
        self.health.rx += len(data)
        self.health.rx_at_s = asyncio.get_running_loop().time()
        for handler in self._handlers:
            handler(data)

    def _lost(self, error: Exception | None) -> LinkError:
        self._connection = None
        return self._error(f"the port is gone: {error}", errno.EIO)

    async def _open(self, worker: Worker) -> serial.Serial:
        try:
            return await worker.call(
                self._open_port, limit_s=OPEN_LIMIT_S, discard=lambda port: port.close()
            )
        except TimeoutError:
            raise self._error(f"cannot open {self._port}: the driver hangs", None) from None
        except OSError as error:
            raise self._error(f"cannot open {self._port}: {error}", error.errno) from error

    def _open_port(self) -> serial.Serial:
        port = serial.Serial(self._port, baudrate=self._baud, exclusive=self._exclusive)
        if self._exclusive:
            keep_others_out(port.fd)
        try:
            if self._rs485:
                port.rs485_mode = serial.rs485.RS485Settings()
        except (ValueError, OSError) as error:  # pyserial's words for a driver that cannot
            port.close()
            raise LinkError(
                f"{self._port} has no RS485 mode: {error}", where=self.name, remedy=_RS485_REMEDY
            ) from error
        return port

    def _error(self, what: str, code: int | None) -> LinkError:
        return LinkError(what, where=self.name, remedy=_REMEDIES.get(code or 0, _REMEDY))


def keep_others_out(handle: int) -> None:
    """Let no other program open the port (TIOCEXCL, ioctl_tty(2)), whatever its name for it is.

    Beside the lock of pyserial, which knows only one device file: a container has another one for
    the same port. Only programs with CAP_SYS_ADMIN get past it. It ends with the last open handle;
    a pseudo-terminal is left out, because its other end may outlive the process.
    """
    with suppress(OSError):
        if os.major(os.fstat(handle).st_rdev) not in PSEUDO_TERMINALS:
            fcntl.ioctl(handle, termios.TIOCEXCL)


class _Connection(asyncio.Protocol):
    """One opened port, as asyncio sees it."""

    transport: Any  # the library has no types

    def __init__(
        self,
        port: serial.Serial,
        end: SessionEnd,
        take: Callable[[bytes], None],
        lost: Callable[[Exception | None], LinkError],
    ) -> None:
        self._port = port
        self._end = end
        self._take = take
        self._lost = lost
        self._closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        with self._end:
            self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport has closed the port."""
        self._closed.set()
        self._end.because(self._lost(exc))

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport, which sends them in the next turn of the loop."""
        self.transport.write(data)

    def unsent_bytes(self) -> int:
        """What waits here and in the driver. Raises OSError when the port is gone."""
        return int(self.transport.get_write_buffer_size()) + int(self._port.out_waiting)

    async def close(self) -> None:
        """Give what was written last a moment to leave, then let go, whatever the line does."""
        with suppress(OSError):
            await self._drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT_S):
                if not self._closed.is_set():
                    await self._abort()

    async def _drain(self) -> None:
        for _ in range(DRAIN_LOOKS):
            if self._closed.is_set() or not self.unsent_bytes():
                return
            await asyncio.sleep(DRAIN_LOOK_S)

    async def _abort(self) -> None:
        if not (self.transport.is_closing() and self.transport.get_write_buffer_size() == 0):
            # the transport waits for the driver's buffer before it closes, and a dead line
            # never empties that
            with suppress(OSError, termios.error):
                self._port.reset_output_buffer()
            self.transport.abort()
        await self._closed.wait()
