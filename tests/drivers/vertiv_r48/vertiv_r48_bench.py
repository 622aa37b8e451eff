"""A rectifier or two, their driver, and a battery, on memory links and simulated time."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridzero.domain.converters import Setpoint
from gridzero.errors import FrameError, LinkError
from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.vertiv_r48.codec import Message, decode
from gridzero_drivers.vertiv_r48.driver import VertivR48
from gridzero_drivers.vertiv_r48.ids import unpack_id
from gridzero_drivers.vertiv_r48.options import VertivR48Options
from gridzero_drivers.vertiv_r48.twin import R48Twin

STEP_S = 0.05
EVERYTHING = (CanFilter(0, 0, is_extended=True), CanFilter(0, 0, is_extended=False))


@dataclass
class FakeWorld:
    """A battery behind a resistance, charged by all twins of the bench."""

    twins: list[R48Twin] = field(default_factory=list)
    open_circuit_v: float = 44.0
    resistance_ohm: float = 0.02
    mains_v: float = 230.0
    is_connected: bool = True
    now_s: float = 0.0
    grid_w: float = 0.0

    @property
    def battery_a(self) -> float:
        return sum(twin.dc_a for twin in self.twins)

    @property
    def battery_v(self) -> float:
        return self.open_circuit_v - self.resistance_ohm * self.battery_a

    def cell_v(self, module: str) -> Sequence[float]:
        return ()

    def temp_c(self, module: str) -> float:
        return 20.0

    def bleed(self, module: str, cells: int) -> None:
        pass


class FakeSwitch:
    """A contactor that falls open when its lease ends."""

    def __init__(self, clock: LoopClock) -> None:
        self.name = "contactor"
        self._clock = clock
        self._until_s = float("-inf")
        self.stuck_open = False
        self.opened = 0

    def close(self, until_s: float) -> None:
        self._until_s = until_s

    def open(self) -> None:
        self._until_s = float("-inf")
        self.opened += 1

    def is_closed(self) -> bool | None:
        return not self.stuck_open and self._clock.now_s() <= self._until_s

    async def run(self) -> None:
        await self._clock.sleep_s(0)

    async def stop(self) -> None:
        self.open()


@dataclass
class Sent:
    """A frame that the host sent: when, to which module, and its bytes."""

    at_s: float
    frame: CanFrame

    @property
    def module(self) -> int:
        return unpack_id(self.frame.can_id).destination

    @property
    def is_limit(self) -> bool:
        return self.frame.data[0] == 0x03 and self.frame.data[3] == 0x22

    @property
    def is_volts(self) -> bool:
        return self.frame.data[0] == 0x03 and self.frame.data[3] == 0x21

    @property
    def is_control(self) -> bool:
        return self.frame.data[0] == 0x00

    @property
    def is_on(self) -> bool:
        return self.is_control and self.frame.data[2] == 0x01

    @property
    def is_off(self) -> bool:
        return self.is_control and self.frame.data[2] == 0x85

    @property
    def number(self) -> float:
        return float(struct.unpack(">f", self.frame.data[4:])[0])


class Bench:
    """Everything around the drivers."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.links = MemoryLinks()
        self.bus = self.links.can_bus("charger")
        self.world = FakeWorld()
        self.sent: list[Sent] = []
        self.answers: list[tuple[float, Message]] = []
        self.faults: dict[str, str] = {}
        self.history: list[tuple[str, bool]] = []
        self.ledger: list[tuple[float, float]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._ears = self.bus.attach()
        self._ears.listen(self._overhear, EVERYTHING)
        self._twin_ends: list[Any] = []

    def twin(self, module: int = 0, rated_w: float = 3000.0) -> R48Twin:
        twin = R48Twin(module, rated_w, self.world, seed=module)
        end = self.bus.attach()

        def receive(frame: CanFrame) -> None:
            twin.receive(frame)
            self._put(end, twin.advance(0.0))

        end.listen(receive, EVERYTHING)
        self.world.twins.append(twin)
        self._twin_ends.append(end)
        return twin

    def driver(
        self, name: str = "charger-1", contactor: FakeSwitch | None = None, **options: Any
    ) -> VertivR48:
        context = DriverContext(name, self.clock, self.links, self._report)
        driver = VertivR48(VertivR48Options(link="charger", **options), context, contactor)
        driver.on_sent(lambda at_s, power_w: self.ledger.append((at_s, power_w)))
        return driver

    def start(self, driver: VertivR48) -> asyncio.Task[None]:
        task = asyncio.create_task(driver.run(), name=driver.name)
        self.tasks.append(task)
        return task

    async def charge(self, driver: VertivR48, power_w: float, seconds: float, **caps: Any) -> None:
        """Renew a set-point twice a second, as a living control loop does."""
        end_s = self.clock.now_s() + seconds
        while self.clock.now_s() < end_s - 1e-6:
            until_s = self.clock.now_s() + 3.0
            driver.command(Setpoint(power_w=power_w, until_s=until_s, **caps))
            await asyncio.sleep(min(0.5, end_s - self.clock.now_s()))

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def since(self, at_s: float) -> list[Sent]:
        return [sent for sent in self.sent if sent.at_s >= at_s]

    def _overhear(self, frame: CanFrame) -> None:
        if (frame.can_id >> 3) & 0xFF == 0xF0:
            self.sent.append(Sent(self.clock.now_s(), frame))
            return
        with contextlib.suppress(FrameError):
            if message := decode(frame):
                self.answers.append((self.clock.now_s(), message))

    def _report(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.history.append((code, active))
        if active:
            self.faults[code] = text
        else:
            self.faults.pop(code, None)

    def _put(self, end: Any, frames: list[CanFrame]) -> None:
        for frame in frames:
            with contextlib.suppress(LinkError):
                end.send(frame)

    async def pump(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            for twin, end in zip(self.world.twins, self._twin_ends, strict=True):
                self._put(end, twin.advance(STEP_S))


@contextlib.asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    pump = asyncio.create_task(made.pump(), name="pump")
    try:
        yield made
    finally:
        for task in [*made.tasks, pump]:
            task.cancel()
        await asyncio.gather(*made.tasks, pump, return_exceptions=True)


async def cancelled(task: asyncio.Task[None]) -> None:
    """What the supervisor does before stop()."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
