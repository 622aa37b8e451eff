"""The page as NiceGUI serves it: one element that draws the board, and what the browser asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from nicegui import background_tasks, core, ui
from nicegui.client import Client
from nicegui.element import Element
from nicegui.elements import echart as _echart
from nicegui.events import GenericEventArguments
from starlette.requests import Request

from gridzero.config.faces import DashboardConfig
from gridzero.outputs.dashboard.board import Board
from gridzero.outputs.dashboard.guard import token_of
from gridzero.outputs.dashboard.sessions import Sessions
from gridzero.outputs.dashboard.viewers import Viewer, Viewers
from gridzero.outputs.dashboard.views.settings import may_ask
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import Clock

log = structlog.get_logger()

WEB: Final = Path(__file__).parent / "web"
LONGEST_VALUE: Final = 200
_LOADED: Final = sorted(file.name for file in WEB.glob("*.js") if file.name != "board.js")
_EARLY: Final = "".join(
    f'<link rel="modulepreload" href="/dashboard/{name}">\n' for name in _LOADED
)
"""Fetched beside the libraries, and not one after the other when their importer has come."""
_HEAD: Final = f"""{_EARLY}<link rel="stylesheet" href="/dashboard/style.css">
<script>
document.documentElement.dataset.theme = localStorage.getItem("gridzero-theme") || "auto";
</script>"""
_FULL: Final = "Too many browsers look on already. Close one and load this page again."

_ECHARTS: Final = _echart.__name__  # importing it registers ECharts; the page itself fetches it


class BoardElement(Element, component="web/board.js"):
    """Draws the sections of the board; see web/board.js."""

    def __init__(self, first: dict[str, Any], *, kiosk: bool, theme: str, login: bool) -> None:
        super().__init__()
        self._props.update(first=first, kiosk=kiosk, theme=theme, login=login)


class Pages:
    """Builds a page for each browser and joins it to the viewers."""

    def __init__(
        self,
        config: DashboardConfig,
        feed: Feed,
        board: Board,
        viewers: Viewers,
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        self._config, self._feed, self._board = config, feed, board
        self._viewers, self._sessions, self._clock = viewers, sessions, clock
        self.refused = 0

    def build(self, request: Request) -> None:
        """One page: called by NiceGUI for each load."""
        if self._viewers.is_full:
            ui.label(_FULL)
            return
        kiosk = "kiosk" in request.query_params
        theme = self._config.kiosk_theme if kiosk else "auto"
        ui.add_head_html(_HEAD)
        element = BoardElement(
            self._board.whole(), kiosk=kiosk, theme=theme, login=not self._sessions.is_open
        )
        self._join(element, request, may_ask=not kiosk)

    def _join(self, element: BoardElement, request: Request, *, may_ask: bool) -> None:
        client, token = element.client, token_of(request.headers.get("cookie", ""))
        viewer = Viewer(
            show=lambda turn, changes: _call(element, "show", turn, changes),
            drop=lambda why: _drop(client, why),
            may_stay=lambda: self._sessions.knows(token),
            may_ask=may_ask,
        )
        self._viewers.add(viewer)
        client.on_delete(lambda: self._viewers.remove(viewer))
        element.on("drawn", lambda event: self._viewers.drawn(viewer, event.args))

        async def ask(event: GenericEventArguments) -> None:
            await self._ask(viewer, element, event.args)

        element.on("ask", ask)

    async def _ask(self, viewer: Viewer, element: BoardElement, said: Any) -> None:
        """What a browser sends is anything: only known keys and short texts go on."""
        what, value = _asked(said)
        refusal = self._refusal(viewer, what, value)
        if refusal:
            self.refused += 1
            _call(element, "answered", what[:LONGEST_VALUE], False, refusal)
            return
        answer = await self._feed.ask(what, value, by="dashboard")
        log.info("dashboard.asked", what=what, value=value, ok=answer.ok, answer=answer.text)
        _call(element, "answered", what, answer.ok, answer.text)

    def _refusal(self, viewer: Viewer, what: str, value: str) -> str:
        if not viewer.may_ask:
            return "this is a wall display: it only shows"
        if not viewer.may_ask_now(self._clock.now_s()):
            return "too many requests at once: wait a moment"
        if what != "acknowledge" and not may_ask(self._feed.latest("settings"), what):
            return "gridzero has no such setting or action"
        return f"more than {LONGEST_VALUE} characters" if len(value) > LONGEST_VALUE else ""


def _asked(said: Any) -> tuple[str, str]:
    if not isinstance(said, Mapping):
        return "", ""
    what, value = said.get("what"), said.get("value")
    return what if isinstance(what, str) else "", value if isinstance(value, str) else ""


def _call(element: Element, method: str, *values: Any) -> None:
    if not element.is_deleted:
        element.run_method(method, *values)


def _drop(client: Client, why: str) -> None:
    log.info("browser.dropped", why=why, address=client.ip)
    background_tasks.create(_disconnect(client), name="drop a browser")


async def _disconnect(client: Client) -> None:
    for sid, _ in list(core.sio.manager.get_participants("/", client.id)):
        await core.sio.disconnect(sid)
    if not client.is_deleted:
        client.delete()
