"""The service as a process of its own in the reference house: latency, CPU time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, Protocol, TypeVar

from gridzero.bench import reference
from gridzero.bench.figures import Figure, percentile
from gridzero.bench.media import FarMedia, ShuntFile
from gridzero.bench.process import Memory, ServiceProcess, service_process
from gridzero.bench.stopwatch import FREE_WIRE, TWICE_A_SECOND, Samples, Stopwatch
from gridzero.demo.live import free_port
from gridzero.demo.scene import build_twins
from gridzero.links.mqtt_client import RealMqtt
from gridzero.plugins import load_plugins
from gridzero.sim.twin_bench import TwinBench

LATENCY_GOAL_MS = 5.0
CPU_GOAL_PERCENT = 3.0
MEMORY_GOAL_MB = 90.0

_SERVICE = "gridzero.bench.service"
_HOST = "127.0.0.1"
_START_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class RealTime:
    """What was measured.

    wire: meter message to first byte while the wire is free. twice_a_second: the same with the
    reference house's meter. broker: from the bench to the broker and back.
    """

    wire: Samples
    twice_a_second: Samples
    broker: Samples
    cpu_percent: float
    memory: Memory

    def figures(self) -> Iterator[Figure]:
        """With the goals."""
        yield from self._latencies()
        title = "CPU of service and broker"
        cpu = self.cpu_percent
        yield Figure("cpu_percent", title, cpu, "% of a core", at_most=CPU_GOAL_PERCENT)
        memory = self.memory
        title = "memory, resident"
        yield Figure("memory_mb", title, memory.resident_mb, "MB", at_most=MEMORY_GOAL_MB)
        yield Figure("memory_own_mb", "  shared pages shared out", memory.own_mb, "MB")
        yield Figure("memory_peak_mb", "  resident, peak", memory.peak_mb, "MB")

    def _latencies(self) -> Iterator[Figure]:
        took, waited = self.wire.took_ms, self.wire.waited_ms
        broker, slow = self.broker.took_ms, self.twice_a_second.took_ms
        p99 = percentile(took, 0.99)
        title = "meter to inverter, p99"
        yield Figure("latency_p50_ms", "meter to inverter, p50", percentile(took, 0.5), "ms")
        yield Figure("latency_p99_ms", title, p99, "ms", at_most=LATENCY_GOAL_MS)
        yield Figure("latency_max_ms", "  worst", max(took), "ms")
        yield Figure("latency_messages", "  messages", len(took), "")
        title = "  waiting for a core, p99"
        yield Figure("core_wait_p99_ms", title, percentile(waited, 0.99), "ms")
        title, undisturbed = "  p99 of those that did not", self.wire.undisturbed_ms()
        yield Figure("latency_undisturbed_p99_ms", title, percentile(undisturbed, 0.99), "ms")
        yield Figure("broker_p50_ms", "to the broker and back, p50", percentile(broker, 0.5), "ms")
        yield Figure("broker_p99_ms", "to the broker and back, p99", percentile(broker, 0.99), "ms")
        yield Figure("latency_2hz_p50_ms", "meter at 2 Hz, p50", percentile(slow, 0.5), "ms")
        yield Figure("latency_2hz_p99_ms", "meter at 2 Hz, p99", percentile(slow, 0.99), "ms")


async def measure(seconds: float, settle_s: float) -> RealTime:
    """Run the service; seconds: of the latency and of the CPU measurement, each.

    Raises DeviceError with the end of the service's log when it does not work.
    """
    async with rig(_nobody) as (house, _):
        await house.until_it_works()
        await house.settle(settle_s)
        cpu_percent = await house.cpu_percent(seconds)
        memory = house.service.memory()
        broker = await house.watch.through_broker(seconds / 10)
        wire = await house.watch.to_wire(seconds, FREE_WIRE)
        twice_a_second = await house.watch.to_wire(seconds / 2, TWICE_A_SECOND)
        house.service.check()
    return RealTime(wire, twice_a_second, broker, cpu_percent, memory)


def _nobody(_mqtt: int) -> Alone:
    return Alone()


@dataclass(frozen=True, slots=True)
class Alone:
    """Nobody beside the service: no more sections in its configuration."""

    def sections(self) -> str:
        """Nothing."""
        return ""


class Beside(Protocol):
    """What the configuration says of others."""

    def sections(self) -> str:
        """YAML."""
        ...


_Others = TypeVar("_Others", bound=Beside)


@dataclass(frozen=True, slots=True)
class Rig:
    """A running service. config: its file."""

    service: ServiceProcess
    watch: Stopwatch
    config: Path

    async def settle(self, seconds: float) -> None:
        """Let pass what only happens after a start."""
        await asyncio.sleep(seconds)

    async def until_it_works(self) -> None:
        """Cells, meter and shunt are known, and the inverter is asked for power."""
        ends_s = asyncio.get_running_loop().time() + _START_LIMIT_S
        while not self.watch.demand_w:
            self.service.check()
            if asyncio.get_running_loop().time() > ends_s:
                raise self.service.trouble(f"it asks for no power within {_START_LIMIT_S:g} s")
            await asyncio.sleep(0.1)

    async def cpu_percent(self, seconds: float) -> float:
        """CPU time over time, of all threads of the service."""
        loop = asyncio.get_running_loop()
        began_s, began_cpu_s = loop.time(), self.service.cpu_s()
        await asyncio.sleep(seconds)
        return 100 * (self.service.cpu_s() - began_cpu_s) / (loop.time() - began_s)


@asynccontextmanager
async def rig(others: Callable[[int], _Others]) -> AsyncIterator[tuple[Rig, _Others]]:
    """A running service with all its devices, which outlive it to answer its stop sequences.

    others: makes, of the broker's port, what the configuration says of others.
    """
    port = free_port(0)
    beside = others(port)
    mqtt = RealMqtt(host=_HOST, port=port, name="bench", report=_untold)
    media = FarMedia(reference.CAN_LINKS, reference.SERIAL_LINK, mqtt)
    try:
        with TemporaryDirectory(prefix="gridzero-bench-") as folder:
            config = Path(folder) / "house.yaml"
            yaml = reference.text(
                config.parent, port=port, pty=media.pty.path, descriptors=media.descriptors()
            )
            config.write_text(yaml + beside.sections())
            loaded = reference.loaded(yaml)
            house = reference.house(loaded)
            bench = TwinBench(house, build_twins(loaded, load_plugins(), house, 1), media)
            shunt = ShuntFile(config.with_name("shunt"), house)
            async with (
                _running(bench.run(), shunt.run(), mqtt.run()),
                service_process(_SERVICE, config, media.descriptors().values()) as service,
            ):
                yield Rig(service, Stopwatch(media, mqtt, house, service.pid), config), beside
    finally:
        media.close()


@asynccontextmanager
async def _running(*coroutines: Coroutine[Any, Any, NoReturn]) -> AsyncIterator[None]:
    """Tasks that end with the block. Raises what one of them raised."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        yield
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()  # a bug in a twin must not pass unseen


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """The broker is not there yet when the first connection is tried."""
