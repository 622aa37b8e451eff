from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mqtt_meter_site import House, Site, options

from gridzero_drivers.mqtt_meter import plugin
from gridzero_drivers.mqtt_meter.twin import MeterTwin

SHAPES: list[dict[str, Any]] = [
    {"topic": "m"},
    {"topic": "m", "scale": 1000},
    {"topic": "m", "sign": "export_positive"},
    {"topic": "m", "path": 'params."em:0".total_act_power', "time_path": "params.ts"},
    {"topic": "m", "path": "data[0].tuples[0][1]", "time_path": "data[0].tuples[0][0]"},
    {"topic": "m", "path": "P", "export_path": "PO", "sign": "export_positive"},
    {"topic": "m", "export_topic": "x", "scale": 1000},
    {"topic": "m", "path": "in", "export_topic": "x", "export_path": "out"},
    {"sources": [{"topic": f"p/{i}"} for i in range(3)]},
    {"sources": [{"topic": "m", "path": f"l{i}", "scale": 1000} for i in range(3)]},
    {"sources": [{"topic": f"p/{i}", "path": "in", "export_path": "out"} for i in range(2)]},
]


class Bench:
    """Lets time pass in steps of 50 ms and puts the twin's messages on the broker."""

    def __init__(self, **given: Any) -> None:
        self.site = Site(**given)
        self.world = House()
        self.twin = MeterTwin(self.site.options, self.world, seed=1)
        self.twin.noise_w = 0.0
        self._client = self.site.links.broker.attach()

    async def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            await asyncio.sleep(0.05)
            self.world.now_s += 0.05
            for topic, payload in self.twin.advance(0.05):
                self._client.publish(topic, payload)
            await asyncio.sleep(0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
async def test_driver_and_twin_understand_each_other(shape: dict[str, Any]) -> None:
    bench = Bench(**shape)
    for grid_w in (1234.0, -2345.4, 0.0, 7.0):
        bench.world.grid_w = grid_w
        await bench.pass_s(3)
        assert bench.site.powers_w[-1] == pytest.approx(round(grid_w), abs=1e-6)
    assert len(bench.site.readings) == 24
    assert bench.site.reports.said == []


async def test_a_step_is_seen_after_the_latency() -> None:
    bench = Bench(latency_s=0.3)
    await bench.pass_s(5.25)
    bench.world.grid_w = 1000.0
    await bench.pass_s(0.30)
    assert bench.site.powers_w[-1] == 0
    await bench.pass_s(0.50)
    assert bench.site.powers_w[-1] == 1000
    last = bench.site.readings[-1]
    assert last.at_s == pytest.approx(last.received_at_s - 0.3)


async def test_noise_is_seeded_and_whole_watts() -> None:
    def powers(seed: int) -> list[bytes]:
        twin = MeterTwin(options(), House(), seed)
        return [payload for _ in range(100) for _, payload in twin.advance(0.5)]

    assert powers(1) == powers(1)
    assert powers(1) != powers(2)
    assert {b"-1", b"0", b"1"} <= set(powers(1))


async def test_a_silent_meter_publishes_nothing() -> None:
    bench = Bench()
    bench.twin.silent = True
    await bench.pass_s(10)
    assert bench.site.readings == []
    bench.twin.silent = False
    await bench.pass_s(1)
    assert len(bench.site.readings) == 2


async def test_a_frozen_meter_repeats_itself() -> None:
    bench = Bench(path="p", time_path="t")
    await bench.pass_s(2)
    bench.twin.frozen = True
    bench.world.grid_w = 500.0
    await bench.pass_s(10)
    assert bench.site.powers_w == [0.0] * 4
    assert bench.site.skipped["repeated"] == 20


async def test_a_meter_that_sends_garbage() -> None:
    bench = Bench()
    bench.twin.garbage = b"unavailable"
    await bench.pass_s(5)
    assert bench.site.readings == []
    assert ("meter_garbage", "m") in bench.site.reports.active
    bench.twin.garbage = None
    await bench.pass_s(0.5)
    assert bench.site.reports.active == {}


async def test_jitter_delays_but_keeps_the_order() -> None:
    bench = Bench(path="p", time_path="t")
    bench.twin.jitter_s = 0.4
    await bench.pass_s(60)
    stamped = [reading.at_s for reading in bench.site.readings]
    gaps = {round(r.received_at_s - r.at_s - 0.3, 2) for r in bench.site.readings}
    assert stamped == sorted(stamped)
    assert len(stamped) >= 118
    assert {0.0, 0.2} <= gaps, "the driver sees the delay of each message in its stamp"


async def test_a_lost_phase_stops_the_readings_until_it_returns() -> None:
    bench = Bench(sources=[{"topic": f"p/{i}"} for i in range(3)])
    bench.world.grid_w = 301.0
    await bench.pass_s(5)
    bench.twin.lost_topics = {"p/1"}
    await bench.pass_s(5)
    assert len(bench.site.readings) == 10
    bench.twin.lost_topics = set()
    await bench.pass_s(5)
    assert len(bench.site.readings) >= 19
    assert set(bench.site.powers_w) == {301.0}


def test_the_plugin_makes_the_twin() -> None:
    (twin,) = plugin.twin(options(), House(), 3).mqtt
    assert twin.advance(0.5)[0][0] == "m"
