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
from gridzero.bench.stopwatch import FREE_WIRE, Samples

RATIO_GOAL = 1.2
AT_ONCE_MS = 100.0
"""The driver repeats and the limits are checked each 250 ms: what comes sooner is an answer."""

_LEAST_SHARE = 0.5
_GIVE_UP_S = 0.3

NOTES = f"""\
In turns: nobody beside `gridzero run --alone`; then companion (Home Assistant, history, console,
metrics), dashboard with {BROWSERS} light browsers, a console dumping a CAN bus and a subscriber of
all topics, all on this machine and at the broker inside gridzero. The ratio is of the p99 of all
answers that came at once (within 100 ms; later ones are the law's second look or a repeat); median,
least and worst are of the rounds' own p99. See docs/benchmarks.md."""


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
        alone, watched = _at_once(self.alone), _at_once(self.watched)
        ratio = percentile(watched, 0.99) / percentile(alone, 0.99)
        is_fit = _share(self.alone) >= _LEAST_SHARE  # else other programs are measured
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
    samples = await house.watch.to_wire(seconds, FREE_WIRE, give_up_s=_GIVE_UP_S)
    cpu.append(100 * (house.service.cpu_s() - began_cpu_s) / (loop.time() - began_s))
    return samples


def _of(key: str, title: str, rounds: list[Samples]) -> Iterator[Figure]:
    took, all_ms = _at_once(rounds), [ms for each in rounds for ms in each.took_ms]
    waited = [ms for each in rounds for ms in each.waited_ms]
    p99s = [percentile(_at_once([each]), 0.99) for each in rounds]
    yield Figure(f"clients_{key}_p50_ms", f"{title}, p50", percentile(took, 0.5), "ms")
    yield Figure(f"clients_{key}_p99_ms", f"{title}, p99", percentile(took, 0.99), "ms")
    yield Figure(f"clients_{key}_p99_median_ms", "  median of rounds", median(p99s), "ms")
    yield Figure(f"clients_{key}_p99_least_ms", "  least round", min(p99s), "ms")
    yield Figure(f"clients_{key}_p99_most_ms", "  worst round", max(p99s), "ms")
    share = 100 * _share(rounds)
    yield Figure(f"clients_{key}_messages", "  messages", len(all_ms), "")
    yield Figure(f"clients_{key}_at_once", "  of them answered at once", share, "%")
    wait = percentile(waited, 0.99)
    yield Figure(f"clients_{key}_core_wait_p99_ms", "  waiting for a core, p99", wait, "ms")


def _at_once(rounds: list[Samples]) -> list[float]:
    """Answers to the message itself: later ones are of the law, which looks twice, or a repeat.

    All of them where none came at once.
    """
    all_ms = [ms for each in rounds for ms in each.took_ms]
    return [ms for ms in all_ms if ms < AT_ONCE_MS] or all_ms


def _share(rounds: list[Samples]) -> float:
    """Which part of the messages was answered at once, 0..1."""
    all_ms = [ms for each in rounds for ms in each.took_ms]
    return sum(ms < AT_ONCE_MS for ms in all_ms) / len(all_ms)


def _calm(rounds: list[Samples]) -> list[float]:
    calm = [ms for each in rounds for ms in each.undisturbed_ms() if ms < AT_ONCE_MS]
    return calm or _at_once(rounds)
