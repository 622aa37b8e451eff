"""RealCan over slcan on a pseudo-terminal, and over socketcand on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from link_fakes import LOOPBACK, Pty, Reports, Socketcand, link_threads, pty, running, until

from gridzero.errors import LinkError
from gridzero.links.can_bus import RealCan
from gridzero.links.can_session import OUTBOX_FRAMES
from gridzero.ports.links import CanFilter, CanFrame

pytestmark = pytest.mark.real_time

EVERYTHING = [CanFilter(0, 0, is_extended=False), CanFilter(0, 0, is_extended=True)]


@pytest.fixture(autouse=True)
async def no_thread_left() -> AsyncIterator[None]:
    yield
    await until(lambda: not link_threads())


class Adapter:
    """A serial-line CAN adapter that notes what it is told."""

    def __init__(self, terminal: Pty) -> None:
        self.terminal = terminal
        self.lines: list[bytes] = []
        self._rest = b""
        terminal.on_data(self._take)

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r")
        self.lines += lines


@asynccontextmanager
async def slcan() -> AsyncIterator[tuple[RealCan, Adapter, list[CanFrame]]]:
    async with pty() as terminal:
        adapter = Adapter(terminal)
        link = RealCan(
            name="b1",
            interface="slcan",
            channel=terminal.path,
            bitrate=500_000,
            report=Reports(),
        )
        heard: list[CanFrame] = []
        link.listen(heard.append, EVERYTHING)
        async with running(link):
            await until(lambda: link.health.state == "up")
            yield link, adapter, heard


async def test_slcan_both_ways() -> None:
    async with slcan() as (link, adapter, heard):
        await until(lambda: b"S6" in adapter.lines)
        link.send(CanFrame(0x123, b"\1\2"))
        link.send(CanFrame(0x1801_0203, b"\xff", is_extended=True))
        await until(lambda: adapter.lines[-2:] == [b"t12320102", b"T180102031FF"])
        adapter.terminal.write(b"z\rt35180011223344556677\rT1fffffff0\r")
        await until(lambda: len(heard) == 2)
        assert heard == [
            CanFrame(0x351, bytes.fromhex("0011223344556677")),
            CanFrame(0x1FFF_FFFF, b"", is_extended=True),
        ]


async def test_slcan_noise_is_counted_and_skipped() -> None:
    async with slcan() as (link, adapter, heard):
        adapter.terminal.write(b"tZZZ1\rt\rT12\rt3518\rt0011AA\r")
        await until(lambda: heard)
        assert heard[-1] == CanFrame(0x001, b"\xaa")
        assert link.health.skipped["unreadable"] >= 3


async def test_slcan_hang_up_is_an_outage() -> None:
    async with slcan() as (link, adapter, _):
        adapter.terminal.hang_up()
        await until(lambda: link.health.state == "down")
        with pytest.raises(LinkError):
            link.send(CanFrame(1, b""))


async def test_slcan_that_takes_nothing_holds_up_nobody() -> None:
    async with slcan() as (link, adapter, _):
        asyncio.get_running_loop().remove_reader(adapter.terminal._master)
        with pytest.raises(LinkError, match="buffer full"):
            send_many(link, 2 * OUTBOX_FRAMES)
        await until(lambda: link.health.state == "down")


def send_many(link: RealCan, count: int) -> None:
    for _ in range(count):
        link.send(CanFrame(1, bytes(8)))


@asynccontextmanager
async def socketcand() -> AsyncIterator[tuple[RealCan, Socketcand, list[CanFrame], Reports]]:
    server, reports = Socketcand(), Reports()
    await server.start()
    link = RealCan(
        name="b1",
        interface="socketcand",
        channel="can0",
        report=reports,
        host=LOOPBACK,
        port=server.port,
    )
    heard: list[CanFrame] = []
    link.listen(heard.append, EVERYTHING)
    async with running(link):
        await until(lambda: link.health.state == "up")
        yield link, server, heard, reports
    await server.stop()


async def test_socketcand_both_ways() -> None:
    async with socketcand() as (link, server, heard, _):
        link.send(CanFrame(0x123, b"\1\x0b"))
        await until(lambda: server.got[-1] == "< send 123 2 1 b >")
        server.send("< frame 351 1.5 0011 >< frame 1FFFFFFF 1.5 22 >")
        await until(lambda: len(heard) == 2)
        assert heard == [CanFrame(0x351, b"\0\x11"), CanFrame(0x1FFF_FFFF, b"\x22", True)]


async def test_socketcand_error_frames_are_counted() -> None:
    async with socketcand() as (link, server, heard, _):
        server.send("< error 40 1.5 >")
        await until(lambda: link.health.state == "bus-off")
        assert (link.health.error_frames, heard) == (1, [])


async def test_a_closed_socketcand_is_noticed_before_it_burns_the_processor() -> None:
    async with socketcand() as (link, server, heard, reports):
        await server.stop()
        await until(lambda: reports.told)
        assert reports.told == [("link_down", True, "b1")]
        assert "closed" in reports.texts[0]
        await server.start()
        await until(lambda: link.health.state == "up")
        server.send("< frame 351 1.5 0011 >")
        await until(lambda: heard)


async def test_a_socketcand_that_is_not_there_is_an_outage_with_a_remedy() -> None:
    reports = Reports()
    link = RealCan(
        name="b1", interface="socketcand", channel="can0", report=reports, host=LOOPBACK, port=1
    )
    async with running(link):
        await until(lambda: reports.told)
    assert "socketcand" in reports.texts[0]
