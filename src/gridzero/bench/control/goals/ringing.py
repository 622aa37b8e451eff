"""Whether the loop rings when it is told a wrong dead time.

The inverter's true dead time is 0.3, 1.0 or 2.5 s, and gridzero is told 0.3 to 2 times as much.
The load steps between 200 and 600 W every 90 s. Ringing is half the distance between the largest
and the smallest battery power in the last 30 s before the next step, the worst of the steps in the
second half of the run: by then what can be learned has been learned, and a single correction of
the model is not taken for an oscillation. Meter
noise of 2 W alone moves the battery by up to some 4 W; more than 10 W is a limit cycle.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.laws.law import LawRow, Setting
from gridzero.bench.control.laws.ours import Ours
from gridzero.bench.control.plants import METERS, PLANTS, PlantRow
from gridzero.bench.control.processes import spread
from gridzero.bench.control.simulate import Run, simulate
from gridzero.bench.control.traces import Steps
from gridzero.control.switches import ALL_ON, Switches

_DEAD_S = (0.3, 1.0, 2.5)
_WRONG = (-0.7, -0.5, -0.3, 0.0, 0.3, 0.6, 1.0)
_LIMIT_W = 10.0
_REST_S, _LATE = 90.0, round(30.0 / STEP_S)


class Guess(NamedTuple):
    """dead_s: the truth. wrong: how much more gridzero is told, as a part of it."""

    dead_s: float
    wrong: float


def goals(jobs: int, seconds: float) -> list[Goal]:
    """With everything on, and with a dead time that is not learned."""
    return [
        _goal("ringing", "ringing with a wrong dead time", ALL_ON, jobs, seconds),
        _goal(
            "ringing_believed",
            "the same, believing what it is told",
            ALL_ON.without("identify"),
            jobs,
            seconds,
        ),
    ]


def _goal(key: str, what: str, switches: Switches, jobs: int, seconds: float) -> Goal:
    guesses = [Guess(dead_s, wrong) for dead_s in _DEAD_S for wrong in _WRONG]
    found_w = list(spread(partial(ringing_w, switches=switches, seconds=seconds), guesses, jobs))
    rings = dict(zip(guesses, found_w, strict=True))
    return Goal(
        key=key, what=what, value=max(found_w), limit=_LIMIT_W, unit=" W", detail=_told(rings)
    )


def _told(rings: dict[Guess, float]) -> str:
    """For each true dead time the amplitudes in the order of the guesses."""
    wrong = ", ".join(f"{100 * part:+.0f}" for part in _WRONG)
    rows = [
        f"{dead_s:g} s: {', '.join(f'{rings[Guess(dead_s, part)]:.0f}' for part in _WRONG)}"
        for dead_s in _DEAD_S
    ]
    return f"told {wrong} %: {'; '.join(rows)} W"


def ringing_w(guess: Guess, switches: Switches = ALL_ON, seconds: float = 900.0) -> float:
    """Amplitude late after a step, the worst of the second half, W."""
    plant = _plant(guess)
    trace = Steps("ringing", 200.0, 600.0, rest_s=_REST_S)(plant, 1, seconds)
    law = LawRow("gridzero", "", "", partial(Ours, switches=switches), ours=True)
    return amplitude_w(simulate(law, Setting(plant, METERS["0.5s"], trace), seed=1))


def amplitude_w(run: Run) -> float:
    """Half of largest less smallest battery power late after each late step; the worst, W."""
    half = len(run.battery_w) // 2
    steps = run.setting.trace.steps
    ends = [end for step, end in steps if end - step > 2 * _LATE and end - _LATE > half]
    late = [run.battery_w[end - _LATE : end] for end in ends]
    return max((max(part) - min(part)) / 2.0 for part in late)


def _plant(guess: Guess) -> PlantRow:
    house = PLANTS["house"]
    inverter = replace(house.inverter, dead_s=guess.dead_s)
    told = replace(house.told, dead_time_s=guess.dead_s * (1.0 + guess.wrong))
    return replace(house, name=f"dead-{guess.dead_s:g}", inverter=inverter, told=told)
