"""A shunt on an in-memory I2C bus, on the simulated clock, with everything it says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from gridzero.links.memory import MemoryLinks
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverContext
from gridzero_drivers.ads1115_shunt.driver import Ads1115Shunt
from gridzero_drivers.ads1115_shunt.options import ShuntOptions
from gridzero_drivers.ads1115_shunt.twin import ShuntTwin


def options(**given: Any) -> ShuntOptions:
    return ShuntOptions.model_validate({"driver": "ads1115_shunt", "link": "i2c1", **given})


def near(value: float, tolerance: float = 1e-9) -> Any:
    """pytest.approx where a float is asked for."""
    return pytest.approx(value, abs=tolerance)


@dataclass
class Reports:
    """Meets ports.plugin.Report; active holds what a person sees now."""

    said: list[tuple[str, bool]] = field(default_factory=list)
    active: dict[str, str] = field(default_factory=dict)

    def __call__(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.said.append((code, active))
        if active:
            self.active[code] = text
        else:
            self.active.pop(code, None)


@dataclass
class Battery:
    """Meets ports.twins.World as far as a shunt looks; its time can be set or is the loop's."""

    set_s: float | None = None
    battery_a: float = 0.0
    grid_w: float = 0.0
    mains_v: float = 230.0
    battery_v: float = 48.0

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time() if self.set_s is None else self.set_s

    def cell_v(self, module: str) -> list[float]:
        return []

    def temp_c(self, module: str) -> float:
        return 20.0

    def bleed(self, module: str, cells: int) -> None:
        return None


class Site:
    def __init__(self, **given: Any) -> None:
        self.links = MemoryLinks()
        self.reports = Reports()
        self.options = options(**given)
        self.world = Battery()
        self.twin = ShuntTwin(self.options, self.world, seed=5)
        self.bus = self.links.i2c("i2c1")
        self.bus.devices[self.options.address] = self.twin
        context = DriverContext("shunt", LoopClock(), self.links, self.reports)
        self.shunt = Ads1115Shunt(self.options, context)
        self.running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.running = asyncio.create_task(self.shunt.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
        await self.shunt.stop()

    @property
    def current_a(self) -> float:
        latest = self.shunt.latest()
        assert latest is not None
        return latest.current_a

    @property
    def age_s(self) -> float:
        latest = self.shunt.latest()
        assert latest is not None
        return asyncio.get_running_loop().time() - latest.at_s
