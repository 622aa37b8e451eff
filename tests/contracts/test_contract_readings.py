"""What every driver keeps about what it says: unknown is not zero, and old does not look new."""

from __future__ import annotations

import asyncio
from math import isfinite

import pytest
from contract_bench import READING, Bench, Example, Noise, each

from gridzero.domain.readings import MeterReading
from gridzero.ports.devices import CellMonitor, Converter, CurrentSensor, Meter, Role

SETTLED_S = 30.0
OLDEST_S = 5.0
OLDEST_OF_THE_QUIET_S = 20.0
"""Some converters are asked rarely, and nothing rests on what they say."""


def values(device: object) -> list[float | None]:
    """Every number that a device gives at this moment."""
    if isinstance(device, CellMonitor):
        modules = device.modules()
        cells = [volt for module in modules for volt in module.cell_v]
        return cells + [bound for m in modules for temp in m.temps for bound in temp]
    if isinstance(device, Converter):
        reading = device.reading()
        return [reading.ac_w, reading.dc_v, reading.dc_a] if reading else [None]
    if isinstance(device, Meter):
        newest = device.latest()
        return [newest.grid_w if isinstance(newest, MeterReading) else None]
    assert isinstance(device, CurrentSensor)
    current = device.latest()
    return [current.current_a if current else None]


async def settled(bench: Bench) -> dict[str, float]:
    """What is known after half a minute: nothing only of what need not answer."""
    await asyncio.sleep(SETTLED_S)
    stamps = bench.stamps()
    assert stamps or not bench.talks, "after half a minute something is known"
    return stamps


@each(*READING)
async def test_nothing_is_known_before_the_first_answer(example: Example) -> None:
    bench = Bench(example, with_twin=False)
    for _ in range(2):
        assert bench.stamps() == {}
        assert set(values(bench.device)) == {None}, "unknown is never zero"
        async with bench.living(), bench.running():
            await asyncio.sleep(60.0)
    assert bench.stamps() == {}


