"""The parts of the law together, on a plant of one inverter that is not what it is told to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import DYNAMICS, FAST
from conftest import house as a_house

from gridzero.control.controller import Controller
from gridzero.control.ledger import Ledger
from gridzero.control.tuning import Tuning
from gridzero.domain.modes import Wanted


class Plant:
    """A house with an inverter of another gain and dead time than the law believes."""

    def __init__(
        self, gain: float = 1.0, dead_time_s: float = 0.3, ramp_w_per_s: float = 0.0
    ) -> None:
        self.wanted = Wanted(ramp_w_per_s=ramp_w_per_s)
        real = replace(DYNAMICS, gain=gain, dead_time_s=dead_time_s)
        self.truth = Ledger({"inverter": real}, {"charger": FAST})
        self.believed = Ledger({"inverter": DYNAMICS}, {"charger": FAST})
        self.controller = Controller(Tuning(), self.believed)
        self.commands_w: list[float] = []

    def run(self, load_w: Callable[[float], float], seconds: float) -> list[float]:
        """Grid power at each meter reading, half a second apart and 0.3 s old."""
        return [self._reading(100.0 + 0.5 * i, load_w) for i in range(int(seconds / 0.5))]

    def _reading(self, now_s: float, load_w: Callable[[float], float]) -> float:
        grid_w = load_w(now_s - 0.3) - self.truth.own_w(now_s - 0.3)
        decision = self.controller.tick(a_house(grid_w=grid_w, now_s=now_s, wanted=self.wanted))
        for name, sign in (("inverter", 1), ("charger", -1)):
            for book in (self.believed, self.truth):
                book.sent(name, now_s, sign * decision.units[name])
        self.commands_w.append(decision.battery_w)
        return grid_w


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("dead_time_s", [0.1, 0.3, 0.6])
def test_a_step_is_regulated_without_ringing_though_the_model_is_wrong(
    gain: float, dead_time_s: float
) -> None:
    grid_w = Plant(gain, dead_time_s).run(lambda t: 200.0 if t < 130 else 500.0, 60.0)
    assert max(abs(w) for w in grid_w[50:58]) < 5.0
    after_w = grid_w[62:]
    assert min(after_w) > -100.0
    assert max(abs(w) for w in after_w[24:]) < 5.0


@pytest.mark.parametrize("dead_time_s", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("ramp_w_per_s", [10.0, 50.0])
def test_a_slow_ramp_stops_where_the_load_is_and_does_not_ring(
    ramp_w_per_s: float, dead_time_s: float
) -> None:
    plant = Plant(dead_time_s=dead_time_s, ramp_w_per_s=ramp_w_per_s)
    flicker_w = (-1.0, 1.0)  # a meter that repeats itself exactly is tested, from 0 again
    grid_w = plant.run(lambda t: (200.0 if t < 160 else 500.0) + flicker_w[int(t) % 2], 130.0)
    rises_w = [after - before for before, after in pairwise(plant.commands_w[121:])]
    assert 0.9 * ramp_w_per_s / 2.0 < max(rises_w) < 1.01 * ramp_w_per_s / 2.0 + 2.0
    assert min(rises_w) > -0.6 * ramp_w_per_s
    assert min(grid_w[121:]) > -0.6 * ramp_w_per_s - 4.0
    reached = 121 + 2 * int(300.0 / ramp_w_per_s + 10.0)
    assert max(abs(w) for w in grid_w[reached:]) < 5.0


@pytest.mark.parametrize("gain", [0.8, 0.9, 1.1])
def test_constant_load_is_held_without_an_offset(gain: float) -> None:
    grid_w = Plant(gain).run(lambda _t: 345.0, 60.0)
    assert abs(sum(grid_w[-40:]) / 40) < 1.0


def test_a_dead_time_that_is_far_too_short_makes_no_growing_oscillation() -> None:
    plant = Plant(dead_time_s=2.5)
    grid_w = plant.run(lambda t: 200.0 if t < 130 else 500.0, 400.0)
    first, last = grid_w[100:200], grid_w[-100:]
    assert max(map(abs, last)) < 0.5 * max(map(abs, first))
    moves_w = [abs(b - a) for a, b in pairwise(plant.commands_w[-100:])]
    assert sum(moves_w) / len(moves_w) < 20.0
