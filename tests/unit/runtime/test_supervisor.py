"""Everything is started, what is lost comes back, and there is one way out, whatever the cause."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import structlog
from runtime_fakes import FakeHouse, now_s

from gridzero.domain.decision import Decision
from gridzero.domain.reasons import Because
from gridzero.errors import DeviceError, DeviceSilent
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.supervisor import Ending

STOP_LIMIT_S = 12.0


async def sleep_long() -> None:
    await asyncio.sleep(1000.0)


def raising(error: Exception, after_s: float = 1.0) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await asyncio.sleep(after_s)
        raise error

    return run


async def returning() -> None:
    await asyncio.sleep(1.0)


async def served(house: FakeHouse, seconds: float, **more: object) -> Ending:
    """The ending of a house that is asked to stop after so many seconds."""
    asyncio.get_running_loop().call_later(seconds, house.stop.set)
    return await house.supervisor(**more).run(house.stop)


def assert_all_stopped(house: FakeHouse) -> None:
    for device in house.devices:
        assert len(house.diary.times(device.name, "stop")) == 1, device.name


async def test_asked_to_stop() -> None:
    house = FakeHouse(shunt=True)
    assert await served(house, 5.0) == Ending(ExitCode.ASKED, "asked to stop")
    assert now_s() == pytest.approx(5.0)
    assert_all_stopped(house)
    assert all(house.diary.times(device.name, "run") == [0.0] for device in house.devices)
    assert house.faults.active == ()


async def test_the_control_ticks_without_a_meter() -> None:
    house = FakeHouse()
    await served(house, 10.0)
    assert len(house.inverter.setpoints) == pytest.approx(40, abs=2)


async def test_the_order_of_the_end() -> None:
    house = FakeHouse(shunt=True)
    for device in house.devices:
        device.on_stop = lambda: asyncio.sleep(1.0)
    await served(house, 10.0)
    diary = house.diary.order("cancelled", "stop", "stopped", "farewell")
    names = [device.name for device in house.devices]
    places = {line: place for place, line in enumerate(diary)}
    first_stop = min(places[f"{name} stop"] for name in names)
    last_stopped = max(places[f"{name} stopped"] for name in names)
    assert all(places[f"{name} cancelled"] < first_stop for name in [*names, "output"])
    assert [line for line in diary if line.endswith(" stop")][:2] == [
        "inverter stop",
        "charger stop",
    ]
    assert last_stopped < places["output farewell"] < places["link cancelled"]
    assert now_s() == pytest.approx(11.0), "all stop at once, not one after the other"


async def test_nothing_is_decided_once_the_devices_are_being_stopped() -> None:
    """The links still work then, so the meter goes on to speak."""
    house = FakeHouse()

    async def slow_stop() -> None:
        for _ in range(10):
            house.meter.say(500.0)
            await asyncio.sleep(0.5)

    house.inverter.on_stop = slow_stop
    asyncio.get_running_loop().call_later(9.0, house.meter.say, 500.0)
    await served(house, 10.0)
    (stopped_s,) = house.diary.times("inverter", "stop")
    commands = house.diary.lines
    first_stop = commands.index((stopped_s, "inverter", "stop"))
    assert [line for line in commands[first_stop:] if line[2] == "command"] == []
    assert house.site.last is not None
    assert house.site.last[1].because is Because.STOPPING
    assert house.site.last[1].battery_w == 0.0


async def test_a_lost_device_is_run_again_after_two_seconds() -> None:
    house = FakeHouse()
    house.cells.on_run = raising(DeviceSilent("no answer", where="cells", remedy="Look"), 3.0)
    with structlog.testing.capture_logs() as logs:
        ending = await served(house, 14.0)
    assert ending.code is ExitCode.ASKED
    assert house.diary.times("cells", "run") == [0.0, 5.0, 10.0]
    lost = [entry for entry in logs if entry["event"] == "device.lost"]
    assert [(entry["device"], entry["what"]) for entry in lost] == [("cells", "no answer")] * 3
    assert all(
        house.diary.times(d.name, "run") == [0.0] for d in house.devices if d is not house.cells
    )


async def test_a_device_that_is_lost_at_once_is_not_retried_in_a_hurry() -> None:
    house = FakeHouse()
    house.inverter.on_run = raising(DeviceError("gone", where="inverter", remedy="Look"), 0.0)
    await served(house, 9.0)
    assert house.diary.times("inverter", "run") == [0.0, 2.0, 4.0, 6.0, 8.0]


async def test_a_run_that_returns_is_a_bug() -> None:
    house = FakeHouse()
    house.meter.on_run = returning
    ending = await house.supervisor().run(house.stop)
    assert ending.code is ExitCode.CRASHED
    assert ending.why == "meter crashed: RuntimeError: meter stopped serving by itself"
    assert_all_stopped(house)
    (fault,) = [f for f in house.faults.active if f.code == "task_crashed"]
    assert fault.subject == "meter"


@pytest.mark.parametrize("who", ["inverter", "charger", "cells", "meter"])
async def test_a_bug_in_a_device_ends_the_site_and_the_devices_are_stopped(who: str) -> None:
    house = FakeHouse()
    broken = next(device for device in house.devices if device.name == who)
    broken.on_run = raising(ValueError("boom"))
    with structlog.testing.capture_logs() as logs:
        ending = await house.supervisor().run(house.stop)
    assert ending == Ending(ExitCode.CRASHED, f"{who} crashed: ValueError: boom")
    assert now_s() == pytest.approx(1.0)
    assert_all_stopped(house)
    assert ("task.crashed", who) in [(e["event"], e.get("task")) for e in logs]
    assert logs[-1]["event"] == "site.stopped"
    assert logs[-1]["exit_code"] == 70


@pytest.mark.parametrize("what", ["links", "outputs"])
@pytest.mark.parametrize("run", [returning, raising(KeyError("x"))])
async def test_a_link_or_an_output_that_ends_ends_the_site_in_order(
    what: str, run: Callable[[], Awaitable[None]]
) -> None:
    house = FakeHouse()
    ending = await house.supervisor(**{what: (house.service("it", run),)}).run(house.stop)
    assert ending.code is ExitCode.CRASHED
    assert ending.why.startswith("it crashed: ")
    assert_all_stopped(house)


async def test_a_bug_in_control_ends_the_site() -> None:
    house = FakeHouse()

    def boom(_now: object, _decision: Decision) -> None:
        if now_s() > 5.0:
            raise ZeroDivisionError

    house.site.on_decision(boom)
    ending = await house.supervisor().run(house.stop)
    assert ending.code is ExitCode.CRASHED
    assert ending.why.startswith("control crashed")
    assert_all_stopped(house)


async def test_a_control_loop_that_stands_still_ends_the_site() -> None:
    house = FakeHouse()
    house.site.protect = sleep_long  # type: ignore[method-assign]  # to hang it
    ending = await house.supervisor().run(house.stop)
    assert ending.code is ExitCode.HUNG
    assert int(ending.code) == 75
    assert 5.0 <= now_s() < 6.0
    assert_all_stopped(house)
    assert house.faults.stands("control_hung")


async def test_a_stop_that_hangs_is_cut_and_the_others_are_stopped_meanwhile() -> None:
    house = FakeHouse()
    house.inverter.on_stop = sleep_long
    house.cells.on_stop = lambda: asyncio.sleep(2.0)
    with structlog.testing.capture_logs() as logs:
        ending = await served(house, 10.0)
    assert ending.code is ExitCode.ASKED
    assert house.diary.times("charger", "stopped") == [10.0]
    assert house.diary.times("cells", "stopped") == [12.0]
    assert house.diary.times("inverter", "stopped") == []
    assert now_s() == pytest.approx(10.0 + STOP_LIMIT_S)
    assert house.diary.times("link", "cancelled") == [22.0], "the links work until then"
    assert ("device.stop_timed_out", "inverter") in [(e["event"], e.get("device")) for e in logs]


@pytest.mark.parametrize(
    "error", [DeviceSilent("no answer", where="charger", remedy="Look"), ValueError("a bug")]
)
async def test_a_stop_that_fails_does_not_keep_the_others_from_stopping(error: Exception) -> None:
    house = FakeHouse()
    house.charger.on_stop = raising(error, 0.5)
    with structlog.testing.capture_logs() as logs:
        ending = await served(house, 5.0)
    assert ending.code is ExitCode.ASKED
    assert_all_stopped(house)
    assert ("device.not_stopped", "charger") in [(e["event"], e.get("device")) for e in logs]
    assert house.diary.times("link", "cancelled") == [5.5]


async def test_a_cancelled_site_still_stops_its_devices() -> None:
    house = FakeHouse()
    for device in house.devices:
        device.on_stop = lambda: asyncio.sleep(1.0)
    task = asyncio.create_task(house.supervisor().run(house.stop))
    await asyncio.sleep(5.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_all_stopped(house)
    assert all(house.diary.times(device.name, "stopped") == [6.0] for device in house.devices)
    assert house.diary.times("output", "farewell") == [6.0]
    assert house.diary.times("link", "cancelled") == [6.0]


async def test_a_task_that_will_not_be_cancelled_at_once_is_waited_for() -> None:
    house = FakeHouse()

    async def stubborn() -> None:
        try:
            await sleep_long()
        finally:
            await asyncio.sleep(0.7)

    house.charger.on_run = stubborn
    await served(house, 5.0)
    assert house.diary.times("charger", "stop") == [5.7], "never beside its own run()"


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    house = FakeHouse()

    async def swallowing() -> None:
        with suppress(asyncio.CancelledError):
            await sleep_long()
        await sleep_long()

    house.charger.on_run = swallowing
    await served(house, 5.0)
    assert house.diary.times("charger", "stop") == [8.0]


async def test_a_task_that_never_ends_does_not_keep_the_devices_from_being_stopped() -> None:
    house, mercy = FakeHouse(), asyncio.Event()

    async def immortal() -> None:
        while not mercy.is_set():
            with suppress(asyncio.CancelledError):
                await mercy.wait()
        raise asyncio.CancelledError

    house.cells.on_run = immortal
    with structlog.testing.capture_logs() as logs:
        ending = await served(house, 5.0)
    mercy.set()
    await asyncio.sleep(0)
    assert ending.code is ExitCode.ASKED
    assert_all_stopped(house)
    assert house.diary.times("inverter", "stop") == [pytest.approx(5.0)], "at once"
    assert house.diary.times("cells", "stop") == [pytest.approx(11.0)]
    assert [e["task"] for e in logs if e["event"] == "task.stuck"] == ["cells"]


async def test_devices_wait_for_the_links_but_not_for_long() -> None:
    house = FakeHouse()
    await served(house, 10.0, ready=lambda: now_s() >= 1.0)
    assert house.diary.times("inverter", "run") == [pytest.approx(1.0, abs=0.05)]
    never = FakeHouse()
    began_s = now_s()
    await served(never, 10.0, ready=lambda: False)
    assert never.diary.times("inverter", "run") == [pytest.approx(began_s + 3.0, abs=0.05)]


async def test_asked_to_stop_before_the_links_are_open() -> None:
    house = FakeHouse()
    ending = await served(house, 0.5, ready=lambda: False)
    assert ending.code is ExitCode.ASKED
    assert now_s() < 1.0
    assert_all_stopped(house)


async def test_links_end_in_the_opposite_order_one_after_the_other() -> None:
    """The broker comes first, and must still be there for the client's last words."""
    house = FakeHouse()

    async def last_words() -> None:
        try:
            await sleep_long()
        finally:
            await asyncio.sleep(0.8)

    links = (house.service("broker"), house.service("mqtt", last_words), house.service("can"))
    await served(house, 5.0, links=links)
    assert house.diary.times("can", "cancelled") == [5.0]
    assert house.diary.times("broker", "cancelled") == [5.8]


async def test_no_task_is_left() -> None:
    before = asyncio.all_tasks()
    for trouble in (returning, raising(ValueError("boom")), sleep_long):
        house = FakeHouse()
        house.cells.on_run = trouble
        asyncio.get_running_loop().call_later(3.0, house.stop.set)
        await house.supervisor().run(house.stop)
        assert asyncio.all_tasks() == before
