"""Telnet on a socket: bounded reading, bounded writing, nothing that waits.

prompt_toolkit's own telnet server sends on the socket without looking whether it takes the bytes,
reads as fast as a client sends, and waits for ever for a terminal type. So only its line editing
is used; the protocol, its limits and the sessions are ours.
"""

from __future__ import annotations

import asyncio
import re
import socket

import structlog

from gridzero.outputs.console.connection import Connection, Open
from gridzero.outputs.console.telnet import CLOSING, OPENING, TelnetStream, escaped
from gridzero.outputs.console.wire import Throttle
from gridzero.ports.clock import Clock

_READ_BYTES = 64
_SEND_BUFFER = 32 * 1024
_MOST_ANSWERS = 4096
_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) [/*h]")
_LONGEST_METHOD = len(b"OPTIONS /")

log = structlog.get_logger()


class TelnetWire(asyncio.BufferedProtocol):
    """One telnet client; a Wire."""

    def __init__(self, clock: Clock, open_: Open) -> None:
        self.address = "unknown"
        self._clock, self._open = clock, open_
        self._stream = TelnetStream()
        self._throttle = Throttle()
        self._buffer = bytearray(_READ_BYTES)
        self._first = b""
        self._transport: asyncio.Transport | None = None
        self._connection: Connection | None = None
        self._resume: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a console needs a stream")
        self._transport = transport
        self.address = str((transport.get_extra_info("peername") or ("unknown",))[0])
        own = transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        transport.write(OPENING)
        self._connection = self._open(self)
        self._connection.begin()

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is over, whoever ended it."""
        if self._resume is not None:
            self._resume.cancel()
        if self._connection is not None:
            self._connection.gone()

    def get_buffer(self, _sizehint: int) -> bytearray:
        """Small, so that one client's flood is one of many small pieces of work."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        connection, transport = self._connection, self._transport
        if connection is None or transport is None or transport.is_closing():
            return
        said = bytes(self._buffer[:nbytes])
        if self._is_browser(said):
            log.warning("console.browser_refused", address=self.address)
            transport.abort()
            return
        heard = self._stream.feed(said)
        if heard.answer and self.waiting() < _MOST_ANSWERS:
            transport.write(heard.answer)
        if heard.window is not None:
            connection.resize(heard.window)
        if heard.terminal is not None:
            connection.is_a(heard.terminal)
        if heard.data:
            if not self._stream.has_spoken:
                connection.is_a(None)
            connection.typed(heard.data)
        self._rest(nbytes)

    def _is_browser(self, said: bytes) -> bool:
        """Any web page may make a browser of this machine send a form to any port of it.

        What it writes into the form would be typed here. So the connection ends with its first
        line, before any word of the form.
        """
        if len(self._first) < _LONGEST_METHOD:
            self._first = (self._first + said)[:_LONGEST_METHOD]
            return _REQUEST.match(self._first) is not None
        return False

    def _rest(self, count: int) -> None:
        """Read no faster than people type."""
        pause_s = self._throttle.pause_s(count, self._clock.now_s())
        if pause_s > 0.0 and self._transport is not None:
            self._transport.pause_reading()
            loop = asyncio.get_running_loop()
            self._resume = loop.call_later(pause_s, self._transport.resume_reading)

    def send(self, data: bytes) -> None:
        """Queue bytes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(escaped(data))

    def waiting(self) -> int:
        """Bytes that have not left."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def hang_up(self, *, at_once: bool) -> None:
        """End it."""
        if self._transport is None or self._transport.is_closing():
            return
        if at_once:
            self._transport.abort()
        else:
            self._transport.write(CLOSING)
            self._transport.close()


async def listen(host: str, port: int, clock: Clock, open_: Open) -> asyncio.Server:
    """Serve on that address. Raises OSError where it cannot be had."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: TelnetWire(clock, open_), host, port, backlog=20)
