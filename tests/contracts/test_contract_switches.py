"""What every switch keeps: closed only while somebody renews its lease."""

from __future__ import annotations

import asyncio

from contract_bench import Bench, Example, each, within

from gridzero.ports.devices import Role

SWITCHES_WITHIN_S = 1.0


def is_closed(bench: Bench) -> bool:
    """Whether the contacts of the twin conduct."""
    switch = bench.twins["thing"].switch
    assert switch is not None, "a switch has a twin with contacts"
    return switch.is_closed


@each(Role.SWITCH)
async def test_it_is_open_until_it_is_asked_to_close(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        await asyncio.sleep(1.0)
        assert not is_closed(bench)
        async with bench.running():
            await asyncio.sleep(5.0)
            assert not is_closed(bench)


@each(Role.SWITCH)
async def test_it_falls_open_by_itself_when_its_lease_ends(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        bench.device.close(bench.now_s + 3.0)
        await asyncio.sleep(SWITCHES_WITHIN_S)
        assert is_closed(bench)
        bench.device.close(bench.now_s + 3.0)
        await asyncio.sleep(2.9)
        assert is_closed(bench), "a renewed lease counts from its renewal"
        await asyncio.sleep(0.1 + SWITCHES_WITHIN_S)
        assert not is_closed(bench)


@each(Role.SWITCH)
async def test_it_opens_when_told_whatever_its_lease_says(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        bench.device.close(bench.now_s + 1000.0)
        await asyncio.sleep(SWITCHES_WITHIN_S)
        bench.device.open()
        await asyncio.sleep(SWITCHES_WITHIN_S)
        assert not is_closed(bench)


@each(Role.SWITCH)
async def test_it_is_open_when_its_task_or_the_whole_device_ends(example: Example) -> None:
    bench = Bench(example)
    async with bench.living():
        async with bench.running():
            bench.device.close(bench.now_s + 1000.0)
            await asyncio.sleep(SWITCHES_WITHIN_S)
            assert is_closed(bench)
        await asyncio.sleep(SWITCHES_WITHIN_S)
        assert not is_closed(bench), "nobody feeds it any more"
        bench.device.close(bench.now_s + 1000.0)
        await asyncio.sleep(SWITCHES_WITHIN_S)
        assert not is_closed(bench), "without run() nobody would open it again"
        await within(2.0, bench.device.stop())
        assert not is_closed(bench)


@each(Role.SWITCH)
async def test_its_position_is_true_or_unknown(example: Example) -> None:
    bench = Bench(example)
    async with bench.living(), bench.running():
        for wanted in (True, False, True):
            (bench.device.close(bench.now_s + 100.0) if wanted else bench.device.open())
            await asyncio.sleep(SWITCHES_WITHIN_S)
            assert bench.device.is_closed() in {wanted, None}
        bench.plug(False)
        assert bench.device.is_closed() is None
        await asyncio.sleep(1.0)
        assert bench.lost, "a pin that is not held is told"
