"""``gridzero companion``: everything that people look at, in one process beside control."""

# ruff: noqa: PLC0415 - a face's libraries are imported only where it is configured

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import structlog

from gridzero.config.faces import AlertsConfig, MetricsConfig
from gridzero.config.loader import Loaded
from gridzero.config.models import Config
from gridzero.errors import GridzeroError
from gridzero.outputs.face import Face
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.face import recorder_of
from gridzero.outputs.home_assistant.face import HomeAssistantFace
from gridzero.outputs.home_assistant.update import OnDisk, installed_on_disk
from gridzero.outputs.reference_topics import ReferenceTopics
from gridzero.plugins import find_plugins
from gridzero.ports.clock import Clock

log = structlog.get_logger()

FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0


class Made:
    """A face that is made when it is first run.

    One that cannot even be made is tried again like one that fails, and keeps no other from
    running.
    """

    def __init__(self, name: str, make: Callable[[], Face]) -> None:
        self.name, self._make = name, make
        self._face: Face | None = None

    async def run(self) -> None:
        """See outputs.face.Face."""
        if self._face is None:
            self._face = self._make()
        await self._face.run()


def faces_of(
    loaded: Loaded, feed: Feed, clock: Clock, *, is_beside: bool = False
) -> Iterator[Face]:
    """Every face that a configuration asks for. is_beside: control runs from the same disk."""
    on_disk = installed_on_disk if is_beside else None
    config, state_dir = loaded.config, Path(loaded.config.site.state_dir)
    if config.home_assistant.enabled:
        make = partial(_home_assistant, config, state_dir, feed, clock, on_disk)
        yield Made("home_assistant", make)
    if config.reference_topics.enabled:
        prefix = config.reference_topics.prefix
        yield Made("reference_topics", lambda: ReferenceTopics(feed, clock, prefix))
    if config.history.enabled:
        yield Made("history", lambda: recorder_of(config, feed, clock))
    if config.metrics is not None:
        yield Made("metrics", partial(_metrics, config.metrics, feed, clock))
    if config.alerts is not None and config.alerts.urls:
        yield Made(
            "alerts", partial(_alerts, config.alerts, config.site.name, state_dir, feed, clock)
        )
    if config.console.enabled:
        yield Made("console", lambda: _console(loaded, feed, clock))


def _home_assistant(
    config: Config, state_dir: Path, feed: Feed, clock: Clock, on_disk: OnDisk | None
) -> Face:
    return HomeAssistantFace(
        feed,
        clock,
        config.home_assistant,
        state_dir=state_dir,
        meter_lost_s=config.control.meter_lost_s,
        on_disk=on_disk,
    )


def _metrics(config: MetricsConfig, feed: Feed, clock: Clock) -> Face:
    from gridzero.outputs.metrics.face import MetricsFace

    return MetricsFace(config, feed, clock)


def _alerts(config: AlertsConfig, site: str, state_dir: Path, feed: Feed, clock: Clock) -> Face:
    from gridzero.outputs.alerts.face import AlertsFace

    return AlertsFace(config, site, state_dir, feed, clock)


def _console(loaded: Loaded, feed: Feed, clock: Clock) -> Face:
    from gridzero.outputs.console.face import console_of

    return console_of(loaded, feed, clock, find_plugins().plugins)


async def host(faces: Iterable[Face], clock: Clock) -> None:
    """Run faces side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        for face in faces:
            group.create_task(keep(face, clock), name=face.name)


async def keep(face: Face, clock: Clock) -> None:
    """Run one face for ever: what fails, bugs included, is told and tried again.

    Here a bug in one face must not end the others, unlike in the control process.
    """
    retry_s = FIRST_RETRY_S
    while True:
        begun_s = clock.now_s()
        try:
            await face.run()
        except GridzeroError as error:
            log.warning("face.failed", face=face.name, what=str(error), retry_s=retry_s)
        except Exception:
            log.exception("face.crashed", face=face.name, retry_s=retry_s)
        else:
            log.error("face.ended", face=face.name, retry_s=retry_s)
        if clock.now_s() - begun_s > LONGEST_RETRY_S:
            retry_s = FIRST_RETRY_S
        await clock.sleep_s(retry_s)
        retry_s = min(2 * retry_s, LONGEST_RETRY_S)
