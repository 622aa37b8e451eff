"""Faces side by side: one that fails is tried again and ends no other."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest
import structlog

from gridzero.companion import end_of_link, until_asked_to_end
from gridzero.errors import GridzeroError
from gridzero.outputs.companion import FIRST_RETRY_S, Made, host
from gridzero.outputs.face import Face
from gridzero.ports.clock import LoopClock


class Broken:
    """Fails each time it is started, in another way."""

    name = "broken"

    def __init__(self) -> None:
        self.started_s: list[float] = []

    async def run(self) -> None:
        self.started_s.append(asyncio.get_running_loop().time())
        if len(self.started_s) == 1:
            raise GridzeroError("the port is taken", where="broken", remedy="Use another")
        if len(self.started_s) == 2:
            raise ZeroDivisionError


class Good:
    """Counts seconds."""

    name = "good"
    seconds = 0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.seconds += 1


async def test_a_face_that_fails_is_tried_again_and_the_others_go_on() -> None:
    broken, good = Broken(), Good()
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(host([broken, good], LoopClock()))
        await asyncio.sleep(40.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert good.seconds >= 38
    assert broken.started_s[:4] == [0.0, FIRST_RETRY_S, 3 * FIRST_RETRY_S, 7 * FIRST_RETRY_S]
    assert [entry["event"] for entry in logs][:3] == ["face.failed", "face.crashed", "face.ended"]


async def test_a_face_that_cannot_even_be_made_keeps_no_other_from_running() -> None:
    good, late, tries = Good(), Good(), 0

    def make() -> Face:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RuntimeError("no such library")
        return late

    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(host([Made("late", make), good], LoopClock()))
        await asyncio.sleep(40.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert good.seconds >= 38
    assert tries == 3
    assert late.seconds >= 20
    assert [entry["face"] for entry in logs] == ["late", "late"]


@pytest.mark.real_time
async def test_a_connection_that_crashes_ends_the_process_so_that_another_is_started() -> None:
    async def crash() -> NoReturn:
        raise ZeroDivisionError

    asked = asyncio.create_task(until_asked_to_end(with_parent=False))
    await asyncio.sleep(0)
    with structlog.testing.capture_logs() as logs:
        asyncio.create_task(crash()).add_done_callback(end_of_link)
        async with asyncio.timeout(5.0):
            await asked
    assert [entry["event"] for entry in logs] == ["mqtt.crashed"]
