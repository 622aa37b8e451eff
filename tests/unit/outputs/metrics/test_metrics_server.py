"""The endpoint over a real socket: one page for whoever asks properly, nothing for others."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from free_ports import free_port
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse
from test_metrics_catalogue import Listening

from gridzero.config.faces import MetricsConfig
from gridzero.errors import LinkError
from gridzero.outputs.metrics import server
from gridzero.outputs.metrics.face import MetricsFace
from gridzero.ports.clock import LoopClock

HOST = "127.0.0.1"
pytestmark = pytest.mark.real_time


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


class Endpoint:
    def __init__(self) -> None:
        self.listening = Listening()
        config = MetricsConfig(port=free_port())
        self.face = MetricsFace(config, self.listening.feed, LoopClock())
        self.port = config.port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self.port)

    async def send(self, raw: bytes) -> bytes:
        """What comes back for these bytes, up to the end."""
        reader, writer = await self.connect()
        writer.write(raw)
        try:
            return await _rest(reader)
        finally:
            writer.close()

    async def get(self, accept: str = "") -> tuple[str, str]:
        """Header and body of a scrape."""
        raw = await self.send(f"GET /metrics HTTP/1.1\r\nAccept: {accept}\r\n\r\n".encode())
        head, _, body = raw.decode().partition("\r\n\r\n")
        return head, body


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@asynccontextmanager
async def serving() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    task = asyncio.create_task(endpoint.face.run(), name="metrics")
    try:
        while not is_open(endpoint.port):
            assert not task.done(), "it has the port"
            await asyncio.sleep(0.005)
        yield endpoint
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_prometheus_reads_it_in_both_formats() -> None:
    async with serving() as endpoint:
        await endpoint.listening.say("state", {"grid_w": 42.0})
        head, body = await endpoint.get()
        assert head.startswith("HTTP/1.1 200")
        assert "text/plain" in head
        families = {family.name: family for family in parse(body)}
        assert families["gridzero_grid_power_watts"].samples[0].value == 42.0
        assert families["gridzero_grid_power_watts"].documentation
        head, body = await endpoint.get("application/openmetrics-text;version=1.0.0,*/*;q=0.1")
        assert "openmetrics" in head
        assert {family.name for family in parse_open(body)} >= {"gridzero_grid_power_watts"}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
        (b"\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
    ],
)
async def test_what_is_no_request_for_it_gets_a_word_and_no_page(raw: bytes, status: bytes) -> None:
    async with serving() as endpoint:
        answer = await endpoint.send(raw)
        # what it still sends while it is told may reset the connection
        assert answer.startswith(b"HTTP/1.1 " + status) or (status == b"431" and not answer)
        assert sum(endpoint.face.server.refused.values()) >= 1
        assert (await endpoint.get())[0].startswith("HTTP/1.1 200")


async def test_a_strange_accept_header_gets_the_plain_page() -> None:
    async with serving() as endpoint:
        for accept in ("text/plain;version=abc", "application/openmetrics-text;version=\xff", "\0"):
            assert (await endpoint.get(accept))[0].startswith("HTTP/1.1 200")


async def test_too_many_clients_are_turned_away() -> None:
    async with serving() as endpoint:
        idle = [await endpoint.connect() for _ in range(server.MOST_CLIENTS)]
        assert (await endpoint.get())[0].startswith("HTTP/1.1 503")
        for _, writer in idle:
            writer.close()
        while not (await endpoint.get())[0].startswith("HTTP/1.1 200"):
            pass  # until they have left


async def test_slow_clients_are_dropped_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ASK_LIMIT_S", 0.1)
    monkeypatch.setattr(server, "READ_LIMIT_S", 0.1)
    async with serving() as endpoint:
        for _ in range(server.MOST_CLIENTS):
            reader, writer = await endpoint.connect()
            assert await _rest(reader) == b""
            writer.close()
        assert endpoint.face.server.refused["dropped"] >= server.MOST_CLIENTS


async def test_many_scrapes_make_one_page_a_second() -> None:
    async with serving() as endpoint:
        begin_s = time.monotonic()
        pages = {(await endpoint.get())[1] for _ in range(5)}
        assert len(pages) <= 1 + (time.monotonic() - begin_s)


async def test_a_port_that_is_taken_is_told_with_its_name() -> None:
    async with serving() as endpoint:
        other = MetricsFace(MetricsConfig(port=endpoint.port), endpoint.listening.feed, LoopClock())
        with pytest.raises(LinkError, match=str(endpoint.port)):
            await other.run()


async def test_it_ends_at_once_with_clients_connected() -> None:
    async with serving() as endpoint:
        _, writer = await endpoint.connect()
        await asyncio.sleep(0.01)
    writer.close()
    assert not is_open(endpoint.port)
