"""Watchdogs are fed while commands really leave, and at no other time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gridzero.errors import LinkError
from gridzero.links.memory import MemoryLinks
from gridzero.links.systemd import Systemd
from gridzero.links.watchdog_device import WatchdogDevice
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.heartbeat import Heartbeat
from gridzero.runtime.sent_links import SentLinks
from gridzero.runtime.watchdogs import DeviceFeeder, Feeder, SystemdFeeder, Watchdogs

FRAME = CanFrame(0x123, b"\0")


@dataclass
class Rig:
    """A control loop that ticks and two converters that send, each until a test stops it."""

    feeders: tuple[Feeder, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock, self.links = LoopClock(), MemoryLinks()
        self.faults = FaultBook(self.clock)
        self.senders = {name: SentLinks(self.links, self.clock) for name in ("charger", "inverter")}
        self.bus = self.senders["charger"].can("bus")
        self.port = self.senders["inverter"].serial("port")
        self.ticked_s = 0.0
        self.stopping = False
        self.alive = {"control", "charger", "inverter"}
        heartbeat = Heartbeat(self.clock, lambda: self.ticked_s, self.senders, **self.options)
        self.watchdogs = Watchdogs(
            self.feeders,
            heartbeat,
            self.faults,
            self.clock,
            is_stopping=lambda: self.stopping,
            status=lambda: "at work",
        )

    async def work(self) -> None:
        while True:
            if "control" in self.alive:
                self.ticked_s = self.clock.now_s()
            for name, send in (("charger", self._charge), ("inverter", self._discharge)):
                if name in self.alive:
                    with suppress(LinkError):
                        send()
            await asyncio.sleep(0.5)

    def _charge(self) -> None:
        self.bus.send(FRAME)

    def _discharge(self) -> None:
        self.port.write(b"\x24")

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.faults.active]


@asynccontextmanager
async def living(rig: Rig) -> AsyncIterator[Rig]:
    tasks = [asyncio.create_task(rig.work()), asyncio.create_task(rig.watchdogs.run())]
    try:
        yield rig
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Diary:
    """A feeder that writes down when it was fed."""

    name = "diary"
    period_s = 1.0

    def __init__(self) -> None:
        self.fed_s: list[float] = []
        self.why: list[str] = []
        self.ended = False

    def feed(self, status: str) -> None:
        assert status == "at work"
        self.fed_s.append(asyncio.get_running_loop().time())

    def starve(self, why: str) -> None:
        self.why.append(why)

    def stopping(self) -> None:
        self.fed_s.append(asyncio.get_running_loop().time())

    def end(self) -> None:
        self.ended = True


@pytest.mark.parametrize(
    ("dies", "words"),
    [
        ("control", "the control loop has not ticked"),
        ("charger", "nothing has left for charger"),
        ("inverter", "nothing has left for inverter"),
    ],
)
async def test_each_that_falls_silent_starves_the_watchdog(dies: str, words: str) -> None:
    diary = Diary()
    async with living(Rig((diary,))) as rig:
        await asyncio.sleep(30.0)
        assert len(diary.fed_s) >= 29
        rig.alive.remove(dies)
        await asyncio.sleep(30.0)
        assert 35.0 <= diary.fed_s[-1] <= 36.5
        assert words in diary.why[-1]
        assert rig.codes == ["commands_stuck"]
        rig.alive.add(dies)
        await asyncio.sleep(3.0)
        assert diary.fed_s[-1] > 60.0
        assert rig.codes == []
    assert diary.ended


@pytest.mark.parametrize("excuse", [False, True])
async def test_a_pulled_cable_starves_it_unless_it_is_excused(excuse: bool) -> None:
    diary = Diary()
    async with living(Rig((diary,), {"excuse_lost_links": excuse})) as rig:
        await asyncio.sleep(5.0)
        rig.links.can_bus("bus").plugged = False
        rig.bus.health.state = "down"
        await asyncio.sleep(20.0)
        assert (diary.fed_s[-1] >= 24.0) is excuse
        rig.links.wire("port").plugged = False
        rig.port.health.state = "down"
        await asyncio.sleep(20.0)
        assert diary.fed_s[-1] < 33.0, "when nothing at all leaves, there is no excuse"


async def test_an_excuse_needs_a_link_that_is_down() -> None:
    diary = Diary()
    async with living(Rig((diary,), {"excuse_lost_links": True})) as rig:
        rig.alive.remove("charger")
        await asyncio.sleep(20.0)
        assert diary.fed_s == []
        assert rig.codes == [], "before the first sign of life nothing is missing yet"


async def test_the_way_out_is_accompanied_for_a_bounded_time() -> None:
    diary = Diary()
    async with living(Rig((diary,))) as rig:
        await asyncio.sleep(5.0)
        rig.stopping = True
        rig.alive.clear()
        await asyncio.sleep(100.0)
        assert 34.0 <= diary.fed_s[-1] <= 36.0


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(path)
        yield listener, path


def heard(listener: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(listener.recv(4096).decode())
        except BlockingIOError:
            return found


async def test_systemd_is_told_ready_then_life_then_why_not_then_stopping(
    inbox: tuple[socket.socket, str],
) -> None:
    listener, path = inbox
    async with living(Rig((SystemdFeeder(Systemd(path, 3.0)),))) as rig:
        await asyncio.sleep(3.5)
        first, *others = heard(listener)
        assert first == "READY=1\nWATCHDOG=1\nSTATUS=at work"
        assert set(others) == {"WATCHDOG=1"}
        rig.alive.remove("control")
        await asyncio.sleep(7.0)
        heard(listener)
        await asyncio.sleep(20.0)
        assert not any("WATCHDOG" in told for told in heard(listener))
        rig.stopping = True
        await asyncio.sleep(5.0)
        assert heard(listener) == ["STOPPING=1\nSTATUS=stopping"]
    assert heard(listener) == []


async def test_systemd_without_a_watchdog_hears_no_more_than_it_asked_for(
    inbox: tuple[socket.socket, str],
) -> None:
    listener, path = inbox
    async with living(Rig((SystemdFeeder(Systemd(path)),))):
        await asyncio.sleep(10.0)
        assert heard(listener) == ["READY=1\nSTATUS=at work"]
    assert heard(listener) == ["STOPPING=1\nSTATUS=stopping"]


async def test_a_hardware_watchdog_is_armed_by_the_first_command_and_disarmed_at_the_end(
    tmp_path: Path,
) -> None:
    file = tmp_path / "watchdog"
    file.touch()
    rig = Rig((DeviceFeeder(WatchdogDevice(str(file), 15)),))
    rig.alive.remove("inverter")
    async with living(rig):
        await asyncio.sleep(60.0)
        assert file.read_bytes() == b"", "a site that never came up must not reset the Pi"
        rig.alive.add("inverter")
        await asyncio.sleep(10.0)
        petted = len(file.read_bytes())
        assert 8 <= petted <= 11
        rig.alive.remove("inverter")
        await asyncio.sleep(60.0)
        assert len(file.read_bytes()) <= petted + 7, "then it runs out"
    assert file.read_bytes().endswith(b"V")


async def test_a_watchdog_that_cannot_be_fed_is_told_until_it_can(tmp_path: Path) -> None:
    file = tmp_path / "watchdog"
    async with living(Rig((DeviceFeeder(WatchdogDevice(str(file), 15)),))) as rig:
        await asyncio.sleep(5.0)
        assert rig.codes == ["watchdog_lost"]
        file.touch()
        await asyncio.sleep(3.0)
        assert rig.codes == []
        assert file.read_bytes()


async def test_links_with_a_note_are_links_all_the_same() -> None:
    links = MemoryLinks()
    noted = SentLinks(links, LoopClock())
    got: list[object] = []
    end = noted.can("bus")
    end.listen(got.append, [CanFilter(0, 0, False)])
    links.can_bus("bus").attach().send(FRAME)
    noted.serial("port").listen(got.append)
    links.wire("port").device.write(b"x")
    await asyncio.sleep(0.01)
    assert got == [FRAME, b"x"]
    assert noted.sent_at_s is None, "hearing is no sign of commands"
    links.can_bus("bus").plugged = False
    with pytest.raises(LinkError):
        end.send(FRAME)
    assert noted.sent_at_s is None, "what the link refuses has not left"
    assert noted.i2c("i") is links.i2c("i")
    assert noted.gpio("g") is links.gpio("g")
    assert noted.mqtt() is links.mqtt()
