"""``gridzero bench history``: what keeping a history costs, and how quickly it is read.

The reference house lives some hours in simulated time; its recorder hears every message and writes
to a real file. Then these hours are repeated until a week is full, and that week is read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from gridzero import log as logging_setup
from gridzero.bench import history_layouts, reference
from gridzero.bench.figures import Figure, machine, machine_line, percentile, table
from gridzero.config.faces import HistoryConfig
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.ear import Ear
from gridzero.outputs.history.info import Info, info_of
from gridzero.outputs.history.reader import HistoryReader, Level
from gridzero.outputs.history.recorder import Recorder
from gridzero.outputs.history.samples import DS_PER_S, Batch, Sample
from gridzero.outputs.history.store import Store
from gridzero.outputs.history.tables import RAW
from gridzero.plugins import load_plugins
from gridzero.ports.clock import LoopClock
from gridzero.sim.loop import run_simulated

T = TypeVar("T")

_BEGIN_S = 1_790_000_000.0
_DAY_S, _WEEK_S = 86_400, 7 * 86_400
_AT_ONCE = 1200
_LOOKS = 15
_GOAL_MS = 500.0
_CHART = ("grid_w", "net_load_w", "setpoint_w", "soc_pct")


def run(args: argparse.Namespace) -> int:
    """Measure and print; 0 whatever the figures say."""
    logging_setup.configure("error")
    facts = machine()
    if not args.json:
        print(machine_line(facts), flush=True)
    with TemporaryDirectory(prefix="gridzero-bench-") as folder:
        week = args.file or Path(folder) / "week.sqlite"
        figures = list(_measured(Path(folder) / "live.sqlite", week, args.hours))
    if args.json:
        plain = {figure.key: figure.to_dict() for figure in figures}
        print(json.dumps({"machine": facts, "figures": plain}, indent=1))
    else:
        print(f"\n{table(figures)}")
    return 0


def _measured(live: Path, week: Path, hours: float) -> Iterator[Figure]:
    _say(f"{hours:g} simulated hours of the reference house ...")
    disk = run_simulated(_live(live, hours))
    yield from _of_writing(disk, info_of(live), hours)
    yield from history_layouts.measure(live.parent, _samples(live))
    _say("a week of them ...")
    _repeat(live, week)
    yield from _of_reading(week)


@dataclass
class _Disk:
    """In place of the recorder's thread: counts what each call costs."""

    calls: int = 0
    bytes: int = 0
    cpu_s: float = 0.0
    took_s: list[float] = field(default_factory=list)

    async def call(self, function: Callable[[], T], *, limit_s: float) -> T:  # noqa: ARG002 - the thread's
        """See recorder.Thread."""
        bytes_before, cpu_s, began_s = _written(), time.process_time(), time.perf_counter()
        try:
            return function()
        finally:
            self.calls += 1
            self.bytes += _written() - bytes_before
            self.cpu_s += time.process_time() - cpu_s
            self.took_s.append(time.perf_counter() - began_s)


def _written() -> int:
    """Bytes that this process has handed to write(); the WAL and the file both count."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("wchar")).split()[1])


async def _live(file: Path, hours: float) -> _Disk:
    loaded, disk, clock = reference.loaded(), _Disk(), LoopClock()
    site = SimulatedSite(loaded, load_plugins(), Scene(start_h=reference.START_H - hours / 2))
    link = site.links.broker.attach()
    feed = Feed(link, clock, loaded.config.mqtt.topic_prefix)
    ear = Ear(feed, clock, lambda: _BEGIN_S + clock.now_s())
    recorder = Recorder(feed, clock, file, HistoryConfig(), ear, disk.call)
    task = asyncio.create_task(recorder.run())
    await site.run(hours * 3600)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return disk


def _of_writing(disk: _Disk, info: Info, hours: float) -> Iterator[Figure]:
    per_day = 24 / hours
    for part in info.parts:
        if part.table != "hour":  # one block a day: too few to be scaled up
            title = f"  {part.table}"
            yield Figure(f"{part.table}_kb", title, part.bytes * per_day / 1000, "kB/day")
    yield Figure("kb_per_day", "stored", info.per_day / 1000, "kB/day")
    yield Figure("written_mb", "handed to the disk", disk.bytes * per_day / 1e6, "MB/day")
    yield Figure("writes", "transactions", disk.calls / hours / 60, "a minute", at_most=4)
    yield Figure("write_cpu", "processor time", disk.cpu_s / hours / 36, "% of a core")
    slow = percentile(disk.took_s, 0.99) * 1000
    yield Figure("write_p99_ms", "a transaction, p99", slow, "ms")


def _repeat(live: Path, week: Path) -> None:
    """A week of the hours that were lived, written as the recorder would."""
    week.unlink(missing_ok=True)
    lived, store = _samples(live), Store.open(week)
    length_ds = lived[-1].at_ds - lived[0].at_ds + DS_PER_S
    moved_ds = 0
    while moved_ds < _WEEK_S * DS_PER_S:
        for begin in range(0, len(lived), _AT_ONCE):
            part = lived[begin : begin + _AT_ONCE]
            moved = [sample._replace(at_ds=sample.at_ds + moved_ds) for sample in part]
            store.write(Batch(samples=moved))
        moved_ds += length_ds
    store.close()


def _samples(file: Path) -> list[Sample]:
    with HistoryReader(file) as reader:
        found = reader.table_frames(RAW, 0, 2 * _BEGIN_S)
        return [
            Sample(at_ds, row.pop("held", 0), words.decoded(row))
            for frame, words in found
            for at_ds, row in frame.rows()
        ]


def _of_reading(week: Path) -> Iterator[Figure]:
    end_s = _BEGIN_S + _WEEK_S
    with HistoryReader(week) as reader:
        size = info_of(week).bytes / 1e6
        yield Figure("week_mb", "a week's file", size, "MB")
        looks: dict[str, Callable[[], object]] = {
            "week": lambda: reader.series(_CHART, _BEGIN_S, end_s, 1000),
            "day": lambda: reader.series(_CHART, end_s - _DAY_S, end_s, 1440),
            "two_hours": lambda: reader.series(_CHART, end_s - 7200, end_s, 1000),
            "raw_day": lambda: reader.series(_CHART, end_s - _DAY_S, end_s, 1000, Level.RAW),
            "because": lambda: reader.because_seconds(end_s - _DAY_S, end_s),
        }
        for name, look in looks.items():
            goal = _GOAL_MS if name in {"week", "day"} else None
            title = f"chart or table: {name.replace('_', ' ')}, p50"
            yield Figure(f"read_{name}_ms", title, _median_ms(look), "ms", at_most=goal)


def _median_ms(look: Callable[[], object]) -> float:
    took = []
    for _ in range(_LOOKS):
        began_s = time.perf_counter()
        look()
        took.append(time.perf_counter() - began_s)
    return percentile(took, 0.5) * 1000


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
