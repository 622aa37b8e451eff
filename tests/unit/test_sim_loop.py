from __future__ import annotations

import asyncio

import pytest

from gridzero.links.memory import MemoryLinks
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.sim.loop import Stuck, run_simulated


async def test_a_day_passes_at_once() -> None:
    loop = asyncio.get_running_loop()
    before_s = loop.time()
    await asyncio.sleep(86400)
    assert loop.time() - before_s == pytest.approx(86400)


async def test_timeouts_obey_simulated_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()


def test_a_deadlock_is_said_instead_of_waited_for() -> None:
    async def wait_for_nothing() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run_simulated(wait_for_nothing())


async def test_frames_reach_the_other_ends_that_want_them() -> None:
    links = MemoryLinks()
    host, node = links.can("a"), links.can_bus("a").attach()
    heard: list[CanFrame] = []
    node.listen(heard.append, [CanFilter(0x100, 0x7F0, is_extended=False)])
    for can_id, is_extended in ((0x105, False), (0x105, True), (0x110, False)):
        host.send(CanFrame(can_id, b"\1", is_extended))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == [CanFrame(0x105, b"\1")]


def test_timers_for_one_moment_come_in_the_order_in_which_they_were_set() -> None:
    async def order(extra: bool) -> list[int]:
        loop, seen = asyncio.get_running_loop(), list[int]()
        for number in range(20):
            loop.call_later(0.1 + 0.2 if number % 2 else 0.3, seen.append, number)
            if extra and number % 3 == 0:
                loop.call_later(0.3, lambda: None)
        await asyncio.sleep(1.0)
        return seen

    assert run_simulated(order(extra=False)) == list(range(20))
    assert run_simulated(order(extra=True)) == list(range(20))


def test_time_is_whole_nanoseconds_however_it_was_cut() -> None:
    async def now_s(cuts: int) -> float:
        for _ in range(cuts):
            await asyncio.sleep(1.0 / cuts)
        return asyncio.get_running_loop().time()

    assert run_simulated(now_s(1)) == run_simulated(now_s(10)) == 1.0
