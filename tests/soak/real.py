"""A real hour: gridzero as people start it, on a kernel's own CAN sockets, a line and Mosquitto.

    tests/linux/guest.py --keep build/soak -- python tests/soak/real.py --minutes 60 --keep build/soak

Runs inside the guest of tests/linux/guest.py, as root. Each minute something breaks. Prints when it
was noticed, when power was zero, when it healed, and how the processes grew. Exit code 1: a limit was
broken, a counter fell, something did not heal in time, or a process grew too much.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from real_house import CABLES, RealHouse, Watch, lay_cable
from real_processes import MOSQUITTO, Broker, Gridzero, Size, size_of
from real_troubles import AGAIN, ONCE, Site, Trouble

from gridzero.bench.soak.growth import slope

LOOK_S, SIZES_S, MINUTE_S = 0.1, 10.0, 60.0
START_LIMIT_S, BACK_LIMIT_S = 90.0, 100.0
SLACK_S = 4.0
"""Of the goals, for a machine with other work; the table shows what was seen."""
WARM_S, WARM_SHARE = 120.0, 0.5
"""A process is judged by the second half of its life: caches and Python's own pools fill first."""
MOST_KB_PER_MIN = {True: 60.0, False: 400.0}
"""By whether there were 20 minutes to look at; less says only that nothing runs away."""
LONG_MIN = 20.0
HIGHEST_V, LOWEST_V = 4.10, 3.15


class Result(NamedTuple):
    """What was seen of one trouble, all in s; None: not seen. wrong: what must not be."""

    name: str
    noticed_s: float | None
    zero_s: float | None
    healed_s: float | None
    power_s: float | None
    wrong: str


class RealSoak:
    """One site, for so many minutes."""

    def __init__(self, site: Site, watch: Watch, curves: Path) -> None:
        """curves: a file that gets a line for each look at a process."""
        self.site, self.watch = site, watch
        self._curves = curves
        curves.write_text(",".join(("process", *Size._fields)) + "\n", encoding="ascii")
        self.results: list[Result] = []
        self.sizes: dict[str, list[Size]] = {"gridzero run": [], "companion": [], "mosquitto": []}
        self._sized_s = 0.0
        self._heard: list[tuple[float, str]] = []

    async def live(self, minutes: float) -> None:
        begin_s = time.monotonic()
        self.site.broker.start()
        self.site.gridzero.start()
        if await self._power(begin_s, START_LIMIT_S) is None:
            self.results.append(Result("start", None, None, None, None, "no power"))
            return
        troubles = [*ONCE, *(AGAIN * 100)]
        for minute in range(round(minutes)):
            await self._rest(begin_s + minute * MINUTE_S)
            self.results.append(await self._suffer(troubles[minute]))
            print(_row(self.results[-1]), flush=True)
        await self._rest(begin_s + round(minutes) * MINUTE_S)

    async def _suffer(self, trouble: Trouble) -> Result:
        """Begin, wait, end, and see it heal; a trouble that lasts must wait for what it does."""
        self._heard.clear()
        is_charging = self.site.house.house.battery_w < 0.0
        limit_s = trouble.charge_zero_s if is_charging else trouble.zero_s
        for_s = max(trouble.for_s, (limit_s or 0.0) + 2.0)
        begin_s = time.monotonic()
        trouble.begin(self.site)
        await self._rest(begin_s + for_s)
        zero_s = self._zero(begin_s)
        end_s = time.monotonic()
        trouble.end(self.site)
        power_s = await self._power(end_s, BACK_LIMIT_S)
        healed_s = await self._until(trouble.healed, end_s)
        noticed_s = self._first(trouble.noticed, begin_s)
        wrong = _wrong(trouble, limit_s, noticed_s, zero_s, healed_s, power_s)
        return Result(trouble.name, noticed_s, zero_s, healed_s, power_s, wrong)

    def _zero(self, begin_s: float) -> float | None:
        """How long power went on; None: it still does."""
        now_s = time.monotonic()
        is_flowing = now_s - self.watch.flowed_s < 2 * LOOK_S
        return None if is_flowing else max(0.0, self.watch.flowed_s - begin_s)

    async def _power(self, since_s: float, limit_s: float) -> float | None:
        """When power flows (again) for a second; at once where it never ended."""
        while time.monotonic() < since_s + limit_s:
            await self._look()
            if time.monotonic() - self.watch.rested_s > 1.0:
                return max(0.0, self.watch.rested_s - since_s)
        return None

    async def _until(self, words: tuple[str, ...], since_s: float) -> float | None:
        while words and time.monotonic() < since_s + BACK_LIMIT_S:
            if (found := self._first(words, since_s)) is not None:
                return found
            await self._look()
        return None

    def _first(self, words: tuple[str, ...], since_s: float) -> float | None:
        found = (at_s for at_s, word in self._heard if word in words and at_s >= since_s)
        return next((at_s - since_s for at_s in found), None)

    async def _rest(self, until_s: float) -> None:
        while time.monotonic() < until_s:
            await self._look()

    async def _look(self) -> None:
        await asyncio.sleep(LOOK_S)
        self.watch.look()
        now_s = time.monotonic()
        self._heard += [(now_s, str(line.get("event"))) for line in self.site.gridzero.news()]
        if now_s - self._sized_s >= SIZES_S:
            self._sized_s = now_s
            self._size()

    def _size(self) -> None:
        pids = {
            "gridzero run": self.site.gridzero.pid,
            "companion": self.site.gridzero.companion,
            "mosquitto": self.site.broker.pid,
        }
        for name, pid in pids.items():
            if pid is not None and (size := size_of(pid)) is not None:
                self.sizes[name].append(size)
                with self._curves.open("a", encoding="ascii") as curves:
                    curves.write(",".join((name, *(f"{value:g}" for value in size))) + "\n")


