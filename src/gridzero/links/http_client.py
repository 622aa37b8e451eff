"""A real web server of a device, by aiohttp: asked, never served.

aiohttp is loaded when the link is opened. What is wrong with an answer is told by the link: after
LOST_AFTER bad ones in a row it is down, and stays so until the same question is answered again.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from gridzero.errors import ConfigError, LinkError
from gridzero.links.backoff import Backoff, Keeper, SessionEnd
from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

if TYPE_CHECKING:
    import aiohttp

MOST_BODY_BYTES: Final = 256 * 1024
LOST_AFTER = 3
LONGEST_PAUSE_S = 5.0

_OK, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
_REDIRECTS = range(300, 400)
_CHECK_NET = "Check that it is on and in the network, and the link's url"


class RealHttp:
    """Asks one server, one request at a time. Meets ports.links.HttpLink.

    url: scheme, host and port. timeout_s: for a whole answer. lost_after: bad answers in a row.
    run() keeps it usable.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        report: Report,
        username: str | None = None,
        password: str | None = None,
        auth: Literal["basic", "digest"] = "basic",
        timeout_s: float = 2.0,
        lost_after: int = LOST_AFTER,
    ) -> None:
        """Raises ConfigError when aiohttp is not installed."""
        if importlib.util.find_spec("aiohttp") is None:
            raise ConfigError(
                "the library for web servers is not installed",
                where=f"links.{name}",
                remedy="Install it: pip install 'gridzero[http]'",
            )
        self.name = name
        self.health = LinkHealth()
        self._url = url.rstrip("/")
        self._account = (username, password) if username and password is not None else None
        self._auth = auth
        self._timeout_s, self._lost_after = timeout_s, lost_after
        backoff = Backoff(longest_s=LONGEST_PAUSE_S)
        self._keeper = Keeper(name, self.health, report, backoff)
        self._turn = asyncio.Lock()
        self._failed = 0
        self._session: aiohttp.ClientSession | None = None
        self._end: SessionEnd | None = None
        self._unanswered: str | None = None

    async def run(self) -> NoReturn:
        """Keep the link until cancelled. Raises only for bugs."""
        await self._keeper.run(self._serve)

    async def get(self, target: str) -> bytes:
        """See ports.links.HttpLink."""
        end = self._end
        if end is None:
            why = self.health.why or "it is closed"
            raise self._error(f"not asked: {why}", "It is tried again")
        try:
            body = await self._ask(target)
        except LinkError as error:
            self._failed += 1
            if self._failed >= self._lost_after:
                self._unanswered = target
                end.because(error)
            raise
        self._failed = 0
        return body

    async def _serve(self) -> None:
        self._session = self._opened()
        try:
            if self._unanswered is not None:
                await self._ask(self._unanswered)
            self._failed, self._unanswered, self._end = 0, None, SessionEnd()
            self._keeper.up()
            await self._end.wait()
        finally:
            self._end = None
            session, self._session = self._session, None
            await session.close()

    async def _ask(self, target: str) -> bytes:
        async with self._turn:
            session = self._session
            if session is None:
                raise self._error("not asked: it is closed", "It is tried again")
            self.health.tx += 1
            try:
                body = await self._answer(session, target)
            except LinkError:
                self.health.tx_failed += 1
                raise
        self.health.rx += 1
        self.health.rx_at_s = asyncio.get_running_loop().time()
        return body

    async def _answer(self, session: aiohttp.ClientSession, target: str) -> bytes:
        library = importlib.import_module("aiohttp")
        url = importlib.import_module("yarl").URL(self._url + target, encoded=True)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                session.get(url, allow_redirects=False) as answer,
            ):
                self._check(answer, target)
                return await self._body(answer)
        except TimeoutError:
            what = f"no whole answer within {self._timeout_s:g} s"
            raise self._error(what, f"{_CHECK_NET}, or raise timeout_s") from None
        except (library.ClientError, OSError, ValueError) as error:
            what = f"no answer: {str(error) or type(error).__name__}"
            raise self._error(what, _CHECK_NET) from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in answer.content.iter_chunked(16 * 1024):
            body += piece
            if len(body) > MOST_BODY_BYTES:
                answer.close()
                what = f"an answer of more than {MOST_BODY_BYTES >> 10} KiB"
                raise self._error(what, "Check the driver's request: this is no reading")
        return bytes(body)

    def _check(self, answer: aiohttp.ClientResponse, target: str) -> None:
        if answer.status == _OK:
            return
        answer.close()
        what, remedy = f"it answered {answer.status} to {target}", _CHECK_NET
        if answer.status in (_UNAUTHORISED, _FORBIDDEN):
            remedy = "Check username, password and auth of the link"
        elif answer.status == _NOT_FOUND:
            remedy = "Check the driver's request, and that the device's local interface is on"
        elif answer.status in _REDIRECTS:
            to = answer.headers.get("Location", "somewhere else")[:80]
            remedy = f"It redirects to {to!a}: give that as the link's url"
        raise self._error(what, remedy)

    def _opened(self) -> aiohttp.ClientSession:
        library = importlib.import_module("aiohttp")
        given: dict[str, Any] = {}
        # what is packed may be small on the wire and huge here
        headers = {"Accept-Encoding": "identity"}
        if self._account is not None and self._auth == "digest":
            given["middlewares"] = (library.DigestAuthMiddleware(*self._account),)
        elif self._account is not None:
            headers["Authorization"] = _basic(*self._account)
        session: aiohttp.ClientSession = library.ClientSession(
            connector=library.TCPConnector(limit=1),
            cookie_jar=library.DummyCookieJar(),
            timeout=library.ClientTimeout(total=None),
            auto_decompress=False,
            headers=headers,
            **given,
        )
        return session

    def _error(self, what: str, remedy: str) -> LinkError:
        return LinkError(what, where=f"{self.name} ({self._url})", remedy=remedy)


def _basic(username: str, password: str) -> str:
    """RFC 7617 with UTF-8. Redirects are not followed, so nobody else gets to see it."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
