"""Who is let in, and how answers are sealed: the guard in front of an application that says yes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from gridzero.outputs.dashboard.guard import COOKIE, Guard, token_of
from gridzero.outputs.dashboard.login import login_page
from gridzero.outputs.dashboard.sessions import Sessions, Tries
from gridzero.ports.clock import LoopClock

PASSWORD = "correct horse"
PAGE = b'<html><script type="module">x</script></html>'


async def yes(scope: Any, _receive: Any, send: Any) -> None:
    """An application that answers everything, and echoes a header that it should never see."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    prefix = dict(scope["headers"]).get(b"x-forwarded-prefix", b"")
    headers = [(b"x-nicegui-content", b"page"), (b"content-length", str(len(PAGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": prefix + PAGE[:9], "more_body": True})
    await send({"type": "http.response.body", "body": PAGE[9:]})


class Door:
    def __init__(self, password: str | None = PASSWORD) -> None:
        clock = LoopClock()
        self.sessions, self.tries = Sessions(password, clock), Tries(clock)
        self.guard = Guard(yes, self.sessions, self.tries, ["shed.example"], "House <1>")

    async def ask(
        self, path: str = "/", method: str = "GET", *, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        given = {"host": "127.0.0.1:8080", **headers}
        sent = await self._send(
            {"type": "http", "method": method, "path": path, "client": ("10.0.0.7", 5)}, given, body
        )
        start = sent[0]
        found = {key.decode(): value.decode() for key, value in start["headers"]}
        return start["status"], found, b"".join(part["body"] for part in sent[1:])

    async def knock(self, **headers: str) -> str:
        """Open a socket; returns what the guard or the application said first."""
        given = {"host": "127.0.0.1:8080", **headers}
        sent = await self._send({"type": "websocket", "path": "/_nicegui_ws/socket.io/"}, given)
        return str(sent[0]["type"])

    async def log_in(self, password: str) -> tuple[int, dict[str, str], bytes]:
        return await self.ask(
            "/login",
            "POST",
            body=f"password={quote(password)}".encode(),
            origin="http://127.0.0.1:8080",
        )

    async def _send(
        self, scope: dict[str, Any], headers: dict[str, str], body: bytes = b""
    ) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        scope["headers"] = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        await self.guard(scope, receive, send)
        return sent


async def test_nothing_is_shown_before_the_login() -> None:
    door = Door()
    status, headers, body = await door.ask()
    assert (status, headers["location"], body) == (303, "/login", b"")
    for path in ("/data/history", "/_nicegui/3/static/x.js", "/anything"):
        assert (await door.ask(path))[0] == 401
    assert await door.knock(origin="http://127.0.0.1:8080") == "websocket.close"


async def test_the_login_gives_a_cookie_that_no_script_and_no_other_site_can_use() -> None:
    door = Door()
    status, headers, _ = await door.log_in(PASSWORD)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    cookie = headers["set-cookie"].partition(";")[0]
    assert (await door.ask(cookie=cookie))[0] == 200
    assert await door.knock(cookie=cookie, origin="http://127.0.0.1:8080") == "websocket.accept"


async def test_after_the_logout_the_cookie_is_worth_nothing() -> None:
    door = Door()
    cookie = (await door.log_in(PASSWORD))[1]["set-cookie"].partition(";")[0]
    await door.ask("/logout", "POST", cookie=cookie, origin="http://127.0.0.1:8080")
    assert (await door.ask(cookie=cookie))[0] == 303


async def test_wrong_passwords_are_slowed_down_and_then_even_the_right_one_waits() -> None:
    door = Door()
    states = [(await door.log_in(f"guess {n}"))[0] for n in range(8)]
    assert states == [401] * 5 + [429] * 3
    status, headers, body = await door.log_in(PASSWORD)
    assert status == 429
    assert int(headers["retry-after"]) > 0
    assert b"Wait" in body


async def test_a_strange_name_is_refused_so_that_nobody_can_point_his_own_here() -> None:
    door = Door(None)
    assert (await door.ask(host="evil.example"))[0] == 403
    assert (await door.ask(host=""))[0] == 403
    for good in ("localhost:8080", "192.168.1.7:8080", "[::1]:8080", "Shed.example"):
        assert (await door.ask(host=good))[0] == 200


async def test_other_sites_can_neither_post_nor_open_a_socket() -> None:
    door = Door(None)
    assert await door.knock(origin="http://evil.example") == "websocket.close"
    assert await door.knock() == "websocket.close"
    assert await door.knock(origin="http://127.0.0.1:8080") == "websocket.accept"
    assert (await door.ask("/login", "POST", origin="http://evil.example"))[0] == 403


async def test_nothing_changes_by_http_but_the_login() -> None:
    door = Door(None)
    same = {"origin": "http://127.0.0.1:8080"}
    assert (await door.ask("/", "POST", **same))[0] == 403
    assert (await door.ask("/", "DELETE", **same))[0] == 403
    assert (await door.ask("/_nicegui_ws/socket.io/", "GET"))[0] == 403
    assert (await door.ask("/logout"))[0] == 303


async def test_pages_are_sealed() -> None:
    status, headers, body = await Door(None).ask(x_forwarded_prefix='"><script>')
    policy = headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert status == 200
    assert body == PAGE.replace(b"<script", f'<script nonce="{nonce}"'.encode())
    assert headers["content-length"] == str(len(body))
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["x-content-type-options"] == "nosniff"


async def test_each_page_has_its_own_number() -> None:
    door = Door(None)
    seals = {(await door.ask())[1]["content-security-policy"] for _ in range(3)}
    assert len(seals) == 3


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"password=" + b"a" * 100_000, b"&" * 50])
async def test_a_login_of_garbage_is_a_wrong_password(body: bytes) -> None:
    status, _, _ = await Door().ask("/login", "POST", body=body, origin="http://127.0.0.1:8080")
    assert status == 401


@pytest.mark.parametrize("cookies", ["", "=", "\x00;;=", f"{COOKIE}", "a=b; c", "x" * 9999])
def test_cookies_of_garbage_are_none(cookies: str) -> None:
    assert token_of(cookies) is None


def test_the_name_of_the_house_cannot_become_html() -> None:
    assert "<1>" not in login_page("House <1>", "<b>")
    assert "<b>" not in login_page("House <1>", "<b>")