@each(*READING)
async def test_it_really_uses_the_links_that_it_names(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        if isinstance(bench.device, Converter):
            await bench.hold(bench.medium_w, 10.0)
        else:
            await asyncio.sleep(10.0)
    for kind, name in bench.wires:
        if kind == "can":
            used = min(end.health.rx + end.health.tx for end in bench.links.can_bus(name).ends)
        elif kind == "serial":
            used = bench.links.wire(name).device.health.rx
        elif kind == "mqtt":
            used = bench.links.mqtt().health.rx
        else:
            used = len(bench.stamps())
        assert used > 0, f"nothing went over {kind} {name}"


@each(*READING)
async def test_readings_stay_fresh_and_never_come_from_the_future(example: Example) -> None:
    bench = Bench(example)
    oldest_s = OLDEST_S if bench.talks else OLDEST_OF_THE_QUIET_S
    async with bench.living(), bench.running():
        last = await settled(bench)
        for _ in range(60):
            await asyncio.sleep(0.5)
            stamps = bench.stamps()
            assert stamps.keys() == last.keys()
            for what, at_s in stamps.items():
                assert last[what] <= at_s <= bench.now_s, f"{what} jumped in time"
                assert bench.now_s - at_s <= oldest_s, f"{what} is stale"
            last = stamps


@each(*READING)
async def test_readings_are_true(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        await settled(bench)
        assert_true(bench)


def assert_true(bench: Bench) -> None:
    """What is said is what the simulated house is."""
    device, house = bench.device, bench.house
    if isinstance(device, CellMonitor):
        for module in device.modules():
            assert module.suspect == 0
            assert module.cell_v == pytest.approx(house.cell_v(module.name), abs=0.02)
            assert any(
                low - 1.5 <= house.temp_c(module.name) <= high + 1.5 for low, high in module.temps
            )
    elif isinstance(device, Converter):
        reading = device.reading()
        if reading is None:
            assert not bench.talks
            return
        assert reading.dc_v == pytest.approx(house.battery_v, abs=0.5)
        assert abs(reading.ac_w or 0.0) == pytest.approx(bench.twin_w, abs=20.0)
    elif isinstance(device, Meter):
        newest = device.latest()
        assert isinstance(newest, MeterReading)
        assert newest.grid_w == pytest.approx(house.grid_w, abs=15.0)
    else:
        assert device.latest().current_a == pytest.approx(house.battery_a, abs=0.5)


@each(*READING)
async def test_an_unplugged_link_lets_readings_age_until_it_is_back(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        last = await settled(bench)
        bench.plug(False)
        unplugged_s = bench.now_s
        for _ in range(120):
            await asyncio.sleep(0.5)
            stamps = bench.stamps()
            assert stamps.keys() <= last.keys()
            for what, at_s in stamps.items():
                assert last[what] <= at_s <= unplugged_s, f"{what} got younger without a wire"
        bench.plug(True)
        replugged_s = bench.now_s
        await asyncio.sleep(30.0)
        stamps = bench.stamps()
        assert stamps.keys() == last.keys()
        assert all(at_s > replugged_s for at_s in stamps.values())
        assert_true(bench)


@each(*READING)
async def test_run_can_be_cancelled_and_run_again(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        for pause_s in (0.0, 0.013, 1.0, 15.0):
            async with bench.running():
                await asyncio.sleep(pause_s)
        async with bench.running():
            began_s = bench.now_s
            stamps = await settled(bench)
            assert all(at_s > began_s for at_s in stamps.values())
            assert_true(bench)


@each(*READING)
async def test_what_was_lost_is_told_with_a_remedy(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        await asyncio.sleep(SETTLED_S)
        bench.plug(False)
        await asyncio.sleep(SETTLED_S)
    for error in bench.lost:
        assert error.where
        assert len(error.remedy) > 10
    assert all(fault.text and fault.remedy for fault in bench.faults.active)


@each(*READING)
async def test_noise_never_escapes_and_never_becomes_an_implausible_reading(
    example: Example, fuzz_frames: int
) -> None:
    bench = Bench(example)
    noise = Noise(bench)
    noise.record()
    async with bench.living(), bench.running() as device:
        await asyncio.sleep(SETTLED_S)
        stood = {fault.code for fault in bench.faults.active}
        async with noise.when_asked():
            for _ in range(max(fuzz_frames // 100, 50)):
                noise.make(20)
                await asyncio.sleep(0.05)
                assert not device.done()
                assert_plausible(bench)
        await asyncio.sleep(180.0)
        assert {fault.code for fault in bench.faults.active} <= stood, "what is over is taken back"
        assert_true(bench)


def assert_plausible(bench: Bench) -> None:
    """Whatever comes over a wire, nothing is said that cannot be."""
    device = bench.device
    assert all(value is None or isfinite(value) for value in values(device))
    assert all(at_s <= bench.now_s for at_s in bench.stamps().values())
    if isinstance(device, CellMonitor):
        for module in device.modules():
            for i, volt in enumerate(module.cell_v):
                trusted = not module.suspect >> i & 1
                assert volt is None or not trusted or 1.5 <= volt <= 4.5
            assert all(temp.low_c <= temp.high_c for temp in module.temps)
    elif isinstance(device, Converter):
        reading = device.reading()
        if reading is not None:
            sign = -1.0 if bench.example.plugin.role is Role.CHARGER else 1.0
            assert sign * (reading.ac_w or 0.0) >= 0.0
            assert sign * (reading.dc_a or 0.0) >= 0.0
            assert 0.0 <= (reading.dc_v or 0.0) <= 120.0
            assert abs(reading.ac_w or 0.0) <= 20_000.0
    elif isinstance(device, Meter):
        newest = device.latest()
        assert newest is None or abs(newest.grid_w) <= 1_000_000.0
    else:
        newest = device.latest()
        assert newest is None or abs(newest.current_a) <= 10_000.0
