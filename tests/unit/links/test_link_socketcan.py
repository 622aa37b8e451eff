"""RealCan on the kernel's own CAN, where there is one: can0 and can1 joined, and vcan interfaces.

Needs root and the modules can_raw, vcan and vxcan, as in a user-mode Linux.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import can
import pytest
from link_fakes import Reports, link_threads, running, until

from gridzero.errors import LinkError
from gridzero.links.can_bus import RealCan
from gridzero.ports.links import CanFilter, CanFrame

HAS_CAN = {"can0", "can1"} <= {name for _, name in socket.if_nameindex()}

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(
        not HAS_CAN or shutil.which("ip") is None, reason="no pair of CAN interfaces can0, can1"
    ),
]

EVERYTHING = [CanFilter(0, 0, is_extended=False), CanFilter(0, 0, is_extended=True)]


async def ip(command: str) -> None:
    process = await asyncio.create_subprocess_exec("ip", *command.split())
    assert await process.wait() == 0


@asynccontextmanager
async def vcan(name: str) -> AsyncIterator[str]:
    await ip(f"link add {name} type vcan")
    await ip(f"link set {name} up")
    try:
        yield name
    finally:
        await ip(f"link del {name}")


class Link:
    def __init__(self, channel: str, **options: Any) -> None:
        self.reports = Reports()
        self.can = RealCan(
            name=channel, interface="socketcan", channel=channel, report=self.reports, **options
        )
        self.heard: list[CanFrame] = []

    async def is_up(self) -> None:
        await until(lambda: self.can.health.state == "up")

    async def run(self) -> None:
        await self.can.run()


@pytest.fixture(autouse=True)
async def no_thread_left() -> AsyncIterator[None]:
    yield
    await until(lambda: not link_threads())


async def test_frames_pass_the_wire_both_ways_through_kernel_filters() -> None:
    near, far = Link("can0"), Link("can1")
    near.can.listen(near.heard.append, EVERYTHING)
    far.can.listen(far.heard.append, [CanFilter(0x700, 0x7F0, is_extended=False)])
    async with running(near), running(far):
        await near.is_up()
        await far.is_up()
        for can_id in (0x6FF, 0x700, 0x70F, 0x710):
            near.can.send(CanFrame(can_id, b"\1"))
        far.can.send(CanFrame(0x1801_0203, bytes(8), is_extended=True))
        await until(lambda: len(far.heard) == 2 and near.heard)
        far.can.listen(far.heard.append, [CanFilter(0x710, 0x7FF, is_extended=False)])
        near.can.send(CanFrame(0x710, b"\2"))
        await until(lambda: len(far.heard) == 3)
    assert [frame.can_id for frame in far.heard] == [0x700, 0x70F, 0x710]
    assert near.heard == [CanFrame(0x1801_0203, bytes(8), is_extended=True)]


async def test_error_frames_of_the_kernel_are_decoded() -> None:
    async with vcan("vgz0") as channel:
        link = Link(channel)
        link.can.listen(link.heard.append, EVERYTHING)
        async with running(link):
            await link.is_up()
            with can.Bus(interface="socketcan", channel=channel) as injector:
                injector.send(can.Message(is_error_frame=True, arbitration_id=0x40, data=bytes(8)))
                await until(lambda: link.can.health.state == "bus-off")
                injector.send(can.Message(is_error_frame=True, arbitration_id=0x100, data=bytes(8)))
                await until(lambda: link.can.health.state == "up")
        assert link.heard == []
        assert link.can.health.error_frames == 2


async def test_a_neighbour_on_this_host_is_heard_only_when_asked_for() -> None:
    async with vcan("vgz0") as channel:
        deaf, open_eared = Link(channel), Link(channel, hear_this_host=True)
        for each in (deaf, open_eared):
            each.can.listen(each.heard.append, EVERYTHING)
        async with running(deaf), running(open_eared):
            await deaf.is_up()
            await open_eared.is_up()
            deaf.can.send(CanFrame(1, b""))
            open_eared.can.send(CanFrame(2, b""))
            await until(lambda: open_eared.heard and deaf.can.health.skipped)
        assert open_eared.heard == [CanFrame(1, b"")]
        assert deaf.heard == []


async def test_an_interface_that_goes_down_comes_back_without_flapping() -> None:
    async with vcan("vgz0") as channel:
        link = Link(channel)
        async with running(link):
            await link.is_up()
            await ip(f"link set {channel} down")
            await until(lambda: link.can.health.state == "down")
            with pytest.raises(LinkError):
                link.can.send(CanFrame(1, b""))
            await asyncio.sleep(0.8)  # one attempt on the interface that is still down
            await ip(f"link set {channel} up")
            await link.is_up()
            link.can.send(CanFrame(1, b""))
        assert [active for _, active, _ in link.reports.told].count(False) == 1
        assert "ip link set" in link.reports.texts[0]


async def test_an_interface_that_is_pulled_out_is_found_again() -> None:
    link = Link("vgz0", hear_this_host=True)
    link.can.listen(link.heard.append, EVERYTHING)
    async with running(link):
        async with vcan("vgz0"):
            await link.is_up()
        await until(lambda: link.can.health.state == "down")
        async with vcan("vgz0") as channel:
            await link.is_up()
            with can.Bus(interface="socketcan", channel=channel) as other:
                other.send(can.Message(arbitration_id=7, is_extended_id=False))
                await until(lambda: link.heard)
            running_again = link.can.health.reopened
    assert running_again == 1
