"""The reference house, and the processes in it that die and come back for a month.

Everything is at the level of bytes, on in-memory wires. The house, its twins and the broker
outlive each process; a killed one is cut from all its wires and from its disk at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridzero.app import App, build
from gridzero.bench.day.truth import Truth
from gridzero.bench.soak.beside import Beside
from gridzero.bench.soak.disk import Disk, DiskStore
from gridzero.config.loader import Loaded
from gridzero.demo.scene import Scene, Watcher, build_house, build_twins
from gridzero.domain.decision import Decision
from gridzero.domain.events import Event
from gridzero.domain.snapshot import Snapshot
from gridzero.links.memory import MemoryLinks
from gridzero.ports.plugin import DriverPlugin
from gridzero.runtime.supervisor import Ending
from gridzero.sim.host_links import HostLinks
from gridzero.sim.household import Household
from gridzero.sim.sources import Sun
from gridzero.sim.twin_bench import MemoryMedia, TwinBench

STEP_S = 0.25
RESTART_S = 6.0
"""Docker, Python and the imports on a Pi: 4 to 10 s."""
MIDNIGHT_S = datetime(2027, 6, 1, tzinfo=UTC).timestamp()
_STORES = (
    *("settings", "learned", "outlook", "latched", "battery", "charge", "energy", "energy-days"),
)
_STATUS = "gridzero/status"


class Life:
    """One process of ``gridzero run``: from its start to its end, however that comes."""

    def __init__(self, world: World) -> None:
        self.links = HostLinks(world.media)
        self.is_dead = False
        self.ticked_s: float | None = None
        self.stop = asyncio.Event()
        self.task: asyncio.Task[Ending] | None = None
        self._world = world
        self._stores = {name: DiskStore(world.disk, name) for name in _STORES}
        self.app: App = self._build(world)
        self.app.faults.on_event(self._told)
        self.app.site.on_decision(self._decided)

    def _build(self, world: World) -> App:
        stores = self._stores
        return build(
            world.loaded,
            world.plugins,
            self.links,
            store=stores["settings"],
            learned=stores["learned"],
            outlook=stores["outlook"],
            latched=stores["latched"],
            memory=stores["battery"],
            charge=stores["charge"],
            energy=stores["energy"],
            energy_days=stores["energy-days"],
            utc_s=world.utc_s,
        )

    def begin(self) -> None:
        """Start it, and say that it is there, as its connection does."""
        self._world.media.broker.put(_STATUS, b"online", True)
        self.task = asyncio.create_task(self.app.run(self.stop), name="site")

    def kill(self) -> None:
        """No further byte and no last word but its will; what its tasks do now reaches nobody."""
        self.is_dead = True
        for store in self._stores.values():
            store.is_cut = True
        self.links.cut()
        self._world.media.broker.put(_STATUS, b"offline", True)
        self.stop.set()

    def _decided(self, now: Snapshot, decision: Decision) -> None:
        self.ticked_s = now.now_s
        if not self.is_dead:
            self._world.decided[decision.because.value] += 1

    def _told(self, event: Event) -> None:
        if not self.is_dead:
            self._world.hear(event)


class World:
    """Make it inside a simulated loop. folder: where the companion keeps its files."""

    def __init__(
        self,
        loaded: Loaded,
        plugins: Mapping[str, DriverPlugin],
        folder: Path,
        seed: int,
        from_s: float,
    ) -> None:
        """from_s: the time of day at which it begins."""
        self.loaded, self.plugins, self._from_s = loaded, plugins, from_s
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._bug)
        kinds = {name: link.type for name, link in loaded.config.links.items()}
        self.media, self.disk = MemoryLinks(kinds), Disk()
        self.clock_off_s = self.skipped_s = 0.0
        self.told: Counter[str] = Counter()
        self.decided: Counter[str] = Counter()
        self.bugs: list[str] = []
        self.each_step: dict[str, Callable[[], None]] = {}
        self.lives, self.restarts_asked, self.deaths = 0, 0, 0
        self.life = self._born()
        scene = Scene(
            load=Household(seed), sun=Sun(2500.0, seed=seed), start_h=from_s / 3600.0, seed=seed
        )
        self.house = build_house(self.life.app, scene)
        self.twins = build_twins(loaded, plugins, self.house, seed)
        self.bench = TwinBench(self.house, self.twins, MemoryMedia(self.media), step_s=STEP_S)
        self.truth = Truth(frozenset({"rectifier"}), step_s=STEP_S)
        self.beside = Beside(loaded, self.media.broker, folder, self.utc_s, self.disk)
        self.twin("rectifier").registers.offline_fraction = 0.0  # as docs/installation.md asks
        self._down_since_s: float | None = None
        self.may_restart = True
        self._old: list[asyncio.Task[Ending]] = []
        self._living: asyncio.Task[None] | None = None

    def _born(self) -> Life:
        self.lives += 1
        return Life(self)

    # --- what is there ----------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Simulated seconds since the beginning."""
        return self._loop.time()

    def utc_s(self) -> float:
        """The clock of the Pi, which may be off."""
        lived_s = self.now_s + self.skipped_s
        return MIDNIGHT_S + self._from_s + lived_s + self.clock_off_s

    def twin(self, name: str) -> Any:
        """The simulated device itself, with its knobs."""
        twin = self.twins[name]
        return next(
            iter((*twin.can.values(), *twin.serial.values(), *twin.mqtt, *twin.i2c.values()))
        )

    @property
    def charger_a(self) -> float:
        """True current of the rectifier into the battery, A."""
        return -self.house.converters["rectifier"].dc_a

    @property
    def inverter_a(self) -> float:
        """True current of the inverter out of the battery, A."""
        return self.house.converters["inverter"].dc_a

    def hear(self, event: Event) -> None:
        """Count what is told."""
        if event.active:
            self.told[event.code] += 1

    # --- time -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start house, process and what runs beside it."""
        self._watch()
        self.life.begin()
        self.beside.begin()
        self._living = asyncio.create_task(self._run(), name="world")

    async def until(self, at_s: float) -> None:
        """Let time pass. Raises what a twin raised."""
        if (rest_s := at_s - self.now_s) > 0.0:
            await asyncio.sleep(rest_s)
        if self._living is not None and self._living.done():
            self._living.result()

    async def _run(self) -> None:
        self.house.follow(self._loop.time)
        due_s = self.now_s
        while True:
            due_s += STEP_S
            await asyncio.sleep(due_s - self.now_s)
            self.step()

    def step(self) -> None:
        """One step of the house, and of whoever looks after the processes."""
        self.bench.step()
        self.truth.step(self.house)
        self._supervise()
        for act in list(self.each_step.values()):
            act()

    # --- processes --------------------------------------------------------------------------

    def kill(self) -> None:
        """As ``kill -9``."""
        if not self.life.is_dead:
            self.deaths += 1
            self.life.kill()
            if self.life.task is not None:
                self._old.append(self.life.task)

    def start(self) -> None:
        """A new process on the same wires and files."""
        self._old = [task for task in self._old if not task.done()]
        self._down_since_s = None
        self.life = self._born()
        self._watch()
        self.life.begin()

    def _watch(self) -> None:
        """What the battery could have done is judged with the limits of this process."""
        Watcher(self.life.app, self.house)

    def _supervise(self) -> None:
        """What Docker does: a process that ended by itself starts again."""
        life = self.life
        if self._down_since_s is None:
            if not life.is_dead and life.task is not None and life.task.done():
                self._note_end(life.task)
                life.kill()
                self._down_since_s = self.now_s
        elif self.may_restart and self.now_s - self._down_since_s >= RESTART_S:
            self.start()

    def _note_end(self, task: asyncio.Task[Ending]) -> None:
        error = task.exception()
        if error is not None:
            self.bugs.append(f"the process ended with {error!r}")
        elif task.result().code:
            self.bugs.append(f"the process ended: {task.result()}")

    def _bug(self, _loop: object, context: dict[str, Any]) -> None:
        self.bugs.append(f"{context['message']}: {context.get('exception')!r}")

    async def end(self) -> None:
        """Everything in order; the process hears the twins until it is done."""
        self.may_restart = False
        self.life.stop.set()
        tasks = [*self._old, *([self.life.task] if self.life.task else [])]
        await asyncio.gather(*tasks)
        await self.beside.end()
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
