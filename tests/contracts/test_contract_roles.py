"""What meters and cell monitors keep beyond what every device does."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from statistics import median

import pytest
from contract_bench import Bench, Example, each

from gridzero.domain.readings import MeterReading
from gridzero.ports.devices import Role
from gridzero.ports.links import MqttMessage


@each(Role.METER)
async def test_each_new_reading_is_told_at_once_and_once(example: Example) -> None:
    bench = Bench(example)
    heard: list[MeterReading] = []
    late: list[MeterReading] = []

    def listen(reading: MeterReading) -> None:
        assert bench.device.latest() is reading, "the listener finds it as the latest"
        assert reading.received_at_s == bench.now_s
        heard.append(reading)

    bench.device.on_reading(listen)
    async with bench.living(), bench.running():
        await asyncio.sleep(30.0)
        bench.device.on_reading(late.append)
        await asyncio.sleep(30.0)
    arrivals = [reading.received_at_s for reading in heard]
    assert len(arrivals) > 30
    assert arrivals == sorted(set(arrivals)), "two readings differ in when they arrived"
    assert all(reading.at_s <= reading.received_at_s for reading in heard)
    assert late == heard[-len(late) :]


@each(Role.METER)
async def test_readings_come_about_as_often_as_it_says(example: Example) -> None:
    bench = Bench(example)
    arrivals: list[float] = []
    bench.device.on_reading(lambda reading: arrivals.append(reading.received_at_s))
    async with bench.living(), bench.running():
        await asyncio.sleep(60.0)
    usual_s = median(b - a for a, b in pairwise(arrivals))
    assert usual_s == pytest.approx(bench.device.interval_s, rel=0.5)


@each(Role.METER)
async def test_a_retained_message_is_no_reading(example: Example) -> None:
    bench = Bench(example)
    if ("mqtt", "mqtt") not in bench.wires:
        pytest.skip("only a broker stores messages")
    kept: list[MqttMessage] = []
    bench.links.mqtt().subscribe("#", kept.append)
    async with bench.living(), bench.running():
        await asyncio.sleep(10.0)
    again = Bench(example, with_twin=False)
    for message in kept:
        again.links.mqtt().take(message._replace(retained=True))
    assert again.stamps() == {}
    for message in kept:
        again.links.mqtt().take(message)
    assert again.stamps() != {}, "the same without the flag is one"


@each(Role.CELLS)
async def test_modules_come_as_configured_known_or_not(example: Example) -> None:
    bench = Bench(example)
    names = list(bench.device.expected())
    assert names
    assert len(set(names)) == len(names)
    assert [module.name for module in bench.device.modules()] == names
    async with bench.living(), bench.running():
        await asyncio.sleep(10.0)
        modules = bench.device.modules()
        assert [module.name for module in modules] == names
        assert all(len(m.cell_v) == len(m.cell_at_s) for m in modules)


@each(Role.CELLS)
async def test_bleeding_follows_the_lease(example: Example) -> None:
    bench = Bench(example)
    first, *others = bench.device.expected()
    pack = bench.house.pack
    async with bench.living(), bench.running():
        await asyncio.sleep(5.0)
        for _ in range(15):
            bench.device.bleed({first: 0b1001}, bench.now_s + 5.0)
            await asyncio.sleep(1.0)
        assert pack.bleeding(first) == 0b1001
        assert not any(pack.bleeding(name) for name in others)
        await asyncio.sleep(5.0 + 3.0)
        assert not pack.bleeding(first), "a lease that nobody renews ends"


@each(Role.CELLS)
async def test_a_module_that_is_not_named_is_told_to_stop(example: Example) -> None:
    bench = Bench(example)
    names = bench.device.expected()
    pack = bench.house.pack
    async with bench.living(), bench.running():
        await asyncio.sleep(5.0)
        bench.device.bleed(dict.fromkeys(names, 0b10), bench.now_s + 60.0)
        await asyncio.sleep(3.0)
        bleeding = [name for name in names if pack.bleeding(name)]
        assert bleeding
        bench.device.bleed({bleeding[0]: 0b100}, bench.now_s + 60.0)
        await asyncio.sleep(3.0)
        assert {name: pack.bleeding(name) for name in bleeding} == {
            name: 0b100 if name == bleeding[0] else 0 for name in bleeding
        }


@each(Role.CELLS)
async def test_nonsense_is_not_bled(example: Example) -> None:
    bench = Bench(example)
    first = bench.device.expected()[0]
    async with bench.living(), bench.running():
        await asyncio.sleep(5.0)
        for cells in ({"nobody": 1}, {first: 1 << 30}, {first: -1}, {first: 0}, {}):
            bench.device.bleed(cells, bench.now_s + 5.0)
            await asyncio.sleep(3.0)
        bench.device.bleed({first: 1}, float("nan"))
        await asyncio.sleep(3.0)
        assert not any(bench.house.pack.bleeding(name) for name in bench.house.pack.modules)


@each(Role.CELLS)
async def test_a_cut_bus_does_not_leave_cells_bleeding_for_ever(example: Example) -> None:
    bench = Bench(example)
    first = bench.device.expected()[0]
    async with bench.living(), bench.running():
        await asyncio.sleep(5.0)
        bench.device.bleed({first: 1}, bench.now_s + 5.0)
        await asyncio.sleep(2.0)
        assert bench.house.pack.bleeding(first) == 1
        bench.plug(False)
        await asyncio.sleep(20.0)
        bench.plug(True)
        await asyncio.sleep(5.0)
        assert not bench.house.pack.bleeding(first)
