"""The bench: tiny twins on their wires, in simulated time and once on real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Never

import pytest

from gridzero.errors import LinkError
from gridzero.links.can_bus import RealCan
from gridzero.links.memory import MemoryLinks
from gridzero.links.serial_port import RealSerial
from gridzero.ports.links import CanFilter, CanFrame, CanLink, LinkHealth, MqttMessage
from gridzero.ports.twins import DeviceTwin
from gridzero.sim.house import House
from gridzero.sim.loop import SimulatedLoop
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Constant
from gridzero.sim.twin_bench import MemoryMedia, PtyDevice, RealMedia, TwinBench

EVERYTHING = [CanFilter(0, 0, False), CanFilter(0, 0, True)]


class Echo:
    """A CAN node: answers each frame with its data reversed, and beats once a second."""

    def __init__(self) -> None:
        self.heard: list[CanFrame] = []
        self._answers: list[CanFrame] = []
        self._since_s = 0.0

    def receive(self, frame: CanFrame) -> None:
        self.heard.append(frame)
        self._answers.append(CanFrame(frame.can_id + 1, frame.data[::-1]))

    def advance(self, seconds: float) -> list[CanFrame]:
        self._since_s += seconds
        frames, self._answers = self._answers, []
        if self._since_s >= 0.999:
            self._since_s = 0.0
            frames.append(CanFrame(0x700, b"beat"))
        return frames


class Upper:
    """A serial device that answers in capitals."""

    def __init__(self) -> None:
        self._answer = b""

    def receive(self, data: bytes) -> None:
        self._answer += data.upper()

    def advance(self, seconds: float) -> bytes:
        data, self._answer = self._answer, b""
        return data


class Meter:
    """Publishes at every step."""

    def __init__(self, house: House) -> None:
        self._house = house

    def advance(self, seconds: float) -> list[tuple[str, bytes]]:
        return [("meter/power", f"{self._house.grid_w:.0f}".encode())]


@dataclass
class Register:
    values: dict[int, int] = field(default_factory=dict)
    dead: bool = False

    def read_word(self, register: int) -> int:
        if self.dead:
            raise OSError(121, "Remote I/O error")
        return self.values[register]

    def write_word(self, register: int, value: int) -> None:
        if self.dead:
            raise OSError(121, "Remote I/O error")
        self.values[register] = value


@dataclass
class Unit:
    ac_w: float = 100.0
    dc_a: float = 2.5


def home() -> House:
    return House(Constant(400.0), Constant(0.0), Pack({"b1": 12}))


@asynccontextmanager
async def running(*coroutines: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def listen(link: CanLink) -> list[tuple[float, CanFrame]]:
    heard: list[tuple[float, CanFrame]] = []
    loop = asyncio.get_running_loop()
    link.listen(lambda what: heard.append((round(loop.time(), 3), what)), EVERYTHING)
    return heard


async def test_an_answer_comes_a_few_milliseconds_after_the_question() -> None:
    links, echo = MemoryLinks(), Echo()
    heard = listen(links.can("can0"))
    bench = TwinBench(home(), {"node": DeviceTwin(can={"can0": echo})}, MemoryMedia(links))
    async with running(bench.run()):
        await asyncio.sleep(0.32)
        links.can("can0").send(CanFrame(0x100, b"abc"))
        links.can("can0").send(CanFrame(0x200, b"xyz"))
        await asyncio.sleep(0.02)
    assert heard == [(0.325, CanFrame(0x101, b"cba")), (0.325, CanFrame(0x201, b"zyx"))]


async def test_what_a_twin_says_by_itself_comes_at_its_step() -> None:
    links = MemoryLinks()
    heard = listen(links.can("can0"))
    bench = TwinBench(home(), {"node": DeviceTwin(can={"can0": Echo()})}, MemoryMedia(links))
    async with running(bench.run()):
        await asyncio.sleep(3.05)
    assert heard == [(at_s, CanFrame(0x700, b"beat")) for at_s in (1.0, 2.0, 3.0)]


async def test_twins_on_one_bus_hear_each_other() -> None:
    links, one, two = MemoryLinks(), Echo(), Echo()
    twins = {"one": DeviceTwin(can={"can0": one}), "two": DeviceTwin(can={"can0": two})}
    async with running(TwinBench(home(), twins, MemoryMedia(links)).run()):
        await asyncio.sleep(1.003)
    assert CanFrame(0x700, b"beat") in one.heard
    assert CanFrame(0x700, b"beat") in two.heard


async def test_an_unplugged_bus_loses_frames_and_comes_back() -> None:
    links, echo = MemoryLinks(), Echo()
    heard = listen(links.can("can0"))
    bench = TwinBench(home(), {"node": DeviceTwin(can={"can0": echo})}, MemoryMedia(links))
    async with running(bench.run()):
        links.can_bus("can0").plugged = False
        await asyncio.sleep(2.05)
        assert (heard, bench.lost) == ([], 2)
        links.can_bus("can0").plugged = True
        await asyncio.sleep(1.0)
    assert [at_s for at_s, _ in heard] == [3.0]


async def test_a_serial_device_answers() -> None:
    links = MemoryLinks()
    heard: list[bytes] = []
    links.serial("rs485").listen(heard.append)
    bench = TwinBench(home(), {"unit": DeviceTwin(serial={"rs485": Upper()})}, MemoryMedia(links))
    async with running(bench.run()):
        links.serial("rs485").write(b"ab")
        links.serial("rs485").write(b"cd")
        await asyncio.sleep(0.01)
        links.serial("rs485").write(b"e")
        links.wire("rs485").plugged = False
        await asyncio.sleep(0.01)
    assert b"".join(heard) == b"ABCD"


async def test_a_pulled_serial_cable_loses_the_answer() -> None:
    links, upper = MemoryLinks(), Upper()
    bench = TwinBench(home(), {"unit": DeviceTwin(serial={"rs485": upper})}, MemoryMedia(links))
    upper.receive(b"late")
    links.wire("rs485").plugged = False
    bench.step()
    assert bench.lost == 1


async def test_a_meter_publishes_what_the_house_draws() -> None:
    links, house = MemoryLinks(), home()
    heard: list[bytes] = []
    links.mqtt().subscribe("meter/+", lambda message: heard.append(message.payload))
    twins = {"meter": DeviceTwin(mqtt=[Meter(house)]), "unit": DeviceTwin(converters=[Unit()])}
    async with running(TwinBench(house, twins, MemoryMedia(links)).run()):
        await asyncio.sleep(0.25)
    assert heard == [b"300", b"300"]


async def test_converters_are_known_to_the_house_by_name() -> None:
    house = home()
    twins = {
        "one": DeviceTwin(converters=[Unit(10.0)]),
        "pair": DeviceTwin(converters=[Unit(20.0), Unit(30.0)]),
    }
    TwinBench(house, twins, MemoryMedia(MemoryLinks())).step()
    assert list(house.converters) == ["one", "pair.1", "pair.2"]
    assert house.battery_w == 60.0


async def test_an_i2c_device_answers_and_plays_dead() -> None:
    links, register = MemoryLinks(), Register({0: 0x1234})
    TwinBench(home(), {"adc": DeviceTwin(i2c={("i2c1", 0x48): register})}, MemoryMedia(links))
    bus = links.i2c("i2c1")
    await bus.write_word(0x48, 1, 7)
    assert (await bus.read_word(0x48, 0), register.values[1]) == (0x1234, 7)
    register.dead = True
    with pytest.raises(LinkError, match="0x48: no answer"):
        await bus.read_word(0x48, 0)
    with pytest.raises(LinkError, match="no answer"):
        await bus.write_word(0x48, 1, 8)


@pytest.mark.parametrize("where", ["receive", "advance"])
async def test_a_bug_in_a_twin_ends_the_run(where: str) -> None:
    def broken(_: Any) -> Never:
        raise ZeroDivisionError(where)

    links, echo = MemoryLinks(), Echo()
    setattr(echo, where, broken)
    bench = TwinBench(home(), {"node": DeviceTwin(can={"can0": echo})}, MemoryMedia(links))
    links.can("can0").send(CanFrame(1, b""))
    with pytest.raises(ZeroDivisionError, match=where):
        await asyncio.wait_for(bench.run(), timeout=1.0)


async def test_the_house_lives_as_long_as_the_clock() -> None:
    house = home()
    async with running(TwinBench(house, {}, MemoryMedia(MemoryLinks())).run()):
        await asyncio.sleep(3600.05)
    assert house.books.seconds == pytest.approx(3600.0)
    assert house.books.import_wh == pytest.approx(400.0)


class Sleepy(TwinBench):
    """A bench whose process stands still for a while in its tenth step."""

    def __init__(self, house: House, asleep_s: float) -> None:
        super().__init__(house, {}, MemoryMedia(MemoryLinks()))
        self.asleep_s = asleep_s
        self.steps_done = 0

    def step(self) -> None:
        super().step()
        self.steps_done += 1
        if self.steps_done == 10:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, SimulatedLoop)
            loop._jumping.now_s += self.asleep_s


async def test_a_short_standstill_is_caught_up() -> None:
    house = home()
    bench = Sleepy(house, asleep_s=1.5)
    async with running(bench.run()):
        await asyncio.sleep(5.05)
    assert house.books.seconds == pytest.approx(5.0)
    assert bench.dropped_s == 0.0


async def test_a_long_standstill_is_left_out_and_told() -> None:
    house = home()
    bench = Sleepy(house, asleep_s=60.0)
    async with running(bench.run()):
        await asyncio.sleep(70.05)
    assert bench.dropped_s == pytest.approx(60.0, abs=0.11)
    assert house.books.seconds + bench.dropped_s == pytest.approx(70.0, abs=0.11)


async def test_after_the_run_nobody_answers() -> None:
    links, echo = MemoryLinks(), Echo()
    heard = listen(links.can("can0"))
    bench = TwinBench(home(), {"node": DeviceTwin(can={"can0": echo})}, MemoryMedia(links))
    async with running(bench.run()):
        links.can("can0").send(CanFrame(1, b"a"))
        await asyncio.sleep(0.001)
    links.can("can0").send(CanFrame(2, b"b"))
    await asyncio.sleep(1.0)
    assert len(echo.heard) == 2
    assert heard == []


class FakeMqtt:
    """A broker connection that only runs."""

    def __init__(self) -> None:
        self.health = LinkHealth(state="up", why="")
        self.published: list[tuple[str, str | bytes]] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    def subscribe(self, topic: str, handler: Callable[[MqttMessage], None]) -> None:
        raise NotImplementedError

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self.published.append((topic, payload))


def no_report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """Nobody listens."""


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5.0):
        while not condition():  # noqa: ASYNC110 - real links have no event to wait for
            await asyncio.sleep(0.005)


@pytest.mark.real_time
async def test_twins_answer_over_a_pseudo_terminal_and_a_virtual_bus() -> None:
    house, mqtt = home(), FakeMqtt()
    heard: list[bytes] = []
    frames: list[CanFrame] = []
    media = RealMedia(channels={"can0": "bench-test"}, report=no_report, mqtt=mqtt)
    twins = {
        "unit": DeviceTwin(serial={"rs485": Upper()}, mqtt=[Meter(house)]),
        "node": DeviceTwin(can={"can0": Echo()}),
        "adc": DeviceTwin(i2c={("i2c1", 0x48): Register({0: 5})}),
    }
    bench = TwinBench(house, twins, media, step_s=0.02)
    port = RealSerial(name="rs485", port=media.pty_path("rs485"), baud=9600, report=no_report)
    port.listen(heard.append)
    can = RealCan(name="can0", interface="virtual", channel="bench-test", report=no_report)
    can.listen(frames.append, EVERYTHING)
    async with running(media.run(), port.run(), can.run(), bench.run()):
        await until(lambda: port.health.state == can.health.state == "up")
        await until(lambda: media.can("can0").health.state == "up")
        port.write(b"hello")
        can.send(CanFrame(0x10, b"12"))
        await until(lambda: b"".join(heard) == b"HELLO")
        await until(lambda: CanFrame(0x11, b"21") in frames)
        assert await media.i2c("i2c1").read_word(0x48, 0) == 5
        await until(lambda: mqtt.published)
    assert mqtt.published[0] == ("meter/power", b"400")


@pytest.mark.real_time
async def test_a_closed_pseudo_terminal_says_so() -> None:
    pty = PtyDevice("rs485")
    pty.write(b"x")
    assert pty.health.tx == 1
    pty.close()
    pty.close()
    with pytest.raises(LinkError, match="nobody reads"):
        pty.write(b"y")
    assert pty.health.tx_failed == 1


@pytest.mark.real_time
async def test_a_pseudo_terminal_that_nobody_reads_does_not_block() -> None:
    pty = PtyDevice("rs485")
    try:
        with pytest.raises(LinkError, match="nobody reads"):
            pty.write(b"z" * 1_000_000)
    finally:
        pty.close()
