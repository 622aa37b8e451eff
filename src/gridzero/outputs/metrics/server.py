"""A web server of one page. It shares a loop with other faces, so everything about it is bounded.

One request a connection, which is closed afterwards: a scraper asks every few seconds. Who is slow
to ask or to read is dropped; who comes while MOST_CLIENTS are served is turned away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple, NoReturn

from gridzero.errors import LinkError

MOST_CLIENTS = 8
MOST_HEAD_BYTES = 8192
ASK_LIMIT_S = 5.0
READ_LIMIT_S = 10.0


class Page(NamedTuple):
    """What a browser or a scraper gets."""

    content_type: str
    body: bytes


Render = Callable[[str], Page]
"""Makes the page; the argument is the header Accept, whatever it holds."""


class Request(NamedTuple):
    """The first line and the headers, by lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]


class _Refused(Exception):
    """A request that gets no page."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class PageServer:
    """Serves one path. refused: how many requests got something else than the page, by status."""

    def __init__(self, host: str, port: int, path: str, render: Render) -> None:
        self._host, self._port, self._path, self._render = host, port, path, render
        self._clients: set[asyncio.Task[None]] = set()
        self.refused: dict[str, int] = {}

    async def run(self) -> NoReturn:
        """Serve until cancelled. Raises LinkError where the port cannot be had."""
        async with self._listening() as server:
            await server.serve_forever()
            raise AssertionError("a server that serves for ever has ended")

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Server]:
        try:
            server = await asyncio.start_server(
                self._serve, self._host, self._port, limit=MOST_HEAD_BYTES
            )
        except OSError as error:
            raise LinkError(
                f"cannot listen on {self._host}:{self._port}: {error.strerror}",
                where="metrics",
                remedy="Check host and port of metrics: another program may have the port",
            ) from error
        async with server:
            self._port = server.sockets[0].getsockname()[1]
            try:
                yield server
            finally:
                await self._hang_up()

    @property
    def port(self) -> int:
        """The port that it listens on; where 0 was asked for, the one that it got."""
        return self._port

    async def _hang_up(self) -> None:
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._clients.add(task)
        try:
            async with asyncio.timeout(ASK_LIMIT_S + READ_LIMIT_S):
                await self._answer(reader, writer)
        except (OSError, TimeoutError, EOFError, asyncio.CancelledError):
            # cancelled by _hang_up: the streams of 3.11 would log it as a bug
            self._count("dropped")
        finally:
            self._clients.discard(task)
            writer.transport.abort()  # what was to be read has been read, or never will be

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self._check_room()
            request = await _request(reader)
            _check(request, self._path)
            page, status = self._render(request.headers.get("accept", "")), HTTPStatus.OK
        except _Refused as refusal:
            self._count(refusal.status.phrase)
            page, status = Page("text/plain", f"{refusal}\n".encode()), refusal.status
        writer.write(_head(status, page) + page.body)
        writer.write_eof()
        while await reader.read(MOST_HEAD_BYTES):
            pass  # until the client has read and closes

    def _check_room(self) -> None:
        if len(self._clients) > MOST_CLIENTS:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE)

    def _count(self, why: str) -> None:
        self.refused[why] = self.refused.get(why, 0) + 1


async def _request(reader: asyncio.StreamReader) -> Request:
    """Raises _Refused for what is no request; EOFError where the client has gone."""
    try:
        async with asyncio.timeout(ASK_LIMIT_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    first, *lines = head.decode("latin-1").split("\r\n")
    match first.split(" "):
        case [method, path, version] if version.startswith("HTTP/1."):
            pairs = (line.partition(":") for line in lines)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            return Request(method, path.partition("?")[0], headers)
    raise _Refused(HTTPStatus.BAD_REQUEST)


def _check(request: Request, path: str) -> None:
    if request.path != path:
        raise _Refused(HTTPStatus.NOT_FOUND)
    if request.method != "GET":
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED)


def _head(status: HTTPStatus, page: Page) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.body)}",
        "Connection: close",
        "X-Content-Type-Options: nosniff",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii")
