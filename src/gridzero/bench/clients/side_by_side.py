"""Meter to inverter with nobody looking on and with everybody, in turns."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from gridzero.bench.clients.crowd import BROWSERS, Doors, crowd
from gridzero.bench.figures import Figure, percentile
from gridzero.bench.real_time import Rig, rig
from gridzero.bench.stopwatch import FREE_WIRE, MOST_S, Samples

RATIO_GOAL = 1.2

NOTES = f"""\
In turns: nobody beside `gridzero run --alone`; then companion (Home Assistant, history, console,
metrics), dashboard with {BROWSERS} light browsers, a console dumping a CAN bus and a subscriber of
all topics, all on this machine and at the broker inside gridzero. The ratio is of the p99 of all
rounds; median, least and worst are of the rounds' own p99. See docs/benchmarks.md."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Samples by round, and the service's CPU time in per cent of a core.

    received: what the people had got at the end of each round.
    """

    alone: list[Samples] = field(default_factory=list)
    watched: list[Samples] = field(default_factory=list)
    alone_cpu: list[float] = field(default_factory=list)
    watched_cpu: list[float] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)

    def figures(self) -> Iterator[Figure]:
        """The ratio with its goal, and what stands behind it."""
        alone, watched = _took(self.alone), _took(self.watched)
        ratio = percentile(watched, 0.99) / percentile(alone, 0.99)
        is_fit = percentile(alone, 0.99) < 1000 * MOST_S  # else more than a hundredth got lost
        title = "p99 watched / alone" if is_fit else "p99 watched / alone: too busy to judge"
        goal = RATIO_GOAL if is_fit else None
        yield Figure("clients_p99_ratio", title, ratio, "", at_most=goal)
        yield from _of("alone", "alone", self.alone)
        yield from _of("watched", "watched", self.watched)
        calm = percentile(_calm(self.watched), 0.99) / percentile(_calm(self.alone), 0.99)
        title = "  ratio of those that waited for no core"
        yield Figure("clients_undisturbed_p99_ratio", title, calm, "")
        for key, title, shares in (
            ("alone", "CPU of service and broker, alone", self.alone_cpu),
            ("watched", "CPU of service and broker, watched", self.watched_cpu),
        ):
            yield Figure(f"clients_{key}_cpu_percent", title, median(shares), "% of a core")
        yield from self._load()

    def _load(self) -> Iterator[Figure]:
        """That they did look on."""
        last = self.received[-1]
        for key, title in (
            ("browsers", "browsers"),
            ("pictures", "  pictures of the one with fewest, last round"),
            ("console", "bytes on the console, last round"),
            ("mqtt", "messages to the subscriber, last round"),
        ):
            yield Figure(f"clients_{key}", title, float(last.get(key, 0)), "")


async def measure(seconds: float, settle_s: float, rounds: int) -> SideBySide:
    """So many rounds of seconds alone and seconds watched.

    Raises DeviceError when one of the processes does not work.
    """
    found = SideBySide()
    async with rig(Doors.free) as (house, doors):
        await house.until_it_works()
        await house.settle(settle_s)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
            found.alone.append(await _timed(house, seconds, found.alone_cpu))
            async with crowd(doors, house.config) as people:
                await people.until_busy()
                await house.settle(settle_s)
                found.watched.append(await _timed(house, seconds, found.watched_cpu))
                people.check()
                found.received.append(people.received)
            house.service.check()
    return found


async def _timed(house: Rig, seconds: float, cpu: list[float]) -> Samples:
    loop = asyncio.get_running_loop()
    began_s, began_cpu_s = loop.time(), house.service.cpu_s()
    samples = await house.watch.to_wire(seconds, FREE_WIRE)
    cpu.append(100 * (house.service.cpu_s() - began_cpu_s) / (loop.time() - began_s))
    return samples


def _of(key: str, title: str, rounds: list[Samples]) -> Iterator[Figure]:
    took, waited = _took(rounds), [ms for each in rounds for ms in each.waited_ms]
    p99s = [percentile(each.took_ms, 0.99) for each in rounds]
    yield Figure(f"clients_{key}_p50_ms", f"{title}, p50", percentile(took, 0.5), "ms")
    yield Figure(f"clients_{key}_p99_ms", f"{title}, p99", percentile(took, 0.99), "ms")
    yield Figure(f"clients_{key}_p99_median_ms", "  median of rounds", median(p99s), "ms")
    yield Figure(f"clients_{key}_p99_least_ms", "  least round", min(p99s), "ms")
    yield Figure(f"clients_{key}_p99_most_ms", "  worst round", max(p99s), "ms")
    yield Figure(f"clients_{key}_messages", "  messages", len(took), "")
    wait = percentile(waited, 0.99)
    yield Figure(f"clients_{key}_core_wait_p99_ms", "  waiting for a core, p99", wait, "ms")


def _took(rounds: list[Samples]) -> list[float]:
    return [ms for each in rounds for ms in each.took_ms]


def _calm(rounds: list[Samples]) -> list[float]:
    return [ms for each in rounds for ms in each.undisturbed_ms()]
