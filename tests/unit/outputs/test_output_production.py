"""What the panels make comes live from a topic, or not at all."""

from __future__ import annotations

import asyncio

from gridzero.links.memory import MemoryLinks
from gridzero.outputs.market_in import listen_for_production
from gridzero.ports.clock import LoopClock
from gridzero.runtime.production import Production


async def test_a_retained_power_is_old_and_a_live_one_counts() -> None:
    links, production = MemoryLinks(), Production(LoopClock())
    panels = links.broker.attach()
    panels.publish("solar", "900", retain=True)
    await asyncio.sleep(1.0)
    listen_for_production(production, links.mqtt(), "solar")
    await asyncio.sleep(1.0)
    assert production.power_w() is None
    panels.publish("solar", "450")
    await asyncio.sleep(1.0)
    assert production.power_w() == 450.0
    panels.publish("solar", b"4" * 5000)
    await asyncio.sleep(1.0)
    assert production.power_w() is None
