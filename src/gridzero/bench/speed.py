"""How fast a house passes in simulated time, with every byte on every wire."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

from gridzero.bench import reference
from gridzero.bench.figures import Figure
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.plugins import load_plugins
from gridzero.sim.loop import SimulatedLoop

GOAL = 300.0


def measure(minutes: float) -> Iterator[Figure]:
    """Simulate the reference house for so many minutes, in this process."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        gc.collect()
        gc.freeze()  # as the demo does: what is there now stays
        try:
            by_clock, by_cpu = runner.run(_speeds(60 * minutes))
        finally:
            gc.unfreeze()
    title = f"simulated house, {minutes:g} min"
    yield Figure("simulation_speed", title, by_clock, "x real time", at_least=GOAL)
    yield Figure("simulation_cpu_speed", "  by the CPU time it took", by_cpu, "x real time")


async def _speeds(seconds: float) -> tuple[float, float]:
    """Against the clock on the wall, and against CPU time, which other programs do not disturb."""
    site = SimulatedSite(reference.loaded(), load_plugins(), Scene(start_h=reference.START_H))
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    await site.run(seconds)
    lived_s = site.house.books.seconds
    return (
        lived_s / (time.perf_counter() - began_s),
        lived_s / (time.process_time() - began_cpu_s),
    )
