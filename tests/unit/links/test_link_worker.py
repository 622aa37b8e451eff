"""The thread for calls that may block."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest
from link_fakes import until

from gridzero.errors import LinkError
from gridzero.links.worker import MOST_HANGING, Worker, Workers

pytestmark = pytest.mark.real_time


async def test_results_and_exceptions_come_back_in_order() -> None:
    worker = Worker("can test")
    name = await worker.call(lambda: threading.current_thread().name, limit_s=1)
    assert name == "can test"
    with pytest.raises(OSError, match="121"):
        await worker.call(fail, limit_s=1)
    worker.stop()
    await until(lambda: not worker.is_alive)


class Unplugged(OSError):
    """One that a weak reference can follow."""


def fail() -> None:
    raise Unplugged(121, "121")


async def test_a_failure_leaves_nothing_to_the_garbage_collector() -> None:
    """Each try of an outage leaves its exception, and what that knows: half-open ports."""
    worker, seen = Worker("can test"), list[weakref.ref[Unplugged]]()
    gc.disable()
    try:
        await note_failure(worker, seen)
        await worker.call(lambda: None, limit_s=1)  # its thread is done with the one before
        assert [reference() for reference in seen] == [None]
    finally:
        gc.enable()
    worker.stop()
    await until(lambda: not worker.is_alive)


async def note_failure(worker: Worker, seen: list[weakref.ref[Unplugged]]) -> None:
    try:
        await worker.call(fail, limit_s=1)
    except Unplugged as error:
        seen.append(weakref.ref(error))


async def test_a_call_that_hangs_ends_at_its_limit_and_its_result_is_discarded() -> None:
    worker, release = Worker("can test"), threading.Event()
    late: list[str] = []

    def hang() -> str:
        release.wait(5)
        return "port"

    with pytest.raises(TimeoutError):
        await worker.call(hang, limit_s=0.02, discard=late.append)
    release.set()
    await until(lambda: late == ["port"])
    worker.stop()
    await until(lambda: not worker.is_alive)


async def test_a_cancelled_caller_gets_its_late_result_discarded() -> None:
    worker, release = Worker("can test"), threading.Event()
    late: list[str] = []

    def hang() -> str:
        release.wait(5)
        return "port"

    caller = asyncio.ensure_future(worker.call(hang, limit_s=5, discard=late.append))
    queued = asyncio.ensure_future(worker.call(lambda: late.append("never"), limit_s=5))
    await asyncio.sleep(0.02)
    for each in (caller, queued):
        each.cancel()
    await asyncio.gather(caller, queued, return_exceptions=True)
    release.set()
    worker.stop()
    await until(lambda: not worker.is_alive)
    assert late == ["port"]


async def test_a_driver_that_never_comes_back_costs_few_threads() -> None:
    workers, release = Workers("can test", where="bus"), threading.Event()
    for _ in range(MOST_HANGING):
        with workers.next() as worker, pytest.raises(TimeoutError):
            await worker.call(release.wait, limit_s=0.02)
    with pytest.raises(LinkError, match="hang in its driver"), workers.next():
        pass
    release.set()
    await until(lambda: not worker.is_alive)
    with workers.next() as again:
        assert await again.call(lambda: 7, limit_s=1) == 7
    await until(lambda: not again.is_alive)
