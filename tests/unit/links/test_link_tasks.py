"""Ending what does not want to end, on simulated time."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from gridzero.links.tasks import apart, cancel_all, first_to_end


async def deaf(times: int) -> str:
    """Swallows some cancellations, as wait_for of Python 3.11 may do once."""
    for _ in range(times):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(3600)
    return "late"


async def fails() -> None:
    await asyncio.sleep(1)
    raise ZeroDivisionError


async def test_the_first_to_end_ends_the_others_even_the_deaf() -> None:
    async def stubborn() -> None:
        await deaf(2)

    with pytest.raises(ZeroDivisionError):
        await first_to_end(stubborn(), fails())
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_gives_up_on_what_never_ends() -> None:
    release = asyncio.Event()

    async def endless() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.ensure_future(endless())
    await asyncio.sleep(0)
    await cancel_all([task])
    assert not task.done()
    assert asyncio.get_running_loop().time() == pytest.approx(5)
    release.set()
    await task


async def test_what_runs_apart_comes_to_its_end_before_the_cancellation_goes_on() -> None:
    ended: list[str] = []

    async def connect() -> None:
        await asyncio.sleep(3)
        ended.append("connected")

    caller = asyncio.ensure_future(apart(connect(), limit_s=10))
    await asyncio.sleep(1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended == ["connected"]


async def test_what_runs_apart_too_long_is_cancelled() -> None:
    caller = asyncio.ensure_future(apart(deaf(1), limit_s=10))
    await asyncio.sleep(1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert asyncio.get_running_loop().time() < 12


async def test_two_that_break_in_the_same_moment_are_one_error_and_no_traceback() -> None:
    """A broker that ends breaks who listens and who speaks."""
    printed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: printed.append(context))

    with pytest.raises(ZeroDivisionError):
        await first_to_end(fails(), fails())
    gc.collect()
    assert not printed
