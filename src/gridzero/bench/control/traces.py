"""Net loads (load minus sun, W) over time: built in, or from the simulated family."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.plants import PlantRow
from gridzero.sim.household import Household, Pulse, washing_machine
from gridzero.sim.sources import Constant, PowerSource, Sun

HOUR_S = 3600.0
_REST_STEPS = round(20.0 / STEP_S)


@dataclass(frozen=True, slots=True)
class Trace:
    """net_load_w[k]: W at k x STEP_S.

    steps: where the load jumps and then rests for long enough to be settled on: pairs of
    (first index, index of the next change).
    """

    name: str
    net_load_w: array[float]
    steps: tuple[tuple[int, int], ...] = ()

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.net_load_w) * STEP_S


Maker = Callable[[PlantRow, int, float], Trace]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """make: (plant, seed, seconds) -> the trace; the plant sets what is a large load."""

    name: str
    summary: str
    make: Maker
    seconds: float = 1800.0


def _from_levels(
    name: str, levels: Iterable[tuple[float, float]], seconds: float, *, settles: bool = False
) -> Trace:
    """levels: (how long s, W), as many as needed."""
    powers_w: array[float] = array("d")
    edges = [0]
    wanted = round(seconds / STEP_S)
    for lasts_s, power_w in levels:
        count = min(round(lasts_s / STEP_S), wanted - len(powers_w))
        powers_w.extend(array("d", [power_w]) * count)
        edges.append(len(powers_w))
        if len(powers_w) >= wanted:
            break
    rests = pairwise(edges[1:] if len(edges) > 2 else edges)  # the start from rest is no step
    steps = tuple(rest for rest in rests if settles and rest[1] - rest[0] >= _REST_STEPS)
    return Trace(name, powers_w, steps)


def dice_of(*words: object) -> Random:
    """A generator of its own for each purpose and seed."""
    return Random("/".join(map(str, words)))


@dataclass(frozen=True, slots=True)
class Level:
    """Always the same power."""

    name: str
    power_w: float

    def __call__(self, _plant: PlantRow, _seed: int, seconds: float) -> Trace:
        """A Maker."""
        return _from_levels(self.name, [(seconds, self.power_w)], seconds, settles=True)


@dataclass(frozen=True, slots=True)
class Steps:
    """Two levels in turn, each for rest_s and up to 1 s more, so that any meter phase is met."""

    name: str
    low_w: float
    high_w: float
    rest_s: float = 40.0

    def __call__(self, _plant: PlantRow, seed: int, seconds: float) -> Trace:
        """A Maker."""
        return _from_levels(self.name, self._levels(seed), seconds, settles=True)

    def _levels(self, seed: int) -> Iterator[tuple[float, float]]:
        dice = dice_of(self.name, seed)
        while True:
            yield self.rest_s + dice.randrange(10) * STEP_S, self.low_w
            yield self.rest_s + dice.randrange(10) * STEP_S, self.high_w


def _random_level(plant: PlantRow, dice: Random) -> float:
    """20 to 80 % of what a converter can, surplus or deficit (deficit only without rectifier)."""
    surplus = plant.charge_w > 0 and dice.random() < 0.5
    return dice.uniform(0.2, 0.8) * (-plant.charge_w if surplus else plant.discharge_w)


def _random(plant: PlantRow, seed: int, seconds: float) -> Trace:
    dice = dice_of("random", seed)

    def levels() -> Iterator[tuple[float, float]]:
        while True:
            yield dice.uniform(10.0, 60.0), _random_level(plant, dice)

    return _from_levels("random", levels(), seconds)


@dataclass(frozen=True, slots=True)
class _Hob:
    """1.5 kW for 6 of 15 s on top of a base."""

    name: str
    base_w: float

    def __call__(self, _plant: PlantRow, _seed: int, seconds: float) -> Trace:
        return _from_levels(self.name, self._levels(), seconds)

    def _levels(self) -> Iterator[tuple[float, float]]:
        yield 20.0, self.base_w
        while True:
            yield 6.0, self.base_w + 1500.0
            yield 9.0, self.base_w


def _ramps(plant: PlantRow, seed: int, seconds: float) -> Trace:
    """From one random level to the next at 5 to 60 W/s, with rests of up to 20 s."""
    dice = dice_of("ramps", seed)

    def levels() -> Iterator[tuple[float, float]]:
        here_w = _random_level(plant, dice)
        while True:
            yield dice.uniform(0.0, 20.0), here_w
            to_w, pace_w = _random_level(plant, dice), dice.uniform(5.0, 60.0) * STEP_S
            for _ in range(int(abs(to_w - here_w) / pace_w)):
                here_w += pace_w if to_w > here_w else -pace_w
                yield STEP_S, here_w

    return _from_levels("ramps", levels(), seconds)


def _washing(_plant: PlantRow, seed: int, seconds: float) -> Trace:
    """One washing machine from its start, on 150 W."""
    pulses = list(washing_machine(dice_of("washing", seed)))
    start_s = min(pulse.start_s for pulse in pulses) - 30.0
    return Trace("washing", _pulses(pulses, start_s, seconds, base_w=150.0))


def _pulses(
    pulses: Iterable[Pulse], start_s: float, seconds: float, *, base_w: float
) -> array[float]:
    wanted = round(seconds / STEP_S)
    change = [0.0] * (wanted + 1)
    change[0] = base_w
    for pulse in pulses:
        on = round((pulse.start_s - start_s) / STEP_S)
        off = on + round(pulse.seconds / STEP_S)
        change[min(max(on, 0), wanted)] += pulse.power_w
        change[min(max(off, 0), wanted)] -= pulse.power_w
    return array("d", list(accumulate(change))[:wanted])


@dataclass(frozen=True, slots=True)
class _Family:
    """The simulated household. peak_w: of the simulated sun; constant_w: of one that never sets."""

    name: str
    start_h: float
    peak_w: float = 0.0
    constant_w: float = 0.0

    def __call__(self, _plant: PlantRow, seed: int, seconds: float) -> Trace:
        sun = Sun(self.peak_w, seed=seed) if self.peak_w else Constant(self.constant_w)
        start_s = self.start_h * HOUR_S
        return sampled(self.name, Household(seed), sun, seconds, start_s=start_s)


def sampled(
    name: str, load: PowerSource, sun: PowerSource, seconds: float, *, start_s: float = 0.0
) -> Trace:
    """Load minus sun at every step."""
    times_s = (start_s + step * STEP_S for step in range(round(seconds / STEP_S)))
    return Trace(name, array("d", [load.power_w(t) - sun.power_w(t) for t in times_s]))


TRACES: dict[str, TraceRow] = {
    row.name: row
    for row in (
        TraceRow("constant", "400 W", Level("constant", 400.0), 600.0),
        TraceRow("steps", "200 and 600 W in turn, about 40 s each", Steps("steps", 200.0, 600.0)),
        TraceRow(
            "steps-sun",
            "400 and 800 W of surplus in turn, about 40 s each",
            Steps("steps-sun", -400.0, -800.0),
        ),
        TraceRow("random", "20 to 80 % of charge or discharge power for 10 to 60 s", _random),
        TraceRow("hob", "induction: 1.5 kW for 6 of 15 s, on 250 W", _Hob("hob", 250.0)),
        TraceRow("hob-sun", "the same with 1 kW of sun: +-750 W", _Hob("hob-sun", -750.0)),
        TraceRow("ramps", "clouds: between random levels at 5 to 60 W/s", _ramps),
        TraceRow("washing", "a washing machine on 150 W", _washing, 4500.0),
        TraceRow("evening", "the simulated family from 17:30", _Family("evening", 17.5), 7200.0),
        TraceRow(
            "midday",
            "the simulated family and 3 kW of sun from 11:00",
            _Family("midday", 11.0, peak_w=3000.0),
            7200.0,
        ),
        TraceRow(
            "stress",
            "the simulated family from 17:30 less 1 kW of constant sun: both directions",
            _Family("stress", 17.5, constant_w=1000.0),
            7200.0,
        ),
    )
}
