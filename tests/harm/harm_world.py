"""A house that lives on while the process in it hangs, dies and comes back.

Everything is at the level of bytes: the site is the one that ``gridzero run`` builds, on in-memory
wires with every device's twin. The process is a ``Life``; the ``World`` outlives it, and a restart
after a crash is the world's business, as it is Docker's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from harm_hang import release_tasks

from gridzero.app import App, build
from gridzero.config.loader import Loaded, load_text
from gridzero.demo.scene import Scene, build_house, build_twins
from gridzero.domain.events import Event
from gridzero.links.memory import MemoryLinks
from gridzero.plugins import load_plugins
from gridzero.ports.plugin import DriverPlugin
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.stores import FileStore, MemoryStore
from gridzero.runtime.supervisor import Ending
from gridzero.sim.host_links import HostLinks
from gridzero.sim.sources import Constant
from gridzero.sim.twin_bench import MemoryMedia, TwinBench
from gridzero_drivers import gpio_switch

HERE = Path(__file__).parent
CONFIGS = {"small": HERE / "small.yaml", "nine": HERE.parents[1] / "configs" / "demo.yaml"}
STEP_S = 0.25
RESTART_S = 6.0
"""Docker, Python and the imports on a Pi: 4 to 10 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the house is like when the process starts.

    stored: what the rectifier does when nobody talks to it. factory: 53.5 V and 121 %; max_v: the
    pack's voltage limit and 121 %; nothing: a current limit of 0. weak: (module index, cell) that
    is so much of the charge below the others.
    """

    config: str = "small"
    soc: float = 0.5
    temp_c: float = 18.0
    load_w: float = 600.0
    sun_w: float = 0.0
    mode: str = "auto"
    power_w: float = 0.0
    stored: str = "nothing"
    contactor: bool = False
    weak: tuple[int, int, float] | None = None
    seed: int = 1


@cache
def _plugins() -> Mapping[str, DriverPlugin]:
    return {"gpio_switch": gpio_switch.plugin, **load_plugins()}  # also before a new install


_CONTACTOR = """
  contactor:
    driver: gpio_switch
    link: relays
    line: 17
    feedback_line: 27
