"""A whole house in simulated time, with everything that happened written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gridzero.config.loader import load, load_text
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.domain.events import Event
from gridzero.domain.reasons import Because
from gridzero.plugins import load_plugins
from gridzero.runtime.stores import MemoryStore, QuickStore, Store
from gridzero.runtime.supervisor import Ending
from gridzero.sim.sources import Constant, PowerSource

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"


def with_few_modules(text: str) -> str:
    """The same house with three modules: the same wires and devices, half of the time."""
    for many, few in (("[3, 7, 8]", "[3]"), ("[1, 2, 3, 4, 6, 7]", "[1, 2]")):
        assert f"modules: {many}" in text
        text = text.replace(f"modules: {many}", f"modules: {few}")
    return text


SMALL_DEMO = with_few_modules(DEMO.read_text())


class Moment(NamedTuple):
    """at_s: since the start. grid_w, battery_w: true powers. set_w: what was decided."""

    at_s: float
    grid_w: float
    battery_w: float
    set_w: float
    because: Because
    inverter_w: float
    charger_w: float


@dataclass
class Story:
    """A running house; ``await story.until(60)`` lets time pass."""

    site: SimulatedSite
    moments: list[Moment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ending: Ending | None = None

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def twin(self) -> dict[str, Any]:
        """The simulated end of each device, without its wrapping."""
        return {
            name: t.switch
            or next(iter((*t.can.values(), *t.serial.values(), *t.mqtt, *t.i2c.values())))
            for name, t in self.site.twins.items()
        }

    async def until(self, at_s: float) -> None:
        await asyncio.sleep(at_s - self.now_s)

    def between(self, from_s: float, to_s: float) -> list[Moment]:
        found = [m for m in self.moments if from_s <= m.at_s <= to_s]
        assert found, f"nothing was seen between {from_s} and {to_s} s"
        return found

    def at(self, at_s: float) -> Moment:
        return min(self.moments, key=lambda m: abs(m.at_s - at_s))

    def first(self, from_s: float, wanted: Any) -> float:
        """When a condition on moments was first true after from_s, s after from_s."""
        return next(m.at_s for m in self.moments if m.at_s >= from_s and wanted(m)) - from_s

    def told(self, code: str, *, active: bool = True) -> list[Event]:
        return [e for e in self.events if e.code == code and e.active is active]

    def note(self) -> None:
        house, last = self.site.house, self.site.app.site.last
        if last is None:
            return
        powers = {name: unit.ac_w for name, unit in house.converters.items()}
        self.moments.append(
            Moment(
                self.now_s,
                house.grid_w,
                house.battery_w,
                last[1].battery_w,
                last[1].because,
                sum(powers[unit.name] for unit in last[0].inverters),
                sum(powers[unit.name] for unit in last[0].chargers),
            )
        )


@asynccontextmanager
async def house(
    load_w: float | PowerSource = 300.0,
    sun_w: float | PowerSource = 0.0,
    *,
    soc: float = 0.5,
    temp_c: float = 18.0,
    config: Path | None = None,
    learned: Store | None = None,
    outlook: Store | None = None,
    latched: Store | None = None,
    memory: Store | None = None,
    settings: QuickStore | None = None,
    energy: MemoryStore | None = None,
) -> AsyncIterator[Story]:
    """A house from power-up; it is shut down in order at the end.

    config: None = the demo's with three modules.
    """
    plugins = load_plugins()
    scene = Scene(
        load=Constant(load_w) if isinstance(load_w, int | float) else load_w,
        sun=Constant(sun_w) if isinstance(sun_w, int | float) else sun_w,
        soc=soc,
        temp_c=temp_c,
        start_h=0.0,
    )
    loaded = load_text(SMALL_DEMO, DEMO, plugins) if config is None else load(config, plugins)
    stores = (learned, outlook, latched, memory, settings, energy)
    story = Story(SimulatedSite(loaded, plugins, scene, *stores))
    story.site.app.faults.on_event(story.events.append)
    step = story.site.bench.step

    def watched_step() -> None:
        step()
        story.note()

    story.site.bench.step = watched_step  # type: ignore[method-assign]  # to look, not to change
    task = asyncio.create_task(story.site.run(), name="site")
    try:
        yield story
    finally:
        story.site.stop.set()
        story.ending = await task