def _wrong(
    trouble: Trouble,
    limit_s: float | None,
    noticed_s: float | None,
    zero_s: float | None,
    healed_s: float | None,
    power_s: float | None,
) -> str:
    if limit_s is not None and (zero_s is None or zero_s > limit_s):
        return f"power went on for more than {limit_s:g} s"
    if trouble.noticed and noticed_s is None:
        return "not told"
    if power_s is None:
        return f"no power {BACK_LIMIT_S:g} s after it"
    if trouble.heals_s is not None and (healed_s is None or healed_s > trouble.heals_s + SLACK_S):
        return f"not healed within {trouble.heals_s:g} s"
    return ""


def _row(result: Result) -> str:
    times = (result.noticed_s, result.zero_s, result.healed_s, result.power_s)
    shown = "".join(f"{'-' if at_s is None else f'{at_s:.1f} s':>10}" for at_s in times)
    return f"{result.name:<28}{shown}  {result.wrong}"


def _warm(sizes: list[Size]) -> list[Size]:
    """The newest process of these, from the middle of its life on."""
    newest = [size for size in sizes if size.pid == sizes[-1].pid]
    if not newest:
        return []
    begin_s, end_s = newest[0].at_s, newest[-1].at_s
    warm_s = begin_s + max(WARM_S, WARM_SHARE * (end_s - begin_s))
    return [size for size in newest if size.at_s > warm_s]


def _growth(all_sizes: dict[str, list[Size]]) -> list[str]:
    """Prints a line a process; returns what grew too much."""
    wrong = []
    for name, sizes in all_sizes.items():
        if not (warm := _warm(sizes)):
            continue
        minutes = [size.at_s / MINUTE_S for size in warm]
        rise = slope(minutes, [size.resident_kb for size in warm])
        long_min, last = minutes[-1] - minutes[0], warm[-1]
        cpu = (last.cpu_s - warm[0].cpu_s) / max(last.at_s - warm[0].at_s, 1.0)
        print(
            f"{name:<14}{last.resident_kb / 1024:7.1f} MB  {rise.per_day:+7.1f} +- "
            f"{rise.error:.1f} kB/min over {long_min:.0f} min  threads {warm[0].threads} -> "
            f"{last.threads}  fds {warm[0].descriptors} -> {last.descriptors}  "
            f"{100 * cpu:.1f} % of a core"
        )
        if rise.per_day - 2.0 * rise.error > MOST_KB_PER_MIN[long_min >= LONG_MIN]:
            wrong.append(f"{name} grows by {rise.per_day:.0f} kB a minute")
        if last.descriptors > warm[0].descriptors + 10 or last.threads > warm[0].threads + 8:
            wrong.append(f"{name} gathers descriptors or threads")
    return wrong


def _judged(soak: RealSoak, code: int) -> list[str]:
    house = soak.site.house
    highest_v, lowest_v = soak.watch.worst_cell_v
    wrong = [f"{result.name}: {result.wrong}" for result in soak.results if result.wrong]
    wrong += [f"counter backwards: {each}" for each in house.backwards]
    if highest_v > HIGHEST_V or lowest_v < LOWEST_V:
        wrong.append(f"cells from {lowest_v:.3f} to {highest_v:.3f} V")
    if soak.site.gridzero.tracebacks:
        wrong.append(f"{soak.site.gridzero.tracebacks} tracebacks in the log")
    if code:
        wrong.append(f"exit code {code}")
    if not house.counters:
        wrong.append("no counters were told")
    return wrong


async def run(minutes: float, folder: Path) -> int:
    """The whole of it; the exit code."""
    for link in CABLES:
        lay_cable(link)
    house = RealHouse(folder)
    soak = RealSoak(
        Site(house, Broker(folder), Gridzero(house.config)),
        Watch(house.house, time.monotonic),
        folder / "sizes.csv",
    )
    living = asyncio.create_task(house.run())
    print(f"{'':28}{'noticed':>10}{'zero':>10}{'healed':>10}{'power':>10}")
    try:
        await soak.live(minutes)
        code = await asyncio.to_thread(soak.site.gridzero.end)
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
        soak.site.broker.end()
    wrong = [*_judged(soak, code), *_growth(soak.sizes)]
    own = size_of(1) and time.process_time()
    print(
        f"{minutes:g} minutes, {len(soak.results)} troubles; the twins took {own or 0:.0f} s of CPU"
    )
    print("\n".join(f"BROKEN: {each}" for each in wrong) or "all holds")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--keep", type=Path, required=True, help="folder for logs and state")
    asked = parser.parse_args()
    if os.environ.get("GRIDZERO_GUEST") != "1":
        print("only for a guest of tests/linux/guest.py: it makes interfaces and turns the clock")
        return 2
    if not MOSQUITTO.exists():
        print(f"skipped: there is no {MOSQUITTO} (make mosquitto)")
        return 0
    asked.keep.mkdir(parents=True, exist_ok=True)
    return asyncio.run(run(asked.minutes, asked.keep.resolve()))


if __name__ == "__main__":
    sys.exit(main())
