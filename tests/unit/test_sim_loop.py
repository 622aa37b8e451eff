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
