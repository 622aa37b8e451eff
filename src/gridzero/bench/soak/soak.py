"""Day after day: troubles at random moments, a look at each day's end, and the sum of all."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import structlog

from gridzero.bench import reference
from gridzero.bench.battery.whole_truth import usable_of
from gridzero.bench.soak.growth import Sample, sample
from gridzero.bench.soak.lost import Lost
from gridzero.bench.soak.oracle import Oracle, latched
from gridzero.bench.soak.troubles import TROUBLES, Trouble
from gridzero.bench.soak.world import World
from gridzero.config.loader import Loaded
from gridzero.domain.reasons import Because
from gridzero.plugins import load_plugins

DAY_S, HOUR_S = 86_400.0, 3600.0
_SHORTEST_S = 5.0
_QUIET = 0.03  # of the day, before midnight: every sample is taken in peace
_SOON_S, _LOOK_S, _AT_LAST_S = 12.0, 5.0, 2400.0
_MORE = """
production: {topic: meterbox/solar}
prices: {import_ct: 30, export_ct: 8, import_topic: plan/import, stored_topic: plan/stored}
reference_topics: {enabled: true}
history: {raw_days: 14, minute_days: 20, max_mb: 16}
"""
_NOT_BACK = frozenset(
    {
        *(Because.METER_UNKNOWN, Because.METER_LATE, Because.METER_LOST, Because.METER_WRONG),
        *(Because.BATTERY_UNKNOWN, Because.BATTERY_STALE, Because.TEMPERATURE_UNKNOWN),
        *(Because.CELL_IMPLAUSIBLE, Because.UNEXPECTED_MODULE, Because.FAULT_LATCHED),
        *(Because.CONTACTOR_OPEN, Because.PROTECTED, Because.TRIPPED, Because.RECOVERING),
        *(Because.SHUNT_STALE, Because.CHARGER_SILENT, Because.CHARGER_ACTIVE),
        *(Because.NOT_FOLLOWING, Because.NO_INVERTER, Because.NO_CHARGER, Because.SOC_UNKNOWN),
        *(Because.MAINTENANCE, Because.MODE_OFF, Because.MODE_HOLD, Because.EV_HOLD),
    }
)
"""Reasons that no house without a trouble has for long."""


class Midnight(NamedTuple):
    """One day that is over, or what was lived of it."""

    sample: Sample
    troubles: int
    log_lines: int
    messages: int
    topics: int
    retained: int
    history_mb: float
    told: int
    soc_pct: float
    known_pct: float | None
    sigma_pct: float | None
    grid_w: float
    avoidable_kwh: float
    slowest_back_s: float
    cpu_s: float
    counters: dict[str, float]


class Soak:
    """Call ``live`` in a simulated loop.

    days: may be a part of one. hours: so many of each day are lived, then the date goes on by a
    day and life by where it was: with 2.4 hours, ten days of the calendar see one whole day with
    its sun, evening and night, and what is kept grows old in less time. modules: so many of the
    nine. from_hour: of the first day. meter_s: how often the meter speaks. a_day: troubles in 24
    lived hours. heard: called after each day; wrong: with each violation.
    """

    def __init__(
        self,
        *,
        days: float,
        hours: float,
        modules: int,
        meter_s: float,
        a_day: int,
        seed: int,
        folder: Path,
        from_hour: float = 0.0,
        heard: Callable[[Midnight], None],
        wrong: Callable[[str], None],
    ) -> None:
        self._days, self._seed, self._folder = days, seed, folder
        self._from_hour = from_hour
        self._day_s = hours * HOUR_S
        self._skip_s = 0.0 if self._day_s >= DAY_S else DAY_S
        self._a_day = max(1, round(a_day * hours / 24.0))
        self._loaded = loaded(modules, meter_s)
        self._heard, self._wrong = heard, wrong
        self.midnights: list[Midnight] = []
        self.drawn: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.log_events: Counter[str] = Counter()
        self.latched: Counter[str] = Counter()
        self.violations: list[str] = []
        self.worst_s: dict[str, float] = {}
        self.counters: dict[str, tuple[float, float]] = {}
        self.lost_kwh: dict[str, float] = {}
        self.decided: Counter[str] = Counter()
        self.lives = 0
        self.back_s: dict[str, float] = {}
        self._slowest_back_s = 0.0
        self._began_s = time.process_time()

    async def live(self) -> None:
        """The whole of it."""
        structlog.configure(
            processors=[self._count_log], wrapper_class=structlog.make_filtering_bound_logger(20)
        )
        world = World(
            self._loaded, load_plugins(), self._folder, self._seed, self._from_hour * HOUR_S
        )
        oracle = Oracle(world, self._wrong)
        lost = Lost(world)
        world.each_step |= {"oracle": oracle.step, "lost": lost.step}
        world.begin()
        try:
            await self._all_days(world, oracle)
        finally:
            await world.end()
        self._sum_up(world, oracle)
        self.lost_kwh = {counted.value: kwh for counted, kwh in lost.kwh.items()}

    def _count_log(self, _logger: object, _method: str, event: Any) -> Any:
        self.log_events[str(event.get("event"))] += 1
        raise structlog.DropEvent

    async def _all_days(self, world: World, oracle: Oracle) -> None:
        day = 0
        while day < self._days:
            end_s = min(day + 1.0, self._days) * self._day_s
            troubles = 0
            for at_s, trouble, for_s, dice in self._plan(day, end_s):
                await world.until(max(at_s, world.now_s + 30.0))
                if world.now_s + for_s < end_s - _QUIET * (end_s - day * self._day_s):
                    await self._suffer(world, oracle, trouble, for_s, dice)
                    troubles += 1
            await world.until(end_s)
            self._midnight(world, troubles)
            world.skipped_s += self._skip_s
            day += 1

    def _plan(self, day: int, end_s: float) -> Iterator[tuple[float, Trouble, float, Random]]:
        """Every trouble of the catalogue comes before one comes again."""
        begin_s = day * self._day_s
        share = (end_s - begin_s) / self._day_s
        dice = Random(f"soak/{self._seed}/{day}")
        count = max(1, round(self._a_day * share))
        moments = sorted(dice.uniform(60.0, 60.0 + 0.9 * (end_s - begin_s)) for _ in range(count))
        for number, moment in enumerate(moments):
            place = day * self._a_day + number
            trouble = self._order(place // len(TROUBLES))[place % len(TROUBLES)]
            longest_s = min(trouble.longest_s, max(2 * _SHORTEST_S, 0.1 * (end_s - begin_s)))
            yield begin_s + moment, trouble, dice.uniform(_SHORTEST_S, longest_s), dice

    def _order(self, round_: int) -> list[Trouble]:
        dice = Random(f"order/{self._seed}/{round_}")
        return dice.sample(TROUBLES, len(TROUBLES))

    async def _suffer(
        self, world: World, oracle: Oracle, trouble: Trouble, for_s: float, dice: Random
    ) -> None:
        """One trouble from its beginning until the house is held again."""
        self.drawn[trouble.name] += 1
        oracle.recent.append((trouble, float("inf")))
        trouble.act(world, dice, True)
        await world.until(world.now_s + for_s)
        trouble.act(world, dice, False)
        oracle.recent[:] = [(each, min(to_s, world.now_s)) for each, to_s in oracle.recent]
        back_s = await self._back(world)
        if back_s is None:
            oracle.say(f"not_back after {trouble.name} for {for_s:.0f} s: {_state(world)}")
        self._note_back(trouble.name, _AT_LAST_S if back_s is None else back_s)

    def _note_back(self, trouble: str, back_s: float) -> None:
        self._slowest_back_s = max(self._slowest_back_s, back_s)
        self.back_s[trouble] = max(self.back_s.get(trouble, 0.0), back_s)

    async def _back(self, world: World) -> float | None:
        """How long until it is held again, s; a latched fault is acknowledged by a person."""
        over_s = world.now_s
        await world.until(over_s + _SOON_S)
        right = 0
        while world.now_s < over_s + _AT_LAST_S:
            right = right + 1 if _is_right(world) else 0
            if right > 1:
                return world.now_s - over_s
            if waiting := latched(world):
                self.latched.update(waiting)
                world.beside.ask("acknowledge", "all")
            await world.until(world.now_s + _LOOK_S)
        return None

    def _midnight(self, world: World, troubles: int) -> None:
        books, beside = world.house.books, world.beside
        pack = world.house.pack
        battery = beside.state.get("battery") or {}
        over = Midnight(
            sample=sample(world.now_s / DAY_S),
            troubles=troubles,
            log_lines=self.log_events.total() - sum(m.log_lines for m in self.midnights),
            messages=beside.messages - sum(m.messages for m in self.midnights),
            topics=len(beside.topics),
            retained=len(world.media.broker.retained),
            history_mb=beside.size_bytes / 1e6,
            told=world.told.total() - sum(m.told for m in self.midnights),
            soc_pct=100.0 * usable_of((pack.cell_soc(m), pack.cell_ah(m)) for m in pack.modules)[0],
            known_pct=battery.get("soc_pct"),
            sigma_pct=battery.get("soc_sigma_pct"),
            grid_w=books.mean_abs_grid_w or 0.0,
            avoidable_kwh=(books.avoidable_import_wh + books.avoidable_export_wh) / 1000.0
            - sum(m.avoidable_kwh for m in self.midnights),
            slowest_back_s=self._slowest_back_s,
            cpu_s=time.process_time() - self._began_s - sum(m.cpu_s for m in self.midnights),
            counters={
                counted.value: (beside.counters.get(counted.value) or 0.0) - true_kwh
                for counted, true_kwh in world.truth.sums.items()
            },
        )
        self._slowest_back_s = 0.0
        self.midnights.append(over)
        self._heard(over)

    def _sum_up(self, world: World, oracle: Oracle) -> None:
        stored = json.loads(world.disk.files["energy"])["total"]
        self.counters = {
            counted.value: (true_kwh, stored.get(counted.value, 0.0))
            for counted, true_kwh in world.truth.sums.items()
        }
        self.told, self.lives, self.decided = world.told, world.lives, world.decided
        self.worst_s = oracle.worst_s
        self.violations = [
            *oracle.violations,
            *(f"bug: {bug}" for bug in world.bugs),
            *(f"backwards: {counter}" for counter in world.beside.backwards),
        ]


def loaded(modules: int, meter_s: float) -> Loaded:
    """The reference house with panels and prices, some of its modules, and a short history."""
    text = reference.few(modules) + _MORE
    for before, after in (
        ("expected_interval_s: 0.5", f"expected_interval_s: {meter_s:g}"),
        ("  min_discharge_w", "  protect_period_s: 0.5\n  min_discharge_w"),
    ):
        text = text.replace(before, after)
    return reference.loaded(text)


def _is_right(world: World) -> bool:
    """A process is there, and what it does has a reason that a healthy house has."""
    last = world.life.app.site.last
    return not world.life.is_dead and last is not None and last[1].because not in _NOT_BACK


def _state(world: World) -> str:
    last = world.life.app.site.last
    faults = [f"{fault.code} {fault.subject}" for fault in world.life.app.faults.active]
    why = None if last is None else last[1].because.value
    return f"grid {world.house.grid_w:.0f} W, because {why}, faults {faults}"
