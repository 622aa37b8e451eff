"""The web server: uvicorn around the guard around NiceGUI, on a socket that we open ourselves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from nicegui import app as nicegui_app
from nicegui import core, ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from gridzero.config.faces import DashboardConfig
from gridzero.config.loader import Loaded
from gridzero.errors import LinkError
from gridzero.outputs.dashboard.board import Board
from gridzero.outputs.dashboard.guard import Guard
from gridzero.outputs.dashboard.page import WEB, Pages
from gridzero.outputs.dashboard.past import SPANS, Past
from gridzero.outputs.dashboard.patience import ImpatientHttp
from gridzero.outputs.dashboard.sessions import Sessions, Tries
from gridzero.outputs.dashboard.viewers import Viewers
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.reader import HistoryReader
from gridzero.ports.clock import Clock

log = structlog.get_logger()

MOST_CONNECTIONS: Final = 300
MOST_HEADER_BYTES: Final = 16384
MOST_SOCKET_BYTES: Final = 65536
COMPRESSION: Final = 4
RECONNECT_S: Final = 10.0
KEPT_MESSAGES: Final = 20


async def serve(loaded: Loaded, config: DashboardConfig, feed: Feed, clock: Clock) -> None:
    """Serve the page until cancelled. Raises LinkError when the port cannot be had."""
    site = loaded.config.site.name
    board = Board(feed, clock, site)
    viewers = Viewers(board, clock)
    password = config.password.get_secret_value() if config.password else None
    sessions = Sessions(password, clock)
    pages = Pages(config, feed, board, viewers, sessions, clock)
    past = Past(_reader(loaded))
    board.recall(await past.happened())
    guard = Guard(_application(pages, past, site), sessions, Tries(clock), config.hosts, site)
    with _listener(config.host, config.port) as listener:
        server = _Server(_settings(GZipMiddleware(guard, 1000, COMPRESSION)))
        log.info("dashboard.listening", host=config.host, port=config.port)
        await _both(server, listener, viewers)


async def _both(server: uvicorn.Server, listener: socket.socket, viewers: Viewers) -> None:
    pace = asyncio.create_task(viewers.run(), name="viewers")
    serving = asyncio.create_task(server.serve([listener]), name="uvicorn")
    try:
        await asyncio.wait({pace, serving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        pace.cancel()
        await asyncio.gather(pace, serving, return_exceptions=True)
    for task in (pace, serving):
        if not task.cancelled():
            task.result()


def _application(pages: Pages, past: Past, site: str) -> FastAPI:
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/dashboard", _AskedEachTime(directory=WEB), name="dashboard")

    @web.get("/data/history")
    async def history(span: str = "day") -> JSONResponse:
        if span not in SPANS:
            return JSONResponse({"why_not": f"There are {', '.join(SPANS)}"}, status_code=400)
        return JSONResponse(await past.answer(span), headers={"cache-control": "no-store"})

    def root(request: Request) -> None:
        pages.build(request)

    ui.page("/", title=site)(root)
    _quieten()
    ui.run_with(
        web,
        title=site,
        dark=None,
        language="en-US",
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_S,
        message_history_length=KEPT_MESSAGES,
        gzip_middleware_factory=None,
        show_welcome_message=False,
    )
    return web


def _quieten() -> None:
    """NiceGUI's own doors that this page does not need, and words about requests that are none."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    nicegui_app.config.socket_io_js_transports = ["websocket"]
    core.sio.eio.transports = ["websocket"]
    core.sio.eio.max_http_buffer_size = MOST_SOCKET_BYTES


def _settings(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ImpatientHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        ws_max_size=MOST_SOCKET_BYTES,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=1,
    )


class _AskedEachTime(StaticFiles):
    """Browsers ask whether a file is still the same, which costs no more than a word.

    Without it they guess for how long it is (RFC 9111, 4.2.2), and would run parts of an old page
    beside a new one after an update.
    """

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        """As Starlette makes it, also where nothing has changed."""
        response = super().file_response(*arguments, **named)
        response.headers["cache-control"] = "no-cache"
        return response


class _Server(uvicorn.Server):
    """Signals belong to the process, not to the web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=64)
    except OSError as error:
        raise LinkError(
            f"cannot listen: {error.strerror or error}",
            where=f"dashboard ({host}:{port})",
            remedy="Choose another dashboard.port or dashboard.host",
        ) from None


def _reader(loaded: Loaded) -> HistoryReader | None:
    history = loaded.config.history
    return HistoryReader(history.file(loaded.config.site.state_dir)) if history.enabled else None
