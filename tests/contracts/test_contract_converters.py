"""What every charger and inverter keeps: leases, limits, signs, and the truth about what was sent."""

from __future__ import annotations

import asyncio
from math import inf, nan
from random import Random
from typing import Any

import pytest
from contract_bench import LEASE_S, RESTS_BELOW_W, Bench, Example, each, within

from gridzero.ports.devices import Role

CONVERTERS = (Role.CHARGER, Role.INVERTER)
AFTER_LEASE_S = 5.0
"""Time for output to die away after the lease, with the slowest ramp."""

BAD: tuple[dict[str, Any], ...] = (
    {"power_w": nan},
    {"power_w": inf},
    {"power_w": -inf},
    {"power_w": -500.0},
    {"until_s": nan},
    {"until_s": -inf},
)
BAD_FOR_CHARGERS: tuple[dict[str, Any], ...] = (
    {"max_dc_a": nan},
    {"max_dc_a": -1.0},
    {"max_dc_a": 0.0},
    {"max_dc_v": nan},
    {"max_dc_v": 0.0},
    {"max_dc_v": -inf},
)


def sign(bench: Bench) -> float:
    return -1.0 if bench.example.plugin.role is Role.CHARGER else 1.0


def assert_ledger(bench: Bench) -> None:
    """Everything told to on_sent: in order, of the right sign, within the limits."""
    times = [at_s for at_s, _ in bench.sent]
    assert times == sorted(times)
    assert all(at_s <= bench.now_s for at_s in times)
    assert all(sign(bench) * power_w >= 0.0 for _, power_w in bench.sent)
    assert max((abs(w) for _, w in bench.sent), default=0.0) <= bench.device.spec.max_w + 1e-6


async def assert_ends_in_zero(bench: Bench, within_s: float) -> None:
    await asyncio.sleep(within_s)
    for _ in range(20):
        assert bench.twin_w < RESTS_BELOW_W
        assert bench.sent[-1][1] == 0.0, "the ledger knows it too"
        await asyncio.sleep(1.0)
    assert_ledger(bench)


@each(*CONVERTERS)
async def test_its_spec_makes_sense(example: Example) -> None:
    bench = Bench(example, with_twin=False)
    spec = bench.device.spec
    assert 0.0 < spec.min_w < spec.max_w
    assert 0.5 < spec.efficiency <= 1.0
    dynamics = spec.dynamics
    assert 0.5 < dynamics.gain <= 1.1
    assert dynamics.rise_w_per_s > 0.0
    assert dynamics.fall_w_per_s > 0.0
    assert min(dynamics.dead_time_s, dynamics.jump_w, dynamics.start_s) >= 0.0


