"""What stands before every request: whose it is, where it comes from, and how the answer is sealed.

An ASGI application around the page's own. Requests that change something need the session's
cookie, which browsers do not send from other sites (SameSite=Strict), and an ``Origin`` that is
this page; the socket needs both too. A ``Host`` that is a strange name is refused: a page of
somebody else could point its own name at this address (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from gridzero.outputs.dashboard.login import login_page
from gridzero.outputs.dashboard.sessions import SESSION_S, Sessions, Tries

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE: Final = "gridzero"
MOST_BODY_BYTES: Final = 4096
_POLICY_VIOLATION: Final = 1008
_PAGE_SIGN: Final = b"x-nicegui-content"
_OPEN_PATHS: Final = frozenset({"/login", "/dashboard/style.css"})


class Asked(NamedTuple):
    """What is looked at of a request."""

    method: str
    path: str
    host: str
    origin: str | None
    token: str | None
    address: str
    is_socket: bool

    @classmethod
    def of(cls, scope: Scope) -> Asked:
        """Raises nothing: what is no text is empty."""
        headers = {k.lower(): v.decode("latin-1") for k, v in scope.get("headers", ())}
        return cls(
            method=str(scope.get("method", "GET")),
            path=str(scope.get("path", "")),
            host=headers.get(b"host", ""),
            origin=headers.get(b"origin"),
            token=token_of(headers.get(b"cookie", "")),
            address=(scope.get("client") or ("", 0))[0],
            is_socket=scope["type"] == "websocket",
        )


def token_of(cookies: str) -> str | None:
    """Our cookie out of a header of cookies."""
    try:
        found = SimpleCookie(cookies[:MOST_BODY_BYTES]).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


class Guard:
    """Lets through who may pass; answers itself for the rest."""

    def __init__(
        self, app: Asgi, sessions: Sessions, tries: Tries, hosts: Iterable[str], site: str
    ) -> None:
        """hosts: names, besides addresses and this machine's own, that the page is called by."""
        self.app = app
        self._sessions, self._tries, self._site = sessions, tries, site
        own = socket.gethostname().lower()
        self._hosts = {"localhost", own, f"{own}.local", *(host.lower() for host in hosts)}
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        asked = Asked.of(scope)
        if why := self._stranger(asked):
            await self._refuse(asked, send, 403, why)
        elif asked.path in {"/login", "/logout"} and not asked.is_socket:
            await self._door(asked, receive, send)
        elif asked.path in _OPEN_PATHS or self._sessions.knows(asked.token):
            await self._pass(asked, scope, receive, send)
        elif asked.is_socket or asked.path != "/":
            await self._refuse(asked, send, 401, "log in first")
        else:
            await _answer(send, 303, b"", {"location": "/login"})

    def _stranger(self, asked: Asked) -> str:
        """Why a request is refused whoever sends it; "" where it is not."""
        if not self._is_ours(asked.host):
            return "this page is not known by that name: add it to dashboard.hosts"
        changes = asked.is_socket or asked.method not in {"GET", "HEAD"}
        if changes and not _same(asked.origin, asked.host):
            return "the request does not come from this page"
        if asked.method not in {"GET", "HEAD", "POST"}:
            return "no such method"
        if not asked.is_socket and asked.path.startswith("/_nicegui_ws"):
            return "only by websocket"
        if asked.method == "POST" and asked.path not in {"/login", "/logout"}:
            return "nothing is changed that way"
        return ""

    def _is_ours(self, host: str) -> bool:
        name = _name_of(host)
        return name in self._hosts or _is_address(name)

    async def _refuse(self, asked: Asked, send: Send, status: int, why: str) -> None:
        self.refused += 1
        if asked.is_socket:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": why})
        else:
            await _answer(send, status, why.encode(), {})

    async def _pass(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        # the page would echo this header, which a proxy sets and anybody can
        scope["headers"] = [h for h in scope["headers"] if h[0].lower() != b"x-forwarded-prefix"]
        await self.app(scope, receive, send if asked.is_socket else Seal(send))

    async def _door(self, asked: Asked, receive: Receive, send: Send) -> None:
        if self._sessions.is_open:
            await _answer(send, 303, b"", {"location": "/"})
        elif asked.path == "/logout" and asked.method == "POST":
            self._sessions.end(asked.token)
            await _answer(send, 303, b"", {"location": "/login", "set-cookie": _cookie("", 0)})
        elif asked.path == "/login" and asked.method == "POST":
            await self._log_in(asked, receive, send)
        else:
            await _page(send, 200, login_page(self._site))

    async def _log_in(self, asked: Asked, receive: Receive, send: Send) -> None:
        wait_s = self._tries.wait_s(asked.address)
        if wait_s > 0:
            told = login_page(self._site, f"Too many wrong passwords. Wait {wait_s:.0f} s.")
            await _page(send, 429, told, {"retry-after": f"{wait_s:.0f}"})
        elif self._sessions.fits(_field(await _body(receive), "password")):
            cookie = _cookie(self._sessions.begin(), int(SESSION_S))
            await _answer(send, 303, b"", {"location": "/", "set-cookie": cookie})
        else:
            self._tries.wrong(asked.address)
            await _page(send, 401, login_page(self._site, "That is not the password."))


class Seal:
    """Adds the headers to an answer, and a number used once to every script of the page."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._held: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        """See ASGI's send."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] == "http.response.body" and self._held is not None:
            await self._page_body(message)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        is_page = any(key.lower() == _PAGE_SIGN for key, _ in message["headers"])
        headers = sealed(self._nonce)
        message["headers"] = [*message["headers"], *_raw(headers)]
        if is_page:
            self._held = message  # its length changes with the body
        else:
            await self._send(message)

    async def _page_body(self, message: Message) -> None:
        assert self._held is not None
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = bytes(self._body).replace(b"<script", f'<script nonce="{self._nonce}"'.encode())
        kept = [h for h in self._held["headers"] if h[0].lower() != b"content-length"]
        self._held["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        await self._send(self._held)
        await self._send({"type": "http.response.body", "body": body})


def sealed(nonce: str) -> dict[str, str]:
    """Security headers. Vue compiles templates in the browser, hence unsafe-eval."""
    return {
        "content-security-policy": (
            "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; font-src 'self'; connect-src 'self'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",  # with none, browsers hide the origin of a form
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }


def _same(origin: str | None, host: str) -> bool:
    return origin is not None and urlsplit(origin).netloc.lower() == host.lower() != ""


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(token: str, seconds: int) -> str:
    return f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while len(body) <= MOST_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return bytes(body[:MOST_BODY_BYTES])


def _field(body: bytes, name: str) -> str:
    try:
        return parse_qs(body.decode(), max_num_fields=8).get(name, [""])[0]
    except ValueError:
        return ""


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]


async def _page(
    send: Send, status: int, html: str, headers: Mapping[str, str] | None = None
) -> None:
    own = {"content-type": "text/html; charset=utf-8", **(headers or {})}
    await _answer(send, status, html.encode(), own)


async def _answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    said = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **sealed(secrets.token_urlsafe(16)),
        **headers,
    }
    await send({"type": "http.response.start", "status": status, "headers": _raw(said)})
    await send({"type": "http.response.body", "body": body})
