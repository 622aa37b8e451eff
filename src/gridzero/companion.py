"""The processes beside control: ``gridzero companion`` itself, and what they all begin with."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import structlog

from gridzero import log as logging_setup
from gridzero.broker_client import broker_of, client
from gridzero.config.files import read_text
from gridzero.config.loader import Loaded, load_text
from gridzero.config.models import Config
from gridzero.outputs.companion import faces_of, host
from gridzero.outputs.feed import Feed
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.garbage import spare_what_is_there

log = structlog.get_logger()

_KINDNESS = 10  # control comes first wherever processor time is short


def run(
    config: Path,
    broker: str | None = None,
    *,
    with_parent: bool = False,
    instead: Path | None = None,
) -> ExitCode:
    """Host every face of a configuration until a signal.

    broker: HOST:PORT instead of that of the configuration. instead: a file with its text, as
    control read it.
    Raises ConfigError before the start.
    """
    loaded = prepare(config, broker, instead)
    asyncio.run(_serve(loaded, with_parent=with_parent))
    return ExitCode.ASKED


def prepare(config: Path, broker: str | None = None, instead: Path | None = None) -> Loaded:
    """Read the configuration, set up logs, and step back behind the control process."""
    found = find_plugins()
    text = read_text(instead or config)
    loaded = load_text(text, config, found.plugins, broken=found.reasons)
    if broker is not None:
        loaded = replace(loaded, config=_at(loaded.config, broker))
    logging_setup.configure(loaded.config.site.log.level, loaded.config.site.log.format)
    os.nice(_KINDNESS)
    return loaded


def _at(config: Config, broker: str) -> Config:
    return config.model_copy(update={"mqtt": broker_of(broker, config.mqtt.topic_prefix)})


@asynccontextmanager
async def connected(loaded: Loaded) -> AsyncIterator[Feed]:
    """A feed of the gridzero of this configuration, listened to in the background.

    Everything that subscribes should do so at once: before the first await inside.
    """
    link = client(loaded.config.mqtt)
    feed = Feed(link, LoopClock(), loaded.config.mqtt.topic_prefix)
    task = asyncio.create_task(link.run(), name="mqtt")
    task.add_done_callback(end_of_link)
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def end_of_link(task: asyncio.Task[NoReturn]) -> None:
    """A link ends only by a bug. Without it nothing is heard: the parent starts another process."""
    if not task.cancelled():
        log.error("mqtt.crashed", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


async def until_asked_to_end(*, with_parent: bool) -> None:
    """Return on SIGINT or SIGTERM, and with_parent also when standard input ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _look_at_parent, stop)
    await stop.wait()


def _look_at_parent(stop: asyncio.Event) -> None:
    """Nothing is ever written there: readable means that the parent is gone."""
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    stop.set()


async def _serve(loaded: Loaded, *, with_parent: bool) -> None:
    async with connected(loaded) as feed:
        clock = LoopClock()
        faces_here = faces_of(loaded, feed, clock, is_beside=with_parent)
        spare_what_is_there()
        faces = asyncio.create_task(host(faces_here, clock), name="faces")
        try:
            await until_asked_to_end(with_parent=with_parent)
        finally:
            faces.cancel()
            await asyncio.gather(faces, return_exceptions=True)
