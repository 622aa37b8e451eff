"""``gridzero run``: one house, for years."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from gridzero import __version__
from gridzero import log as logging_setup
from gridzero.app import build
from gridzero.children import children
from gridzero.config.loader import Loaded, load
from gridzero.config.models import WatchdogConfig
from gridzero.links.alive_file import AliveFile
from gridzero.links.systemd import Systemd
from gridzero.links.watchdog_device import WatchdogDevice
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverPlugin
from gridzero.real_links import RealLinks
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.loop_watch import LoopWatch
from gridzero.runtime.orders import Orders
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.state_lock import only_process
from gridzero.runtime.supervisor import Ending
from gridzero.runtime.watchdogs import DeviceFeeder, Feeder, FileFeeder, SystemdFeeder

log = structlog.get_logger()

_LEAVE_S = 10.0


def run(config: Path, duration_s: float | None = None, *, alone: bool = False) -> ExitCode:
    """Run a site until a signal or the end of duration_s.

    alone: without the processes beside it that people look at.

    Raises ConfigError before the start, also where another process serves the same house.
    """
    found = find_plugins()
    loaded = load(config, found.plugins, broken=found.reasons)
    logging_setup.configure(loaded.config.site.log.level, loaded.config.site.log.format)
    for warning in loaded.warnings:
        log.warning("config.doubtful", place=str(warning))
    with only_process(Path(loaded.config.site.state_dir)):
        beside = None if alone else config
        ending = asyncio.run(_serve(loaded, found.plugins, duration_s, beside))
    return ending.code


async def _serve(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    duration_s: float | None,
    beside: Path | None,
) -> Ending:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if duration_s is not None:
        loop.call_later(duration_s, stop.set)
    faults = FaultBook(LoopClock())
    links = RealLinks(loaded.config, faults)
    services = tuple(links.services())
    if beside is not None:
        services += tuple(children(loaded.config, beside, faults, LoopClock()))
    app = build(
        loaded,
        plugins,
        links,
        faults=faults,
        link_services=services,
        links_ready=links.ready,
        feeders=tuple(_feeders(loaded.config.watchdog, os.environ)),
    )
    log.info("site.started", version=__version__, name=loaded.config.site.name)
    again = restart_by(app.orders, stop)
    watch = asyncio.create_task(LoopWatch().run(), name="loop_watch")
    try:
        ending = await app.run(stop)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    if again and ending.code is ExitCode.ASKED:
        ending = Ending(ExitCode.AGAIN, "asked to restart")
    _leave_for_sure(ending.code)
    return ending


def restart_by(orders: Orders, stop: asyncio.Event) -> list[str]:
    """Let people ask for a restart; returns a list that is empty until they have."""
    asked: list[str] = []

    def do(value: str) -> str:
        if _is_in_a_terminal():
            raise SettingRefused(
                "gridzero was started in a terminal: nothing would start it again",
                where="restart",
                remedy="End it there with Ctrl-C and start it again",
            )
        asked.append(value)
        stop.set()
        return "stops in order; Docker or systemd starts it again"

    orders.can("restart", do)
    return asked


def _is_in_a_terminal() -> bool:
    """A container may have a terminal, too: there this is process 1."""
    return sys.stdin is not None and sys.stdin.isatty() and os.getpid() != 1


def _feeders(config: WatchdogConfig, environ: Mapping[str, str]) -> Iterator[Feeder]:
    systemd = Systemd.from_environment(environ) if config.systemd == "auto" else None
    if systemd is not None:
        yield SystemdFeeder(systemd)
    if config.hardware is not None:
        yield DeviceFeeder(WatchdogDevice(config.hardware, config.timeout_s))
    file = AliveFile.from_environment(environ)
    if file is not None:
        yield FileFeeder(file)


def _leave_for_sure(code: int) -> None:
    """A task that ignores its cancellation must not keep a process that has ended its work."""
    timer = threading.Timer(_LEAVE_S, os._exit, (code,))
    timer.daemon = True
    timer.start()
