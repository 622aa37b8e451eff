"""A browser without a picture: it speaks to the dashboard as NiceGUI's own page does.

It loads the page, opens the socket that the page names (socket.io 5 over engine.io 4), takes every
picture and says that it has drawn it. Twenty of them cost a fraction of what one Chromium does, so
that the benchmark measures the house and not the browsers, which run elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

from gridzero.errors import FrameError, LinkError

_SOCKET = "/_nicegui_ws/socket.io/"
_QUERY = re.compile(r"^\s*query: \{(.*)\},$", re.MULTILINE)
_PAIR = re.compile(r"'(\w+)': '?([^',]+)'?")
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
_SHOWN = re.compile(r'runMethod\((\d+), "show", \[(\d+)')
_MOST_BYTES = 1 << 22


class Page:
    """What a browser keeps of a page. pictures: how many it was shown."""

    def __init__(self, html: str) -> None:
        """Raises FrameError for a page that is not the dashboard's."""
        query, elements = _QUERY.search(html), _ELEMENTS.search(html)
        if query is None or elements is None:
            raise FrameError("this is no page of NiceGUI", where="browser")
        self.query = dict(_PAIR.findall(query.group(1)))
        self.element, self._listener = _board(json.loads(elements.group(1)))
        self.pictures = 0
        self._next = int(self.query["next_message_id"])

    def socket_path(self) -> str:
        """Where the socket is, with what the page was given to say."""
        given = {key: value.lower() for key, value in self.query.items()}
        own = {"document_id": uuid4(), "tab_id": uuid4(), "old_tab_id": uuid4()}
        return f"{_SOCKET}?{urlencode({**given, **own, 'EIO': 4, 'transport': 'websocket'})}"

    def answers(self, message: str) -> Iterator[str]:
        """What a browser says to one message of the socket."""
        if message.startswith("0"):  # engine.io is open
            yield "40"
        elif message.startswith("40"):  # socket.io is connected: the page is drawn
            yield self._drawn(self.element, 0)
        elif message == "2":
            yield "3"
        elif message.startswith("42"):
            yield from self._to_event(*json.loads(message[2:]))

    def _to_event(self, _name: str, values: Any = None) -> Iterator[str]:
        if not isinstance(values, dict):
            return
        self._next = values.get("_id", self._next - 1) + 1
        shown = _SHOWN.search(str(values.get("code", "")))
        if shown is not None:
            self.pictures += 1
            yield self._drawn(int(shown.group(1)), int(shown.group(2)))
            ack = {"client_id": self.query["client_id"], "next_message_id": self._next}
            yield _event("ack", ack)

    def _drawn(self, element: int, turn: int) -> str:
        said = {
            "id": element,
            "client_id": self.query["client_id"],
            "listener_id": self._listener,
            "args": [json.dumps(turn)],
        }
        return _event("event", said)


async def look_on(base: str, page_of: list[Page]) -> NoReturn:
    """Look at the dashboard until cancelled; its page is appended to page_of.

    base: such as http://127.0.0.1:8080. Raises LinkError when the dashboard hangs up.
    """
    jar = aiohttp.CookieJar(unsafe=True)  # unsafe: cookies of addresses, too
    async with aiohttp.ClientSession(base, cookie_jar=jar) as session:
        async with session.get("/") as response:
            page = Page(await response.text())
        page_of.append(page)
        async with session.ws_connect(
            page.socket_path(), origin=base, max_msg_size=_MOST_BYTES
        ) as socket:
            async for message in socket:
                for answer in page.answers(str(message.data)):
                    await socket.send_str(answer)
    raise LinkError("the dashboard has hung up", where="browser", remedy="See its log")


async def look_on_with(count: int, base: str, pages: list[Page]) -> None:
    """So many browsers side by side, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(look_on(base, pages))


def _board(elements: dict[str, Any]) -> tuple[int, str]:
    """Number of the element that draws, and whom it tells."""
    for number, element in elements.items():
        for event in element.get("events", ()):
            if event["type"] == "drawn":
                return int(number), str(event["listener_id"])
    raise FrameError("nothing on this page draws", where="browser")


def _event(name: str, values: dict[str, Any]) -> str:
    return f"42{json.dumps([name, values])}"
