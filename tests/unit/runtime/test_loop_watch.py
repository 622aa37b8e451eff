from __future__ import annotations

import asyncio
import threading
import time

import pytest

from gridzero.runtime.loop_watch import LoopWatch


@pytest.mark.real_time
async def test_a_loop_that_stands_still_is_noticed_from_outside() -> None:
    hung = threading.Event()
    watch = LoopWatch(hung_s=0.2, on_hung=hung.set)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.05)
    time.sleep(1.6)  # noqa: ASYNC251 - standing still is the point
    assert hung.is_set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.real_time
async def test_a_loop_that_runs_is_left_alone() -> None:
    hung = threading.Event()
    watch = LoopWatch(hung_s=1.5, on_hung=hung.set)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not hung.is_set()