"""


@cache
def _loaded(config: str, contactor: bool) -> Loaded:
    """contactor: with one between battery and rectifier, fed by a heartbeat."""
    text = CONFIGS[config].read_text()
    if contactor:
        text = text.replace("links:\n", "links:\n  relays: {type: gpio, chip: gpiochip0}\n", 1)
        text = text.replace("    max_w: 2800\n", "    max_w: 2800\n    contactor: contactor\n")
        text = text.replace("devices:\n", f"devices:{_CONTACTOR}", 1)
    return load_text(text, CONFIGS[config], _plugins())


class MortalStore(MemoryStore):
    """A file of a process that may be dead: what its tasks still save then reaches nobody."""

    def __init__(self, file: MemoryStore, lives: Callable[[], bool]) -> None:
        super().__init__()
        self.values, self._file, self._lives = dict(file.values), file, lives

    def save(self, values: dict[str, Any]) -> None:
        if self._lives():
            self._file.save(values)
            super().save(values)


class Life:
    """One process: from its start to its end, however that comes."""

    def __init__(self, world: World) -> None:
        self.is_dead = False
        self._world = world
        self.links = HostLinks(world.media)
        self.app: App = build(
            _loaded(world.start.config, world.start.contactor),
            _plugins(),
            self.links,
            store=self._store("settings"),
            learned=self._store("learned"),
            outlook=self._store("outlook"),
            latched=self._store("latched"),
            memory=self._store("battery"),
            charge=self._store("charge"),
            energy=self._store("energy"),
            energy_days=self._store("energy-days"),
        )
        self.ticked_s: float | None = None
        self.stop = asyncio.Event()
        self.task: asyncio.Task[Ending] | None = None
        self.app.faults.on_event(self._told)
        self.app.site.on_decision(lambda now, _: setattr(self, "ticked_s", now.now_s))

    def _store(self, name: str) -> MemoryStore | FileStore:
        """A real file, which a test has put in the place of one, is used as it is."""
        file = self._world.stores[name]
        if isinstance(file, MemoryStore):
            return MortalStore(file, lambda: not self.is_dead)
        return file

    def begin(self) -> None:
        self.task = asyncio.create_task(self.app.run(self.stop), name="site")

    def kill(self) -> None:
        """No further byte and no last word; its tasks may run on, nobody hears them."""
        self.is_dead = True
        self.links.cut()
        self.stop.set()

    def _told(self, event: Event) -> None:
        if not self.is_dead:
            self._world.events.append(event)


@dataclass
class World:
    """Make it inside a running loop, by ``living``."""

    start: Start
    events: list[Event] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    each_step: dict[str, Callable[[], None]] = field(default_factory=dict)
    may_restart: bool = True
    hung: list[Any] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    flows: list[tuple[float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        loaded, plugins = _loaded(self.start.config, self.start.contactor), _plugins()
        kinds = {name: link.type for name, link in loaded.config.links.items()}
        self.loop: Any = asyncio.get_running_loop()
        self.loop.set_exception_handler(self._bug)
        self.media = MemoryLinks(kinds)
        self.stores: dict[str, Any] = {
            name: MemoryStore()
            for name in (
                *("settings", "learned", "outlook", "latched", "battery", "charge"),
                *("energy", "energy-days"),
            )
        }
        self.lives = [Life(self)]
        self.house = build_house(self.life.app, self._scene())
        self.twins = build_twins(loaded, plugins, self.house, self.start.seed)
        self.bench = TwinBench(self.house, self.twins, MemoryMedia(self.media), step_s=STEP_S)
        self._prepare()
        self._due_s = self.loop.time()
        self._down_since_s: float | None = None

    def _scene(self) -> Scene:
        start = self.start
        return Scene(
            load=Constant(start.load_w),
            sun=Constant(start.sun_w),
            soc=start.soc,
            temp_c=start.temp_c,
            start_h=0.0,
            seed=start.seed,
        )

    def _prepare(self) -> None:
        start, rectifier = self.start, self.twin("rectifier")
        if start.stored == "max_v":
            rectifier.registers.offline_v = 49.2
        if start.stored == "nothing":
            rectifier.registers.offline_fraction = 0.0
        if start.weak is not None:
            index, cell, lower = start.weak
            module = self.modules[index % len(self.modules)]
            self.house.pack.set_cell_soc(module, cell, start.soc - lower)
        if start.mode != "auto":
            self.life.app.site.settings.change(mode=start.mode, power_w=start.power_w)

    # --- what is there ----------------------------------------------------------------------

    @property
    def life(self) -> Life:
        """The newest process; it may be dead."""
        return self.lives[-1]

    @property
    def now_s(self) -> float:
        return self.loop.time()

    @property
    def modules(self) -> tuple[str, ...]:
        return self.house.pack.modules

    def twin(self, name: str, place: int = 0) -> Any:
        """The simulated device, without its wrapping; place counts its buses."""
        twin = self.twins[name]
        if twin.switch is not None:
            return twin.switch
        return (*twin.can.values(), *twin.serial.values(), *twin.mqtt, *twin.i2c.values())[place]

    @property
    def charger_a(self) -> float:
        """True current of the rectifier into the battery, A."""
        return -self.house.converters["rectifier"].dc_a

    @property
    def inverter_a(self) -> float:
        """True current of the inverter out of the battery, A."""
        return self.house.converters["inverter"].dc_a

    def told(self, code: str, *, since_s: float = 0.0, active: bool = True) -> list[Event]:
        return [
            e for e in self.events if e.code == code and e.active is active and e.at_s >= since_s
        ]

    # --- time -------------------------------------------------------------------------------

    async def until(self, at_s: float) -> None:
        """Let time pass; a bug in a twin or an invariant ends it."""
        rest_s = at_s - self.now_s
        if rest_s > 0.0:
            await asyncio.sleep(rest_s)
        if self._living.done():
            self._living.result()

    async def run(self) -> None:
        self.house.follow(self.loop.time)
        while True:
            self._due_s += STEP_S
            await asyncio.sleep(self._due_s - self.now_s)
            self.step()

    def step(self) -> None:
        self.bench.step()
        self.flows.append((self.now_s, self.charger_a, self.inverter_a))
        self._supervise()
        for act in list(self.each_step.values()):
            act()

    def block(self, seconds: float) -> None:
        """The whole process stands still while the world goes on; call it from a callback."""
        ends_s = self.now_s + seconds
        while self._due_s + STEP_S <= ends_s:
            self._due_s += STEP_S
            self.loop._jumping.now_s = self._due_s
            self.step()
        self.loop._jumping.now_s = max(ends_s, self.now_s)

    # --- the process ------------------------------------------------------------------------

    def kill(self) -> None:
        if not self.life.is_dead:
            self.life.kill()

    def restart(self) -> None:
        """A new process on the same wires and stores, as after a crash or a reboot."""
        self._down_since_s = None
        self.lives.append(Life(self))
        self.life.begin()

    def _supervise(self) -> None:
        """What Docker does: a process that ended by itself starts again."""
        life = self.life
        if self._down_since_s is None:
            ended = life.task is not None and life.task.done()
            if ended and not life.is_dead:
                life.kill()
                self._down_since_s = self.now_s
                self._note_end(life.task)
        elif self.may_restart and self.now_s - self._down_since_s >= RESTART_S:
            self.restart()

    def _note_end(self, task: asyncio.Task[Ending]) -> None:
        error = task.exception()
        if error is None:
            self.endings.append(task.result())
        else:
            self.bugs.append(f"the process ended with {error!r}")

    def _bug(self, _loop: object, context: dict[str, Any]) -> None:
        if not self.life.is_dead:
            error = context.get("exception")
            self.bugs.append(f"{context['message']}: {error!r}")

    def begin(self) -> None:
        self.life.begin()
        self._living = asyncio.create_task(self.run(), name="world")

    async def end(self) -> None:
        """Ends everything in order; the last process hears the twins until it is done."""
        self.may_restart = False
        release_tasks(self.hung)
        for life in self.lives:
            life.stop.set()
        await asyncio.gather(*(life.task for life in self.lives if life.task))
        self._living.cancel()
        await asyncio.gather(self._living, return_exceptions=True)
        self.bench_closed()

    def bench_closed(self) -> None:
        for plug in self.bench._plugs:
            plug.close()

    @property
    def crashed(self) -> list[Ending]:
        return [e for e in self.endings if e.code is ExitCode.CRASHED]


@asynccontextmanager
async def living(start: Start) -> AsyncIterator[World]:
    """A world from power-up; everything is ended at the end."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    world = World(start)
    world.begin()
    try:
        yield world
    finally:
        await world.end()
