"""The relay on a pin: how it is fed, what its auxiliary contact tells, what the kernel may do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gridzero.errors import ConfigError, LinkError
from gridzero.links.memory import MemoryGpio, MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverContext
from gridzero.runtime.fault_book import FaultBook
from gridzero_drivers.gpio_switch.codec import Feed, levels
from gridzero_drivers.gpio_switch.driver import GpioSwitch
from gridzero_drivers.gpio_switch.options import GpioSwitchOptions
from gridzero_drivers.gpio_switch.twin import RelayTwin

LINE, CONTACT = 17, 27


class Now:
    """As much of a world as a relay needs: the time."""

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Relay:
    """A driver, its twin and the chip between them."""

    switch: GpioSwitch
    twin: RelayTwin
    chip: MemoryGpio
    faults: FaultBook
    task: asyncio.Task[None]

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.faults.active]


@asynccontextmanager
async def relay(**options: Any) -> AsyncIterator[Relay]:
    links, clock = MemoryLinks(), LoopClock()
    faults = FaultBook(clock)
    chosen = GpioSwitchOptions(link="pins", line=LINE, **options)
    switch = GpioSwitch(chosen, DriverContext("k1", clock, links, faults.reporter("k1")))
    twin, chip = RelayTwin(chosen, Now()), links.gpio("pins")  # type: ignore[arg-type]  # time is all it asks for
    chip.pins = {LINE: twin.coil, CONTACT: twin.contact}
    task = asyncio.create_task(switch.run())
    await asyncio.sleep(0)
    try:
        yield Relay(switch, twin, chip, faults, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def now_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("active_low", [False, True])
async def test_a_heartbeat_that_stands_still_lets_the_relay_fall_high_or_low(
    active_low: bool,
) -> None:
    async with relay(active_low=active_low) as k1:
        for stop_after_s in (1.0, 1.1):  # on different halves of the beat
            k1.switch.close(now_s() + 100.0)
            await asyncio.sleep(stop_after_s)
            assert k1.twin.is_closed
            loop = asyncio.get_running_loop()
            with pytest.MonkeyPatch.context() as hang:
                hang.setattr(k1.switch, "_drive", lambda *, wanted: None)
                stands_s = loop.time()
                await asyncio.sleep(0.5)
                assert not k1.twin.is_closed, f"the pump holds {loop.time() - stands_s} s"
            await asyncio.sleep(1.0)


@pytest.mark.parametrize(
    ("feed", "kernel_keeps_outputs", "stays_closed"),
    [
        ("heartbeat", False, False),
        ("heartbeat", True, False),
        ("level", False, False),
        ("level", True, True),  # Raspberry Pi OS by default: why heartbeat is recommended
    ],
)
async def test_what_kill_9_leaves_behind(
    feed: str, kernel_keeps_outputs: bool, stays_closed: bool
) -> None:
    async with relay(feed=feed) as k1:
        k1.switch.close(now_s() + 100.0)
        await asyncio.sleep(1.0)
        assert k1.twin.is_closed
        with pytest.MonkeyPatch.context() as death:
            death.setattr(k1.switch, "_drive", lambda *, wanted: None)
            k1.chip.process_died(kernel_keeps_outputs=kernel_keeps_outputs)
            await asyncio.sleep(1.0)
            assert k1.twin.is_closed is stays_closed


async def test_a_welded_contactor_is_told_and_waits_for_a_person() -> None:
    async with relay(feedback_line=CONTACT) as k1:
        k1.switch.close(now_s() + 100.0)
        await asyncio.sleep(2.0)
        assert k1.switch.is_closed()
        assert k1.codes == []
        k1.twin.welded = True
        k1.switch.open()
        await asyncio.sleep(0.4)
        assert k1.codes == [], "a contact may take settle_s"
        await asyncio.sleep(0.35)
        assert k1.codes == ["contactor_welded"]
        assert not k1.faults.acknowledge()
        k1.twin.welded = False
        await asyncio.sleep(1.0)
        assert [fault.is_latched for fault in k1.faults.active] == [True]
        assert k1.faults.acknowledge() == (("contactor_welded", "k1"),)


async def test_a_contactor_that_does_not_close_is_told_until_it_does() -> None:
    async with relay(feedback_line=CONTACT) as k1:
        k1.twin.stuck = True
        k1.switch.close(now_s() + 100.0)
        await asyncio.sleep(1.0)
        assert k1.codes == ["contactor_stuck_open"]
        assert k1.switch.is_closed() is False
        k1.twin.stuck = False
        await asyncio.sleep(1.0)
        assert k1.codes == []


async def test_a_broken_feedback_wire_reads_as_open() -> None:
    async with relay(feedback_line=CONTACT) as k1:
        k1.twin.wire_broken = True
        k1.switch.close(now_s() + 100.0)
        await asyncio.sleep(1.0)
        assert k1.twin.is_closed
        assert k1.codes == ["contactor_stuck_open"]


async def test_switching_in_time_is_no_fault() -> None:
    async with relay(feedback_line=CONTACT, heartbeat_hz=2.0, settle_s=1.0) as k1:
        for _ in range(10):
            k1.switch.close(now_s() + 3.0)
            await asyncio.sleep(2.0)
            k1.switch.open()
            await asyncio.sleep(2.0)
        assert k1.codes == []


async def test_stop_tells_of_a_weld_too() -> None:
    async with relay(feedback_line=CONTACT) as k1:
        k1.switch.close(now_s() + 100.0)
        await asyncio.sleep(1.0)
        k1.twin.welded = True
        k1.task.cancel()
        began_s = now_s()
        await k1.switch.stop()
        assert now_s() - began_s <= 1.1
        assert k1.codes == ["contactor_welded"]


async def test_a_pin_that_is_not_held_is_an_error_of_the_device() -> None:
    async with relay() as k1:
        k1.chip.plugged = False
        with pytest.raises(LinkError, match="line 17"):
            await k1.task
        k1.switch.open()  # never raises: it is called on the way out


def test_driving_and_feedback_need_two_lines() -> None:
    with pytest.raises(ValidationError, match="needs its own"):
        GpioSwitchOptions(link="pins", line=5, feedback_line=5)


async def test_a_link_that_does_not_exist_is_told() -> None:
    links = MemoryLinks({"bus": "can"})
    with pytest.raises(ConfigError, match="gpio link"):
        links.gpio("pins")


@settings(max_examples=50)
@given(wanted=st.lists(st.booleans(), max_size=30), active_low=st.booleans())
def test_a_heartbeat_never_stands_active_and_nothing_unwanted_is_active(
    wanted: list[bool], active_low: bool
) -> None:
    shown = levels(Feed.HEARTBEAT, wanted, active_low=active_low)
    active = "0" if active_low else "1"
    assert 2 * active not in shown
    assert all(want for want, level in zip(wanted, shown, strict=True) if level == active)


def test_all_its_lines_are_its_own() -> None:
    assert GpioSwitchOptions(link="pins", line=1, feedback_line=2).lines == (1, 2)