@each(*CONVERTERS)
async def test_without_a_set_point_nothing_flows(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        for _ in range(60):
            await asyncio.sleep(1.0)
            assert bench.twin_w < RESTS_BELOW_W
    assert all(power_w == 0.0 for _, power_w in bench.sent)


@each(*CONVERTERS)
async def test_a_held_set_point_is_delivered_and_told(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        await bench.reach(bench.medium_w)
        await bench.hold(bench.medium_w, 20.0)
        assert bench.twin_w == pytest.approx(bench.medium_w, rel=0.1)
        assert abs(bench.sent[-1][1]) == pytest.approx(bench.medium_w, rel=0.08)
    assert_ledger(bench)


@each(*CONVERTERS)
async def test_a_set_point_that_nobody_renews_ends_in_zero_power(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        await bench.reach(bench.medium_w)
        await assert_ends_in_zero(bench, LEASE_S + AFTER_LEASE_S)
        assert "lease_expired" in {fault.code for fault in bench.faults.active}
        await bench.reach(bench.medium_w)
        assert "lease_expired" not in {fault.code for fault in bench.faults.active}


@each(*CONVERTERS)
async def test_a_set_point_that_is_over_already_commands_nothing(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        for _ in range(80):
            bench.command(bench.medium_w, until_s=bench.now_s - 0.001)
            await asyncio.sleep(0.5)
            assert bench.twin_w < RESTS_BELOW_W
    assert all(power_w == 0.0 for _, power_w in bench.sent)


def bad_setpoints(example: Example) -> tuple[dict[str, Any], ...]:
    return BAD + (BAD_FOR_CHARGERS if example.plugin.role is Role.CHARGER else ())


@each(*CONVERTERS)
async def test_what_is_no_number_commands_nothing(example: Example) -> None:
    for bad in bad_setpoints(example):
        bench = Bench(example)
        async with bench.living(), bench.running():
            for _ in range(60):
                bench.command(**{"power_w": bench.medium_w, **bad})
                await asyncio.sleep(0.5)
                assert bench.twin_w < RESTS_BELOW_W, f"{bad} commands something"
        assert all(power_w == 0.0 for _, power_w in bench.sent), bad


@each(*CONVERTERS)
async def test_what_is_no_number_ends_what_was_there(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        for bad in bad_setpoints(example):
            await bench.reach(bench.medium_w)
            power_w = bad.get("power_w", bench.medium_w)
            await bench.hold(power_w, 8.0, **{k: v for k, v in bad.items() if k != "power_w"})
            assert bench.twin_w < RESTS_BELOW_W, f"{bad} goes on"
    assert_ledger(bench)


@each(*CONVERTERS)
async def test_less_than_it_can_hold_is_nothing(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        await bench.hold(0.9 * bench.device.spec.min_w, 40.0)
        assert bench.twin_w < RESTS_BELOW_W
    assert all(power_w == 0.0 for _, power_w in bench.sent)


@each(*CONVERTERS)
async def test_more_than_it_may_is_cut_to_what_it_may(example: Example) -> None:
    bench = Bench(example)
    max_w = bench.device.spec.max_w
    async with bench.living(), bench.running():
        for power_w in (2 * max_w, 1e9):
            for _ in range(120):
                await bench.hold(power_w, 0.5, max_dc_a=None, max_dc_v=None)
                assert bench.twin_w <= 1.05 * max_w + RESTS_BELOW_W
        assert bench.twin_w > 0.8 * max_w
    assert_ledger(bench)


@each(*CONVERTERS)
async def test_any_sequence_of_set_points_keeps_the_ledger_true(example: Example) -> None:
    bench, dice = Bench(example), Random(3)
    spec = bench.device.spec
    powers = (0.0, 0.5 * spec.min_w, spec.min_w, 300.0, spec.max_w, 3 * spec.max_w, nan, inf, -50.0)
    async with bench.living():
        async with bench.running():
            for _ in range(400):
                bench.command(
                    dice.choice(powers), until_s=bench.now_s + dice.choice((0.0, 0.5, 3.0))
                )
                await asyncio.sleep(dice.choice((0.0, 0.001, 0.2, 0.7, 4.0)))
                assert bench.twin_w <= 1.05 * spec.max_w + RESTS_BELOW_W
            await bench.reach(bench.medium_w, 120.0)
        await within(12.0, bench.device.stop())
        await assert_ends_in_zero(bench, 2.0)


@each(*CONVERTERS)
async def test_a_lower_set_point_leaves_at_once(example: Example) -> None:
    """Within the spacing that the wire needs, and not with the next keep-alive."""
    bench = Bench(example)
    async with bench.living(), bench.running():
        await bench.reach(bench.medium_w)
        await bench.hold(bench.medium_w, 20.0)
        before_w = abs(bench.sent[-1][1])
        bench.command(0.6 * bench.medium_w)
        await asyncio.sleep(0.3)
        assert abs(bench.sent[-1][1]) < 0.75 * before_w
    assert_ledger(bench)


@each(*CONVERTERS)
async def test_a_set_point_after_stop_starts_nothing(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await bench.reach(bench.medium_w)
        stopping = asyncio.create_task(bench.device.stop())
        while not stopping.done():
            bench.command(bench.medium_w)
            await asyncio.sleep(0.25)
        await bench.hold(bench.medium_w, 10.0)
        await assert_ends_in_zero(bench, 0.0)


@each(*CONVERTERS)
async def test_a_cut_cable_ends_in_zero_when_it_is_back(example: Example) -> None:
    """Whatever the device did meanwhile, an old wish does not come back with the cable."""
    bench = Bench(example)
    async with bench.living(), bench.running():
        await bench.reach(bench.medium_w)
        bench.plug(False)
        await bench.hold(bench.medium_w, 5.0)
        await bench.hold(0.0, 5.0)
        bench.plug(True)
        await bench.hold(0.0, 6.0)
        for _ in range(20):
            await bench.hold(0.0, 1.0)
            assert bench.twin_w < RESTS_BELOW_W
        await bench.reach(bench.medium_w)
    assert_ledger(bench)


@each(Role.CHARGER)
async def test_a_charger_keeps_the_battery_limits(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        for max_a in (10.0, 25.0, 6.0):
            await bench.hold(bench.device.spec.max_w, 40.0, max_dc_a=max_a)
            twin = bench.twins["thing"].converters[0]
            assert 0.8 * max_a < -twin.dc_a <= max_a + 0.1
        rest_v = bench.house.battery_v
        await bench.hold(bench.device.spec.max_w, 30.0, max_dc_v=rest_v + 0.2)
        assert bench.house.battery_v <= rest_v + 0.25
