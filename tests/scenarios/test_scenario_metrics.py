"""What Prometheus sees of a whole house: every figure that a healthy one knows."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse
from scenario import house

from gridzero.outputs.feed import Feed
from gridzero.outputs.metrics.catalogue import METRICS
from gridzero.outputs.metrics.collector import OWN, FeedCollector
from gridzero.ports.clock import LoopClock

NOT_YET = {
    "gridzero_fault": "nothing is wrong",
    "gridzero_battery_to_full_seconds": "it is being emptied",
    "gridzero_score_settle_seconds": "the load has not jumped",
    "gridzero_produced_joules_total": "its meter does not tell what the sun gives",
    "gridzero_consumed_joules_total": "the same",
    "gridzero_balancing_left_seconds": "nothing is to be bled",
    "gridzero_shunt_offset_amperes": "that takes a rest",
}
"""What a healthy house may not know after two minutes, and why."""
LEARNED = ("gridzero_health_", "gridzero_module_", "gridzero_savings", "gridzero_import_cost")
MONEY = ("gridzero_export_income",)


async def test_a_scrape_holds_what_the_house_knows() -> None:
    async with house(load_w=300.0) as story:
        link = story.site.links.broker.attach()
        feed = Feed(link, LoopClock(), "gridzero")
        registry = CollectorRegistry()
        registry.register(FeedCollector(feed))
        story.site.links.broker.attach().publish("gridzero/status", "online")
        await asyncio.sleep(130.0)
        families = {f.name: f for f in parse(generate_latest(registry).decode())}
        state = feed.latest("state")
    assert state is not None
    known = {sample.name for family in families.values() for sample in family.samples}
    missing = {metric.name for metric in METRICS} - known
    unexplained = {
        name for name in missing if name not in NOT_YET and not name.startswith(LEARNED + MONEY)
    }
    assert unexplained == set()
    assert {name for name, _, _ in OWN} <= known
    grid = families["gridzero_grid_power_watts"].samples[0].value
    assert grid == state["grid_w"]
    cells = families["gridzero_cell_volts"].samples
    assert len(cells) == 36, "three modules of twelve cells"
    assert all(3.0 < sample.value < 4.2 for sample in cells)
