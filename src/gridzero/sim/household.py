"""A made-up family: appliances that switch as real ones do, drawn from a seed.

Each appliance is a function that lays out its pulses of one day. Figures are typical name-plate
and duty values (a kettle of 2 kW, a drum that reverses every 16 s, a hob that cycles every few
seconds), chosen for a mean of about 400 W with the steps that a zero-export law finds hard.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

from gridzero.sim.sources import DAY_S

HOUR_S = 3600.0


class Pulse(NamedTuple):
    """One appliance draws power_w from start_s (s of the day) for so many seconds."""

    start_s: float
    seconds: float
    power_w: float


Appliance = Callable[[Random], Iterator[Pulse]]


def standby(dice: Random) -> Iterator[Pulse]:
    """Router, heating pump, ventilation: 115 W that never rest, and a few W of flicker."""
    yield Pulse(0.0, DAY_S, 115.0)
    at_s = 0.0
    while at_s < DAY_S:
        seconds = min(dice.uniform(5.0, 60.0), DAY_S - at_s)
        yield Pulse(at_s, seconds, dice.uniform(0.0, 12.0))
        at_s += seconds


def fridge(dice: Random) -> Iterator[Pulse]:
    """A compressor of 85 W for a third of the time, with half a second of inrush."""
    at_s = dice.uniform(0.0, 1500.0)
    while at_s < DAY_S - 1500.0:
        run_s = dice.uniform(700.0, 1100.0)
        yield Pulse(at_s, 0.5, 500.0)
        yield Pulse(at_s, run_s, dice.uniform(80.0, 90.0))
        at_s += run_s + dice.uniform(1500.0, 2400.0)


def kettle(dice: Random) -> Iterator[Pulse]:
    """Tea: 2 kW for one to three minutes, some seven times a day."""
    for hour in (6.6, 7.4, 10.2, 13.3, 16.0, 17.5, 20.4):
        yield Pulse(_near(dice, hour, 0.5), dice.uniform(60.0, 190.0), dice.uniform(1950.0, 2050.0))


def microwave(dice: Random) -> Iterator[Pulse]:
    """1.25 kW in bursts of the magnetron; a low setting pauses between them."""
    for hour in (7.1, 12.6, 18.3, 19.1):
        start_s, burst_s = _near(dice, hour, 0.4), dice.choice((8.0, 14.0, 22.0))
        for burst in range(dice.randint(3, 7)):
            yield Pulse(start_s + burst * 22.0, burst_s, 1250.0)


def washing_machine(dice: Random) -> Iterator[Pulse]:
    """Heats with 2 kW, then turns the drum to and fro for half an hour, then spins."""
    start_s = _near(dice, dice.choice((9.0, 11.0, 15.5)), 0.7)
    yield Pulse(start_s, 4500.0, 8.0)
    yield Pulse(start_s + 240.0, dice.uniform(700.0, 1100.0), 2000.0)
    for turn in range(200):
        yield Pulse(start_s + 120.0 + turn * 16.0, 11.0, dice.uniform(140.0, 230.0))
    for seconds, power_w in ((40.0, 220.0), (90.0, 380.0), (240.0, 520.0)):
        yield Pulse(start_s + 3400.0 + 2.0 * seconds, seconds, power_w)


def tumble_dryer(dice: Random) -> Iterator[Pulse]:
    """A heat pump of 750 W, and a drum of 200 W that stops to reverse."""
    start_s, seconds = _near(dice, 14.0, 1.0), dice.uniform(4000.0, 6000.0)
    yield Pulse(start_s + 20.0, seconds, 750.0)
    for turn in range(int(seconds / 125.0)):
        yield Pulse(start_s + turn * 125.0, 120.0, 200.0)


def dishwasher(dice: Random) -> Iterator[Pulse]:
    """A pump of 60 W and two heating spells of 1.9 kW."""
    start_s = _near(dice, 20.2, 0.5)
    yield Pulse(start_s, 5400.0, 60.0)
    yield Pulse(start_s + 420.0, dice.uniform(600.0, 900.0), 1900.0)
    yield Pulse(start_s + 3600.0, dice.uniform(500.0, 700.0), 1900.0)


def oven(dice: Random) -> Iterator[Pulse]:
    """2.3 kW until it is hot, then a thermostat that goes on for a third of the time."""
    start_s = _near(dice, 17.9, 0.4)
    at_s, end_s = start_s, start_s + dice.uniform(2100.0, 3000.0)
    on_s = dice.uniform(420.0, 600.0)
    while at_s < end_s:
        yield Pulse(at_s, on_s, 2300.0)
        at_s += on_s + dice.uniform(70.0, 110.0)
        on_s = dice.uniform(30.0, 50.0)


def induction_hob(dice: Random) -> Iterator[Pulse]:
    """1.6 kW at full, then cycling every few seconds; at noon and in the evening."""
    for hour in (12.1, 18.1):
        start_s, period_s = _near(dice, hour, 0.3), dice.uniform(4.0, 9.0)
        boil_s = dice.uniform(180.0, 420.0)
        yield Pulse(start_s, boil_s, 1600.0)
        for cycle in range(int(dice.uniform(600.0, 1200.0) / period_s)):
            yield Pulse(start_s + boil_s + cycle * period_s, period_s * 0.45, 1600.0)


def lights(dice: Random) -> Iterator[Pulse]:
    """Rooms that are lit in the morning and the evening."""
    for _ in range(9):
        yield Pulse(_near(dice, 6.8, 0.5), dice.uniform(600.0, 5400.0), dice.uniform(10.0, 35.0))
        yield Pulse(_near(dice, 18.6, 1.2), dice.uniform(3600.0, 15000.0), dice.uniform(10.0, 40.0))


def screens(dice: Random) -> Iterator[Pulse]:
    """A desk computer during the day, a television that flickers in the evening."""
    yield Pulse(_near(dice, 9.0, 0.5), dice.uniform(4.0, 8.0) * HOUR_S, dice.uniform(60.0, 110.0))
    start_s, end_s = _near(dice, 19.6, 0.5), _near(dice, 22.6, 0.5)
    yield Pulse(start_s, end_s - start_s, 85.0)
    at_s = start_s
    while at_s < end_s:
        seconds = dice.uniform(3.0, 40.0)
        yield Pulse(at_s, seconds, dice.uniform(0.0, 30.0))
        at_s += seconds


APPLIANCES: tuple[Appliance, ...] = (
    standby,
    fridge,
    kettle,
    microwave,
    washing_machine,
    tumble_dryer,
    dishwasher,
    oven,
    induction_hob,
    lights,
    screens,
)


class Household:
    """A PowerSource: the same seed lives the same days, each day a little different."""

    def __init__(self, seed: int = 1, appliances: tuple[Appliance, ...] = APPLIANCES) -> None:
        self._seed = seed
        self._appliances = appliances
        self._edges_s: list[float] = [0.0]
        self._levels_w: list[float] = [0.0]
        self._day: int | None = None
        self._from_s = self._until_s = self._level_w = 0.0

    def power_w(self, at_s: float) -> float:
        """W at this moment, s from midnight of the first day."""
        if not self._from_s <= at_s < self._until_s:
            self._seek(at_s)
        return self._level_w

    def pulses(self, day: int) -> list[Pulse]:
        """What all appliances do on one day; some run on past midnight."""
        return [
            pulse
            for appliance in self._appliances
            for pulse in appliance(Random(f"{appliance.__name__}/{self._seed}/{day}"))
        ]

    def _seek(self, at_s: float) -> None:
        day = int(at_s // DAY_S)
        if day != self._day:
            self._lay_out(day)
        place = bisect_right(self._edges_s, at_s) - 1
        self._from_s, self._until_s = self._edges_s[place], self._edges_s[place + 1]
        self._level_w = self._levels_w[place]

    def _lay_out(self, day: int) -> None:
        """Add up the pulses of one day and what is left over from the day before."""
        first_s, end_s = day * DAY_S, (day + 1) * DAY_S
        changes: dict[float, float] = {first_s: 0.0, end_s: 0.0}
        for which in (day - 1, day):
            for start_s, seconds, power_w in self.pulses(which):
                on_s = max(which * DAY_S + start_s, first_s)
                off_s = min(which * DAY_S + start_s + seconds, end_s)
                if off_s > on_s:
                    changes[on_s] = changes.get(on_s, 0.0) + power_w
                    changes[off_s] = changes.get(off_s, 0.0) - power_w
        self._day = day
        self._edges_s = sorted(changes)
        self._levels_w = list(accumulate(changes[edge] for edge in self._edges_s))


def _near(dice: Random, hour: float, spread_h: float) -> float:
    """A moment of the day, s, about this hour, never before midnight."""
    return max(hour + dice.uniform(-spread_h, spread_h), 0.0) * HOUR_S
