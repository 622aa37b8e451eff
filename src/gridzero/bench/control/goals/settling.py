"""How long a step of 400 W takes, against what the converters themselves need for it."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.metrics import avoidable_error, settlings
from gridzero.bench.control.plants import METERS, PLANTS, InverterRow, PlantRow, RectifierRow
from gridzero.bench.control.processes import spread
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import TRACES
from gridzero.control.settling import BAND_W

_MORE_S, _SEEDS = 1.0, (1, 2)
_NAMES = {"steps": "400 W step, discharging", "steps-sun": "400 W step, charging"}


class _Found(NamedTuple):
    """Means over the steps of one run, s."""

    settle_s: float
    most_s: float
    ramp_s: float
    least_s: float


def goals(jobs: int, seconds: float) -> list[Goal]:
    """A goal for either direction."""
    tasks = [(trace, seed) for trace in _NAMES for seed in _SEEDS]
    found = list(spread(partial(_run, seconds=seconds), tasks, jobs))
    each = len(_SEEDS)
    return [_goal(trace, found[at * each : (at + 1) * each]) for at, trace in enumerate(_NAMES)]


def _goal(trace: str, found: list[_Found]) -> Goal:
    settle_s, _, ramp_s, least_s = (sum(column) / len(found) for column in zip(*found, strict=True))
    most_s = max(one.most_s for one in found)
    return Goal(
        key=f"settling_{trace}",
        what=f"{_NAMES[trace]}: beyond dead time and ramp",
        value=settle_s - ramp_s,
        limit=_MORE_S,
        unit=" s",
        digits=2,
        detail=f"settles in {settle_s:.2f} s ({most_s:.1f} at most); dead time and ramp take"
        f" {ramp_s:.2f} s, or {least_s:.2f} s by way of zero where that is quicker",
    )


def _run(task: tuple[str, int], seconds: float) -> _Found:
    name, seed = task
    plant = PLANTS["house"]
    trace = TRACES[name].make(plant, seed, seconds)
    run = simulate(LAWS["gridzero"], Setting(plant, METERS["0.5s"], trace), seed)
    lasts_s = settlings(avoidable_error(run), trace.steps)
    loads_w = trace.net_load_w
    ways = [(loads_w[step - 1], loads_w[step]) for step, _ in trace.steps]
    ramps_s = [ramp_s(plant, *way) for way in ways]
    least_s = [least(plant, *way) for way in ways]
    return _Found(_mean(lasts_s), max(lasts_s), _mean(ramps_s), _mean(least_s))


def ramp_s(plant: PlantRow, from_w: float, to_w: float) -> float:
    """Dead time and ramp until the error is within the band, s; one direction, both ends running.

    No meter, no law: a command at the moment of the step.
    """
    row = _row(plant, to_w)
    rate = row.rise_w_per_s if abs(to_w) > abs(from_w) else row.fall_w_per_s
    return row.dead_s + max(0.0, abs(to_w - from_w) - BAND_W) / rate


def least(plant: PlantRow, from_w: float, to_w: float) -> float:
    """The same where an inverter may also drop to zero at once and climb again."""
    straight_s, row = ramp_s(plant, from_w, to_w), plant.inverter
    if not (0.0 < to_w < from_w and row.zero_at_once):
        return straight_s
    climb_s = max(0.0, to_w - BAND_W - row.jump_w) / row.rise_w_per_s
    return min(straight_s, row.dead_s + row.gap_s + climb_s)


def _row(plant: PlantRow, to_w: float) -> InverterRow | RectifierRow:
    return plant.rectifier if to_w < 0 and plant.rectifier else plant.inverter


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
