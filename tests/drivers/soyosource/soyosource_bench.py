"""A driver and its twin at the two ends of a wire in memory, with everything written down."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gridzero.domain.converters import Setpoint
from gridzero.errors import DeviceError
from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.soyosource.codec import Demand, Query
from gridzero_drivers.soyosource.driver import SoyosourceInverter
from gridzero_drivers.soyosource.options import SoyosourceOptions
from gridzero_drivers.soyosource.stream import DEMAND, STATUS_QUERY, FrameStream
from gridzero_drivers.soyosource.twin import SoyosourceTwin

PUMP_S = 0.01


@dataclass
class House:
    """Meets ports.twins.World as far as an inverter looks."""

    battery_v: float = 50.0
    mains_v: float = 230.0
    now_s: float = 0.0
    grid_w: float = 0.0
    battery_a: float = 0.0

    def cell_v(self, module: str) -> list[float]:
        return []

    def temp_c(self, module: str) -> float:
        return 20.0

    def bleed(self, module: str, cells: int) -> None:
        pass


@dataclass
class Bench:
    """Driver, twin, wire, and a log of what passed by. Powers in W, times in s."""

    driver: SoyosourceInverter
    twin: SoyosourceTwin
    links: MemoryLinks
    house: House
    reports: list[tuple[str, bool, str]]
    ledger: list[tuple[float, float]] = field(default_factory=list)
    demands: list[tuple[float, int]] = field(default_factory=list)
    queries: list[float] = field(default_factory=list)
    heard: FrameStream[Demand | Query] = field(
        default_factory=lambda: FrameStream((DEMAND, STATUS_QUERY))
    )

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def order(self, power_w: float, lease_s: float = 3.0) -> None:
        self.driver.command(Setpoint(power_w=power_w, until_s=self.now_s() + lease_s))

    def overhear(self, data: bytes) -> None:
        """Write down each frame that arrives at the far end."""
        for frame in self.heard.feed(data):
            if isinstance(frame, Demand):
                self.demands.append((self.now_s(), frame.power_w))
            else:
                self.queries.append(self.now_s())

    async def hold(self, power_w: float, seconds: float) -> None:
        """Renew the order each 0.5 s, as a living control loop does."""
        until_s = self.now_s() + seconds
        while self.now_s() < until_s - 1e-6:
            self.order(power_w)
            await asyncio.sleep(min(0.5, until_s - self.now_s()))

    @property
    def plugged(self) -> bool:
        return self.links.wire("rs485").plugged

    @plugged.setter
    def plugged(self, value: bool) -> None:
        self.links.wire("rs485").plugged = value

    def gaps_s(self) -> list[float]:
        times = [at_s for at_s, _ in self.demands]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The driver kept alive as a supervisor does, and time passing for the twin."""
        async with asyncio.TaskGroup() as tasks:
            mine = [tasks.create_task(self._keep()), tasks.create_task(self.pump())]
            await asyncio.sleep(0)
            yield
            for task in mine:
                task.cancel()

    async def _keep(self) -> None:
        while True:
            try:
                await self.driver.run()
            except DeviceError:
                await asyncio.sleep(2.0)

    async def pump(self) -> None:
        end = self.links.wire("rs485").device
        while True:
            await asyncio.sleep(PUMP_S)
            data = self.twin.advance(PUMP_S)
            if data and self.plugged:
                end.write(data)


def make_bench(**options: Any) -> Bench:
    """make_bench(units=2, read_status=True, ...): options by name. Needs a running loop."""
    # with a gain of 1 the demands on the wire are the watts that were ordered
    settings = SoyosourceOptions(link="rs485", **{"gain": 1.0, "send_period_s": 0.5, **options})
    links, house = MemoryLinks({"rs485": "serial"}), House()
    reports: list[tuple[str, bool, str]] = []

    def report(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        reports.append((code, active, text))

    driver = SoyosourceInverter(settings, DriverContext("inverter", LoopClock(), links, report))
    twin = SoyosourceTwin(settings, house, loss_s=3.5)
    bench = Bench(driver, twin, links, house, reports)
    driver.on_sent(lambda at_s, power_w: bench.ledger.append((at_s, power_w)))
    links.wire("rs485").device.listen(bench.overhear)
    links.wire("rs485").device.listen(twin.receive)
    return bench
