"""RealCan in the event loop (a fake SocketCAN) and by a thread (python-can's virtual bus)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import can
import pytest
from can.interfaces import BACKENDS
from link_fakes import FakeSocketcan, Reports, link_threads, running, until

from gridzero.errors import ConfigError, LinkError
from gridzero.links import can_opening
from gridzero.links.can_bus import RealCan
from gridzero.links.can_session import MOST_AT_ONCE
from gridzero.ports.links import CanFilter, CanFrame

pytestmark = pytest.mark.real_time

EVERY_STANDARD = CanFilter(0, 0, is_extended=False)
EVERY_EXTENDED = CanFilter(0, 0, is_extended=True)
ARPHRD_LOOPBACK = 772  # if_arp.h: the kind of "lo", which stands in for a CAN interface
BUS_OFF = can.Message(is_error_frame=True, arbitration_id=0x40, data=bytes(8))
channels = (f"test-{i}" for i in itertools.count())


def message(can_id: int, data: bytes = b"", *, extended: bool = False, **kw: Any) -> can.Message:
    return can.Message(arbitration_id=can_id, data=data, is_extended_id=extended, **kw)


@pytest.fixture(autouse=True)
def fake_socketcan(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(BACKENDS, "socketcan", ("link_fakes", "FakeSocketcan"))
    monkeypatch.setattr(can_opening, "KIND_OF_CAN", ARPHRD_LOOPBACK)
    FakeSocketcan.opened.clear()
    FakeSocketcan.refuse.clear()
    yield
    assert all(bus._is_shutdown for bus in FakeSocketcan.opened)


@pytest.fixture(autouse=True)
async def no_thread_left() -> AsyncIterator[None]:
    yield
    await until(lambda: not link_threads())


class Bus:
    """A RealCan on the fake SocketCAN, and what it heard."""

    def __init__(self, **options: Any) -> None:
        self.reports = Reports()
        # "lo" is a network interface that every machine has
        self.link = RealCan(
            name="canpsu", interface="socketcan", channel="lo", report=self.reports, **options
        )
        self.heard: list[CanFrame] = []
        self.link.listen(self.heard.append, [EVERY_STANDARD, EVERY_EXTENDED])

    @property
    def fake(self) -> FakeSocketcan:
        return FakeSocketcan.opened[-1]


@asynccontextmanager
async def bus_up(**options: Any) -> AsyncIterator[Bus]:
    bus = Bus(**options)
    async with running(bus.link):
        await until(lambda: bus.link.health.state == "up")
        yield bus


async def test_frames_go_both_ways() -> None:
    async with bus_up() as bus:
        bus.link.send(CanFrame(0x123, b"\1\2"))
        bus.link.send(CanFrame(0x1801_0203, b"\3", is_extended=True))
        bus.fake.inject(message(0x351, bytes(8)), message(0x1FFF_FFFF, b"\5", extended=True))
        await until(lambda: len(bus.heard) == 2)
        assert bus.heard == [CanFrame(0x351, bytes(8)), CanFrame(0x1FFF_FFFF, b"\5", True)]
        assert [(m.arbitration_id, m.is_extended_id) for m in bus.fake.sent] == [
            (0x123, False),
            (0x1801_0203, True),
        ]
        assert (bus.link.health.rx, bus.link.health.tx) == (2, 2)
        assert bus.link.health.rx_at_s is not None


async def test_many_frames_come_in_order_over_several_turns() -> None:
    async with bus_up() as bus:
        count = 3 * MOST_AT_ONCE + 1
        bus.fake.inject(*(message(i) for i in range(count)))
        await until(lambda: len(bus.heard) == count)
        assert [frame.can_id for frame in bus.heard] == list(range(count))


async def test_filters_are_those_of_all_listeners_also_of_later_ones() -> None:
    async with bus_up() as bus:
        only: list[CanFrame] = []
        bus.link.listen(only.append, [CanFilter(0x700, 0x7F0, is_extended=False)])
        assert {"can_id": 0x700, "can_mask": 0x7F0, "extended": False} in bus.fake.applied
        assert len(bus.fake.applied) == 3
        frames = [message(0x705), message(0x6F5), message(0x705, extended=True)]
        bus.fake.inject(*frames)
        await until(lambda: len(bus.heard) == 3)
        assert only == [CanFrame(0x705, b"")]


async def test_what_is_no_data_frame_of_another_node_is_counted_and_dropped() -> None:
    async with bus_up() as bus:
        bus.fake.inject(
            message(1, is_rx=False), message(2, is_remote_frame=True), message(3, is_fd=True)
        )
        await until(lambda: len(bus.link.health.skipped) == 3)
        assert bus.heard == []


async def test_other_programs_on_this_host_are_heard_when_asked_for() -> None:
    async with bus_up(hear_this_host=True) as bus:
        bus.fake.inject(message(1, is_rx=False))
        await until(lambda: bus.heard)


async def test_error_frames_are_decoded_and_not_passed_on() -> None:
    async with bus_up() as bus:
        passive = can.Message(is_error_frame=True, arbitration_id=4, data=[0, 0x10] + 6 * [0])
        bus.fake.inject(passive)
        await until(lambda: bus.link.health.state == "error-passive")
        bus.link.send(CanFrame(1, b""))
        assert bus.link.health.error_frames == 1
        assert bus.heard == []
        assert ("can_errors", True, "canpsu") in bus.reports.told


async def test_nothing_is_queued_while_the_controller_is_bus_off() -> None:
    async with bus_up() as bus:
        bus.fake.inject(BUS_OFF)
        await until(lambda: bus.link.health.state == "bus-off")
        with pytest.raises(LinkError, match="restart-ms"):
            bus.link.send(CanFrame(1, b""))
        assert bus.fake.sent == []
        bus.fake.inject(message(1))
        await until(lambda: bus.link.health.state == "up")
        bus.link.send(CanFrame(1, b""))


async def test_a_lost_interface_is_reported_and_opened_again() -> None:
    async with bus_up() as bus:
        bus.fake.inject(can.CanOperationError("Error receiving: No such device", 19))
        await until(lambda: bus.link.health.state == "down")
        with pytest.raises(LinkError, match="No such device"):
            bus.link.send(CanFrame(1, b""))
        assert bus.link.health.tx_failed == 1
        await until(lambda: bus.link.health.state == "up")
        bus.fake.inject(message(7))
        await until(lambda: bus.heard)
        assert bus.reports.told == [("link_down", True, "canpsu"), ("link_down", False, "canpsu")]
        assert "ip link" in bus.reports.texts[0]


@pytest.mark.parametrize(
    "error", [can.CanOperationError("Network is down", 100), BrokenPipeError(32, "Broken pipe")]
)
async def test_a_send_that_breaks_the_bus_opens_it_again(error: Exception) -> None:
    async with bus_up() as bus:
        bus.fake.send_error = error
        with pytest.raises(LinkError):
            bus.link.send(CanFrame(1, b""))
        await until(lambda: len(FakeSocketcan.opened) == 2)
        await until(lambda: bus.link.health.state == "up")


@pytest.mark.parametrize(
    "error",
    [
        can.CanOperationError("Transmit buffer full"),
        can.CanOperationError("Failed to transmit: No buffer space available", 105),
    ],
)
async def test_a_full_queue_is_told_to_the_sender_and_the_bus_stays_open(error: Exception) -> None:
    async with bus_up() as bus:
        bus.fake.send_error = error
        for _ in range(3):
            with pytest.raises(LinkError):
                bus.link.send(CanFrame(1, b""))
        await asyncio.sleep(0)
        assert (bus.link.health.tx_failed, bus.link.health.tx) == (3, 0)
        assert bus.link.health.state == "up"
        assert [code for code, *_ in bus.reports.told] == ["can_errors"]
        assert "queue is full" in bus.reports.texts[0]


@pytest.mark.parametrize("frame", [CanFrame(0x800, b""), CanFrame(1, bytes(9)), CanFrame(-1, b"")])
async def test_an_impossible_frame_is_refused(frame: CanFrame) -> None:
    async with bus_up() as bus:
        with pytest.raises(LinkError, match="sender"):
            bus.link.send(frame)
        assert bus.link.health.state == "up"


async def test_a_deaf_socket_is_opened_again_without_an_alarm() -> None:
    async with bus_up(silence_reopen_s=0.05) as bus:
        await asyncio.sleep(0.1)
        assert len(FakeSocketcan.opened) == 1  # silence alone is no reason
        bus.link.send(CanFrame(1, b""))
        await until(lambda: len(FakeSocketcan.opened) == 2)
        await until(lambda: bus.link.health.reopened == 1)
        assert bus.reports.told == []


async def test_unreadable_lines_are_counted() -> None:
    async with bus_up() as bus:
        bus.fake.inject(ValueError("invalid literal for int()"), IndexError(), message(9))
        await until(lambda: bus.heard)
        assert bus.link.health.skipped == {"unreadable": 2}


async def test_a_bug_in_a_handler_ends_the_link() -> None:
    bus = Bus()

    def bug(frame: CanFrame) -> None:
        raise ZeroDivisionError(frame)

    bus.link.listen(bug, [EVERY_STANDARD])
    task = asyncio.ensure_future(bus.link.run())
    await until(lambda: bus.link.health.state == "up")
    bus.fake.inject(message(1))
    with pytest.raises(ZeroDivisionError):
        await task
    assert bus.link.health.state == "down"


async def test_a_link_that_is_not_open_yet_refuses() -> None:
    with pytest.raises(LinkError, match="not opened yet"):
        Bus().link.send(CanFrame(1, b""))


async def test_an_interface_that_is_missing_or_down_is_tried_again() -> None:
    FakeSocketcan.refuse += [
        OSError(97, "Address family not supported by protocol"),
        can.CanInitializationError("nope"),
    ]
    async with bus_up() as bus:
        assert [active for _, active, _ in bus.reports.told] == [True, True, False]
        assert "modprobe" in bus.reports.texts[0]
    assert len(FakeSocketcan.opened) == 1


async def test_a_missing_network_interface_is_named() -> None:
    reports = Reports()
    link = RealCan(name="b1", interface="socketcan", channel="canbms9", report=reports)
    async with running(link):
        await until(lambda: reports.told)
    assert "canbms9" in reports.texts[0]
    assert "ip link" in reports.texts[0]


def test_an_unknown_interface_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigError, match="socketcan"):
        RealCan(name="b1", interface="sockcan", channel="can0", report=Reports())


async def test_options_that_never_fit_are_a_mistake_in_the_configuration() -> None:
    link = RealCan(name="b1", interface="socketcand", channel="can0", report=Reports(), host="x")
    with pytest.raises(ConfigError, match="options"):
        await link.run()


async def test_a_backend_without_its_driver_is_an_outage_with_a_remedy() -> None:
    reports = Reports()
    link = RealCan(name="b1", interface="pcan", channel="PCAN_USBBUS1", report=reports)
    async with running(link):
        await until(lambda: reports.told)
    assert reports.told == [("link_down", True, "b1")]
    assert "driver" in reports.texts[0]


@asynccontextmanager
async def virtual_pair() -> AsyncIterator[tuple[RealCan, RealCan]]:
    channel = next(channels)
    links = [
        RealCan(name=name, interface="virtual", channel=channel, report=Reports())
        for name in ("a", "b")
    ]
    async with running(links[0]), running(links[1]):
        await until(lambda: all(link.health.state == "up" for link in links))
        yield links[0], links[1]


async def test_a_bus_without_a_descriptor_is_read_by_a_thread() -> None:
    async with virtual_pair() as (a, b):
        heard: list[CanFrame] = []
        own: list[CanFrame] = []
        a.listen(own.append, [EVERY_STANDARD])
        b.listen(heard.append, [EVERY_STANDARD])
        for i in range(2000):
            a.send(CanFrame(i, bytes([i & 0xFF])))
        await until(lambda: len(heard) == 2000)
        assert [frame.can_id for frame in heard] == list(range(2000))
        assert own == []


async def test_error_frames_come_through_filters_in_python() -> None:
    async with virtual_pair() as (a, b):
        heard: list[CanFrame] = []
        b.listen(heard.append, [CanFilter(0x700, 0x7FF, is_extended=False)])
        assert a._session is not None
        a._session.send(BUS_OFF)
        await until(lambda: b.health.state == "bus-off")
        assert (b.health.error_frames, b.health.bus_off, heard) == (1, 1, [])


async def test_a_thread_that_cannot_read_brings_the_link_down() -> None:
    async with virtual_pair() as (a, _):
        assert a._session is not None
        a._session._bus.shutdown()  # behind the link's back
        await until(lambda: a.health.state == "down")
        await until(lambda: a.health.state == "up")
        assert a.health.reopened == 1
