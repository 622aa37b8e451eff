"""Two controls below one topic prefix: a second house on the broker, or a forgotten container."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from scenario import house

from gridzero.outputs.presence import Presence
from gridzero.ports.clock import LoopClock
from gridzero.runtime.fault_book import FaultBook


async def test_a_second_control_on_the_same_prefix_is_told_and_changes_no_power() -> None:
    async with house(load_w=300.0) as story:
        clock = LoopClock()
        its_faults, link = FaultBook(clock), story.site.links.broker.attach()
        second = Presence(its_faults, link, clock, "gridzero", "Shed")
        await story.until(20.0)
        task = asyncio.create_task(second.run())
        await story.until(55.0)
        assert not story.told("second_control")
        await story.until(70.0)
        (told,) = story.told("second_control")
        assert [fault.code for fault in its_faults.active] == ["second_control"]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await story.until(100.0)
        assert story.told("second_control", active=False)
    assert "site Shed" in told.text
    assert "mqtt.topic_prefix" in told.remedy
    assert all(abs(moment.grid_w) < 30.0 for moment in story.between(30.0, 100.0))
