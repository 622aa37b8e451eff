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
from gridzero.children import Beside, children
from gridzero.config.models import Config, WatchdogConfig
from gridzero.configured.reloading import Reloader
from gridzero.configured.rollback import Chosen, choose
from gridzero.errors import ConfigError
from gridzero.links.alive_file import AliveFile
from gridzero.links.claims import claimed
from gridzero.links.systemd import Systemd
from gridzero.links.watchdog_device import WatchdogDevice
from gridzero.plugins import Found, find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.real_links import RealLinks, claims_of
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.garbage import spare_what_is_there
from gridzero.runtime.loop_watch import LoopWatch
from gridzero.runtime.orders import Orders
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.state_lock import only_process
from gridzero.runtime.supervisor import Ending, Service
from gridzero.runtime.watchdogs import DeviceFeeder, Feeder, FileFeeder, SystemdFeeder

log = structlog.get_logger()

_LEAVE_S = 10.0


def run(
    config: Path,
    duration_s: float | None = None,
    *,
    alone: bool = False,
    may_roll_back: bool = True,
) -> ExitCode:
    """Run a site until a signal or the end of duration_s.

    alone: without the processes beside it that people look at. may_roll_back: to the last good
    configuration when this one does not work.

    Raises ConfigError before the start, also where another process serves the same house
    or commands the same hardware.
    """
    found = find_plugins()
    chosen = choose(config, found, may_roll_back=may_roll_back)
    _begin_log(chosen)
    with only_process(Path(chosen.loaded.config.site.state_dir)):
        ending = _first_try(chosen, found, duration_s, alone=alone)
        if isinstance(ending, ConfigError):
            chosen = chosen.without_trial(ending, found)
            _begin_log(chosen)
            with claimed(claims_of(chosen.loaded.config)):
                ending = asyncio.run(_serve(chosen, found, duration_s, alone=alone))
        chosen.ended(ending.code)
    return ending.code


def _first_try(
    chosen: Chosen, found: Found, duration_s: float | None, *, alone: bool
) -> Ending | ConfigError:
    """How it ended, or what only the real links and devices know to be wrong.

    Raises HeldError where another process commands the hardware: no file is to blame for that.
    """
    with claimed(claims_of(chosen.loaded.config)):
        chosen.begin()
        try:
            return asyncio.run(_serve(chosen, found, duration_s, alone=alone))
        except ConfigError as error:
            return error


def _begin_log(chosen: Chosen) -> None:
    site = chosen.loaded.config.site
    logging_setup.configure(site.log.level, site.log.format)
    for warning in chosen.loaded.warnings:
        log.warning("config.doubtful", place=str(warning))


async def _serve(chosen: Chosen, found: Found, duration_s: float | None, *, alone: bool) -> Ending:
    loaded = chosen.loaded
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if duration_s is not None:
        loop.call_later(duration_s, stop.set)
    faults = FaultBook(LoopClock())
    links = RealLinks(loaded.config, faults)
    services = tuple(links.services())
    beside = None if alone else _beside(chosen, faults)
    if beside is not None:
        services += (Service("beside", beside.run),)
    app = build(
        loaded,
        found.plugins,
        links,
        faults=faults,
        link_services=services,
        links_ready=links.ready,
        feeders=tuple(_feeders(loaded.config.watchdog, os.environ)),
    )
    log.info("site.started", version=__version__, name=loaded.config.site.name)
    again = restart_by(app.orders, stop)
    reloader = Reloader(chosen, found, app, beside)
    spare_what_is_there()
    watch = asyncio.create_task(LoopWatch().run(), name="loop_watch")
    try:
        ending = await app.run(stop, (Service("reloader", reloader.run),))
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    if again and ending.code is ExitCode.ASKED:
        ending = Ending(ExitCode.AGAIN, "asked to restart")
    _leave_for_sure(ending.code)
    return ending


def _beside(chosen: Chosen, faults: FaultBook) -> Beside:
    def make(config: Config, text: str) -> Iterator[Service]:
        return children(config, chosen.file, faults, LoopClock(), text=text)

    return Beside(make, chosen.loaded.config, chosen.text, faults)


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
