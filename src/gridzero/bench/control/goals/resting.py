"""What is left of the grid power while the load does not change."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import NamedTuple

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.processes import spread
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import Level

_LOADS_W = (60.0, 400.0, 800.0, -200.0, -900.0, -2500.0)
_LIMIT_W, _SECONDS, _FROM = 1.0, 600.0, round(180.0 / STEP_S)


class _Rest(NamedTuple):
    """mean_w: signed, > 0 import. size_w: mean of its absolute value."""

    mean_w: float
    size_w: float


def goals(jobs: int) -> list[Goal]:
    """Without noise its size counts, with noise its mean."""
    tasks = list(product(("exact", "0.5s"), _LOADS_W))
    found = dict(zip(tasks, spread(_run, tasks, jobs), strict=True))
    exact = {load_w: found["exact", load_w] for load_w in _LOADS_W}
    noisy = {load_w: found["0.5s", load_w] for load_w in _LOADS_W}
    goal = partial(Goal, limit=_LIMIT_W, unit=" W", digits=2)
    return [
        goal(
            key="resting",
            what="mean |grid| at constant load, exact meter",
            value=max(rest.size_w for rest in exact.values()),
            detail=_told({load_w: rest.size_w for load_w, rest in exact.items()}),
        ),
        goal(
            key="resting_noise",
            what="|mean grid| at constant load, 2 W of meter noise",
            value=max(abs(rest.mean_w) for rest in noisy.values()),
            detail=_told({load_w: rest.mean_w for load_w, rest in noisy.items()}),
        ),
    ]


def _told(values_w: dict[float, float]) -> str:
    return ", ".join(f"{load_w:g} W: {value_w:.2f}" for load_w, value_w in values_w.items())


def _run(task: tuple[str, float]) -> _Rest:
    meter, load_w = task
    plant = PLANTS["house"]
    trace = Level("level", load_w)(plant, 1, _SECONDS)
    run = simulate(LAWS["gridzero"], Setting(plant, METERS[meter], trace), seed=1)
    grid_w = [load_w - own_w for own_w in run.battery_w[_FROM:]]
    return _Rest(sum(grid_w) / len(grid_w), sum(map(abs, grid_w)) / len(grid_w))
