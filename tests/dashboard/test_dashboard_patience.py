"""Connections that say nothing, ask by halves or read nothing: each is hung up on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from dashboard_house import LOOPBACK, free_port

from gridzero.outputs.dashboard import patience
from gridzero.outputs.dashboard.patience import ImpatientHttp

pytestmark = pytest.mark.real_time
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"x" * 20_000_000


async def _page(scope: Any, receive: Any, send: Any) -> None:
    if scope["method"] == "POST":
        while (await receive())["type"] == "http.request":
            pass  # a body that never ends
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": LARGE if scope["path"] == "/large" else b""})


@asynccontextmanager
async def _served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """With a patience of fractions of a second."""
    for name, limit_s in (("ASK_LIMIT_S", 0.3), ("READ_LIMIT_S", 0.6), ("_LOOK_S", 0.05)):
        monkeypatch.setattr(patience, name, limit_s)
    port = free_port()
    config = uvicorn.Config(
        _page,
        LOOPBACK,
        port,
        http=ImpatientHttp,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - it does not call back
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HT",
        ASK + b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ],
    ids=["silent", "half", "second", "body"],
)
async def test_who_does_not_finish_to_ask_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    async with _served(monkeypatch) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(said)
        async with asyncio.timeout(10.0):
            try:
                answered = await reader.read()
            except ConnectionResetError:
                answered = b""
        assert b"200" not in answered or said.startswith(ASK)
        writer.close()


async def test_who_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _served(monkeypatch) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1024)
        writer.write(ASK.replace(b"/ ", b"/large ", 1))
        await reader.readexactly(12)
        await asyncio.sleep(1.0)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(len(LARGE))
        writer.close()


async def test_who_reads_slowly_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _served(monkeypatch) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1024)
        writer.write(ASK.replace(b"/ ", b"/large ", 1))
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.1)
            await reader.readexactly(len(LARGE) // 20)
        writer.close()
