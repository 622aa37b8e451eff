"""Faces side by side: one that fails is tried again and ends no other."""

from __future__ import annotations

import asyncio

import structlog

from gridzero.errors import GridzeroError
from gridzero.outputs.companion import FIRST_RETRY_S, host
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
