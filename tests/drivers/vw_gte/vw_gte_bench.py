"""A battery of simulated modules on memory links, for the tests of vw_gte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gridzero.domain.readings import ModuleReading
from gridzero.errors import LinkError
from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.vw_gte import plugin
from gridzero_drivers.vw_gte.driver import VwGteCells
from gridzero_drivers.vw_gte.options import VwGteOptions
from gridzero_drivers.vw_gte.twin import GteBusTwin

EVERYTHING = (CanFilter(0, 0, is_extended=False), CanFilter(0, 0, is_extended=True))
STEP_S = 0.1


class FakeWorld:
    """A house in which every cell has 3.7 V unless a test says otherwise."""

    def __init__(self) -> None:
        self.cells: dict[str, list[float]] = {}
        self.temps: dict[str, float] = {}
        self.bled: dict[str, int] = {}
        self.now_s = 0.0
        self.grid_w = self.mains_v = self.battery_v = self.battery_a = 0.0

    def cell_v(self, module: str) -> list[float]:
        return self.cells.setdefault(module, [3.7] * 13)

    def temp_c(self, module: str) -> float:
        return self.temps.get(module, 20.0)

    def bleed(self, module: str, cells: int) -> None:
        self.bled[module] = cells


@dataclass
class Reports:
    """Meets ports.plugin.Report."""

    active: dict[tuple[str, str], str] = field(default_factory=dict)
    log: list[tuple[str, str, bool]] = field(default_factory=list)

    def __call__(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.log.append((code, subject, active))
        if active:
            self.active[code, subject] = text
        else:
            self.active.pop((code, subject), None)


class Bench:
    """The driver and its twins; sent: (bus, when in s, frame) of all that the driver sent."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = VwGteOptions.model_validate(options)
        self.links = MemoryLinks()
        self.world = FakeWorld()
        self.reports = Reports()
        self.clock = LoopClock()
        context = DriverContext("battery", self.clock, self.links, self.reports)
        self.driver = VwGteCells(self.options, context)
        self.twins: dict[str, GteBusTwin] = {}
        self.sent: list[tuple[str, float, CanFrame]] = []
        self._nodes = {}
        ends = plugin.twin(self.options, self.world, 1).can
        for key, bus in self.options.buses.items():
            twin = ends[bus.link]
            assert isinstance(twin, GteBusTwin)
            self.twins[key] = twin
            node = self.links.can_bus(bus.link).attach()
            self._nodes[key] = node
            node.listen(partial(self._hear, key), EVERYTHING)

    def _hear(self, key: str, frame: CanFrame) -> None:
        self.sent.append((key, self.clock.now_s(), frame))
        self.twins[key].receive(frame)
        self._answer(key, 0.0)

    def _answer(self, key: str, seconds: float) -> None:
        for frame in self.twins[key].advance(seconds):
            self.put(key, frame)

    def put(self, key: str, frame: CanFrame) -> None:
        """A frame from the module's side of the bus."""
        with suppress(LinkError):
            self._nodes[key].send(frame)

    async def settle(self) -> None:
        """Let frames in flight arrive."""
        for _ in range(3):
            await asyncio.sleep(0)

    def plug(self, key: str, *, plugged: bool) -> None:
        self.links.can_bus(self.options.buses[key].link).plugged = plugged

    def sent_on(self, key: str) -> list[CanFrame]:
        return [frame for bus, _, frame in self.sent if bus == key]

    def voltage(self, name: str, cell: int) -> float | None:
        return self.reading(name).cell_v[cell - 1]

    def age_s(self, name: str, cell: int) -> float:
        at_s = self.reading(name).cell_at_s[cell - 1]
        assert at_s is not None
        return self.clock.now_s() - at_s

    def reading(self, name: str) -> ModuleReading:
        return next(reading for reading in self.driver.modules() if reading.name == name)

    async def pass_time(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            self.world.now_s += STEP_S
            for key in self.twins:
                self._answer(key, STEP_S)


@asynccontextmanager
async def battery(**options: Any) -> AsyncIterator[Bench]:
    """A running driver, cancelled and stopped at the end."""
    bench = Bench(options)
    tasks = [asyncio.create_task(bench.pass_time()), asyncio.create_task(bench.driver.run())]
    try:
        yield bench
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bench.driver.stop()
        await bench.settle()


REFERENCE = {
    "a": {"link": "can_a", "modules": [3, 7, 8]},
    "b": {"link": "can_b", "modules": [1, 2, 3, 4, 6, 7]},
}
