"""The same code, drivers and bytes in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from gridzero.app import App, build
from gridzero.config.loader import Loaded
from gridzero.demo.scene import Scene, Watcher, build_house, build_twins
from gridzero.links.memory import MemoryLinks
from gridzero.ports.plugin import DriverPlugin
from gridzero.ports.twins import DeviceTwin
from gridzero.runtime.stores import MemoryStore, QuickStore, Store
from gridzero.runtime.supervisor import Ending, Service
from gridzero.sim.house import House
from gridzero.sim.twin_bench import MemoryMedia, TwinBench


class SimulatedSite:
    """A configured site on in-memory links with every device's twin. Needs a running loop."""

    def __init__(
        self,
        loaded: Loaded,
        plugins: Mapping[str, DriverPlugin],
        scene: Scene | None = None,
        learned: Store | None = None,
        outlook: Store | None = None,
        latched: Store | None = None,
        memory: Store | None = None,
        settings: QuickStore | None = None,
        energy: MemoryStore | None = None,
        charge: Store | None = None,
    ) -> None:
        """Learned, outlook, latched, memory, settings, energy, charge: what an earlier life left.

        Default: nothing.
        """
        scene = scene or Scene()
        kinds = {name: link.type for name, link in loaded.config.links.items()}
        self.links = MemoryLinks(kinds)
        self.app: App = build(
            loaded,
            plugins,
            self.links,
            store=settings or MemoryStore(),
            learned=learned or MemoryStore(),
            outlook=outlook or MemoryStore(),
            latched=latched or MemoryStore(),
            memory=memory or MemoryStore(),
            charge=charge or MemoryStore(),
            energy=energy or MemoryStore(),
            energy_days=MemoryStore(),
        )
        self.house: House = build_house(self.app, scene)
        self.twins: dict[str, DeviceTwin] = build_twins(loaded, plugins, self.house, scene.seed)
        self.bench = TwinBench(self.house, self.twins, MemoryMedia(self.links))
        self.watcher = Watcher(self.app, self.house)
        self.stop = asyncio.Event()
        self._first_bug: BaseException | None = None

    async def run(self, seconds: float | None = None, extra: tuple[Service, ...] = ()) -> Ending:
        """Live for so many seconds, or until ``stop`` is set; ends through the safe shutdown.

        The twins outlive the site, so that its stop sequences are answered.
        """
        asyncio.get_running_loop().set_exception_handler(self._bug)
        bench = asyncio.create_task(self.bench.run(), name="twin bench")
        bench.add_done_callback(lambda _: self.stop.set())
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self.stop.set)
        try:
            ending = await self.app.run(self.stop, extra)
        finally:
            if bench.done():
                bench.result()  # a bug in a twin must not pass unseen
            bench.cancel()
            await asyncio.gather(bench, return_exceptions=True)
        if self._first_bug is not None:
            raise self._first_bug
        return ending

    def _bug(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception in a receive callback: real links end their task with it, this the run."""
        error = context.get("exception")
        self._first_bug = self._first_bug or error or RuntimeError(context["message"])
        self.stop.set()
