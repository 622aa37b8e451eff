"""``gridzero companion``: everything that people look at, in one process beside control."""

# ruff: noqa: PLC0415 - a face's libraries are imported only where it is configured

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog

from gridzero.config.loader import Loaded
from gridzero.errors import GridzeroError
from gridzero.outputs.face import Face
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.face import recorder_of
from gridzero.ports.clock import Clock

log = structlog.get_logger()

FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0


def faces_of(loaded: Loaded, feed: Feed, clock: Clock) -> Iterator[Face]:
    """Every face that a configuration asks for."""
    config = loaded.config
    if config.metrics is not None:
        from gridzero.outputs.metrics.face import MetricsFace

        yield MetricsFace(config.metrics, feed, clock)
    if config.alerts is not None and config.alerts.urls:
        from gridzero.outputs.alerts.face import AlertsFace

        folder = Path(config.site.state_dir)
        yield AlertsFace(config.alerts, config.site.name, folder, feed, clock)
    if config.history.enabled:
        yield recorder_of(config, feed, clock)


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
