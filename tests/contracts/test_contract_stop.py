"""What every driver keeps about its end: bounded, whatever state it is in, and again if asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from contract_bench import RESTS_BELOW_W, Bench, Example, each, within

from gridzero.ports.devices import CellMonitor, Converter

STOP_WITHIN_S = 12.0


async def live_a_while(bench: Bench) -> None:
    """Long enough for a converter to deliver and for cells to be bled."""
    if isinstance(bench.device, Converter):
        await bench.reach(bench.medium_w)
    elif isinstance(bench.device, CellMonitor):
        bench.device.bleed({bench.device.expected()[0]: 0b101}, bench.now_s + 60.0)
    await asyncio.sleep(2.0)


async def assert_at_rest(bench: Bench) -> None:
    """Nothing flows and nothing is bled; and nothing begins again by itself."""
    for pause_s in (2.0, 28.0):
        await asyncio.sleep(pause_s)
        assert bench.twin_w < RESTS_BELOW_W
        assert not any(bench.house.pack.bleeding(name) for name in bench.house.pack.modules)


@each()
async def test_stop_of_what_never_ran(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        await within(STOP_WITHIN_S, bench.device.stop())
        await assert_at_rest(bench)


@each()
async def test_stop_of_what_never_had_a_link(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        bench.plug(False)
        await within(STOP_WITHIN_S, bench.device.stop())


@each()
async def test_stop_after_run_was_cancelled_and_a_second_time(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await live_a_while(bench)
        for _ in range(2):
            await within(STOP_WITHIN_S, bench.device.stop())
            await assert_at_rest(bench)


@each()
async def test_stop_while_run_is_alive(example: Example) -> None:
    """The supervisor cancels run() first; a driver does not rest on it."""
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await live_a_while(bench)
            await within(STOP_WITHIN_S, bench.device.stop())
        await assert_at_rest(bench)


@each()
async def test_stop_without_a_link_ends_in_time_too(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await live_a_while(bench)
            bench.plug(False)
            await asyncio.sleep(1.0)
        await within(STOP_WITHIN_S, bench.device.stop())


@each()
async def test_stop_with_a_link_that_fails_meanwhile(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await live_a_while(bench)
        asyncio.get_running_loop().call_later(0.1, bench.plug, False)
        await within(STOP_WITHIN_S, bench.device.stop())


@each()
async def test_stop_that_is_cut_short_can_be_cancelled(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await live_a_while(bench)
        stopping = asyncio.create_task(bench.device.stop())
        await asyncio.sleep(0.05)
        stopping.cancel()
        with suppress(asyncio.CancelledError):
            await within(1.0, stopping)
        await within(STOP_WITHIN_S, bench.device.stop())
        await assert_at_rest(bench)


@each()
async def test_after_stop_it_can_run_again(example: Example) -> None:
    """A start after a stop in the same process: tests and tools do that."""
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            await live_a_while(bench)
        await within(STOP_WITHIN_S, bench.device.stop())
        async with bench.running():
            await asyncio.sleep(20.0)
            if isinstance(bench.device, Converter):
                await bench.reach(bench.medium_w)
        await within(STOP_WITHIN_S, bench.device.stop())
        await assert_at_rest(bench)
