"""RealHttp against web servers that are slow, lie, redirect, flood or hang up."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from link_fakes import LOOPBACK, Reports, running, until

from gridzero.errors import ConfigError, LinkError
from gridzero.links import http_client
from gridzero.links.http_client import LOST_AFTER, MOST_BODY_BYTES, RealHttp

pytestmark = pytest.mark.real_time


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Server:
    """Answers each request with what ``reply`` makes of it; None = never."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.reply: Callable[[str], bytes | None] = lambda _: response(b"{}")
        self.most_at_once = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._busy = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                await self._one(head, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, head: str, writer: asyncio.StreamWriter) -> None:
        self.requests.append(head)
        self._busy += 1
        self.most_at_once = max(self.most_at_once, self._busy)
        answer = self.reply(head)
        if answer is None:
            self._busy -= 1
        else:
            await asyncio.sleep(0.01)
            self._busy -= 1
            writer.write(answer)
            await writer.drain()

    def hang_up(self) -> None:
        for writer in self._open:
            writer.transport.abort()


@asynccontextmanager
async def served() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, LOOPBACK, 0)
    made.url = f"http://{LOOPBACK}:{listening.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listening.close()
        made.hang_up()
        await asyncio.sleep(0)


@asynccontextmanager
async def linked(**given: Any) -> AsyncIterator[tuple[Server, RealHttp, Reports]]:
    reports = Reports()
    async with served() as server:
        link = RealHttp(name="meter", url=server.url, report=reports, **given)
        async with running(link):
            await until(lambda: link.health.state == "up")
            yield server, link, reports


async def test_the_body_comes_back_and_the_question_is_asked_as_written() -> None:
    async with linked() as (server, link, _):
        server.reply = lambda _: response(b'{"active_power_w": 5}')
        assert await link.get("/cm?cmnd=Status%2010") == b'{"active_power_w": 5}'
        assert server.requests[0].startswith("GET /cm?cmnd=Status%2010 HTTP/1.1\r\n")
        assert "Authorization" not in server.requests[0]
        assert (link.health.rx, link.health.tx, link.health.tx_failed) == (1, 1, 0)


async def test_two_questions_wait_for_each_other() -> None:
    async with linked() as (server, link, _):
        await asyncio.gather(*(link.get(f"/{n}") for n in range(5)))
        assert server.most_at_once == 1


async def test_a_password_is_sent_as_the_device_wants_it() -> None:
    async with linked(username="me", password="secret") as (server, link, _):
        await link.get("/")
        wanted = base64.b64encode(b"me:secret").decode()
        assert f"Authorization: Basic {wanted}\r\n" in server.requests[0]


async def test_digest_answers_the_challenge_and_never_shows_the_password() -> None:
    challenge = 'WWW-Authenticate: Digest qop="auth", realm="s", nonce="1", algorithm=SHA-256'

    def reply(head: str) -> bytes:
        if "Authorization: Digest" in head:
            return response(b"7")
        return response(b"", "401 Unauthorized", challenge)

    async with linked(username="admin", password="secret", auth="digest") as (server, link, _):
        server.reply = reply
        assert await link.get("/rpc/EM.GetStatus?id=0") == b"7"
        assert not any("secret" in head for head in server.requests)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (response(b"", "401 Unauthorized"), "401 to /x. Check username, password and auth"),
        (response(b"", "404 Not Found"), "404 to /x. Check the driver's request"),
        (response(b"", "302 Found", "Location: https://a/b"), "redirects to 'https://a/b'"),
        (response(b"", "500 Oops"), "500 to /x"),
        (response(b"x" * (MOST_BODY_BYTES + 1)), "more than 256 KiB"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "no whole answer within 0.3 s"),
        (b"SSH-2.0-nonsense\r\n\r\n", "no answer: "),
        (b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\n", "no answer: "),
    ],
)
async def test_what_is_no_answer_is_an_error_with_a_remedy(answer: bytes, says: str) -> None:
    async with linked(timeout_s=0.3) as (server, link, reports):
        server.reply = lambda _: answer
        with pytest.raises(LinkError) as told:
            await link.get("/x")
        assert says in str(told.value)
        assert "secret" not in str(told.value)
        assert (link.health.state, reports.told) == ("up", []), "one bad answer is not the end"
        server.reply = lambda _: response(b"1")
        assert await link.get("/x") == b"1"


async def test_a_server_that_never_answers_is_left_after_the_time_limit() -> None:
    async with linked(timeout_s=0.2) as (server, link, _):
        server.reply = lambda _: None
        with pytest.raises(LinkError, match=r"within 0\.2 s"):
            await link.get("/")


async def test_bad_answers_in_a_row_are_told_once_and_a_good_one_takes_it_back() -> None:
    async with linked(timeout_s=0.3) as (server, link, reports):
        server.reply = lambda _: response(b"", "503 Busy")
        for _ in range(LOST_AFTER):
            with pytest.raises(LinkError, match="503"):
                await link.get("/x")
        await until(lambda: link.health.state == "down")
        with pytest.raises(LinkError, match="not asked: it answered 503"):
            await link.get("/x")
        server.reply = lambda _: response(b"1")
        await until(lambda: link.health.state == "up")
        assert reports.told == [("link_down", True, "meter"), ("link_down", False, "meter")]
        assert await link.get("/x") == b"1"


async def test_a_connection_that_was_cut_between_questions_is_made_again() -> None:
    async with linked() as (server, link, _):
        await link.get("/")
        server.hang_up()
        await asyncio.sleep(0.05)
        assert await link.get("/") == b"{}"


async def test_nobody_there() -> None:
    async with served() as server:
        url = server.url
    link = RealHttp(name="meter", url=url, report=Reports())
    async with running(link):
        await until(lambda: link.health.state == "up")
        with pytest.raises(LinkError, match="Check that it is on"):
            await link.get("/")


async def test_a_link_that_does_not_run_answers_nothing() -> None:
    link = RealHttp(name="meter", url="http://127.0.0.1:1", report=Reports())
    with pytest.raises(LinkError, match="not opened yet"):
        await link.get("/")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'gridzero\[http\]'"):
        RealHttp(name="meter", url="http://a", report=Reports())
