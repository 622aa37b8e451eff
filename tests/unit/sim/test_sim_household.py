"""The made-up family is the same for everybody, and lives like one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random

import pytest

from gridzero.sim.household import APPLIANCES, Appliance, Household, Pulse
from gridzero.sim.sources import DAY_S

DAY = range(int(DAY_S))


def one_day(seed: int) -> list[float]:
    home = Household(seed)
    return [home.power_w(float(second)) for second in DAY]


def test_the_same_seed_lives_the_same_day() -> None:
    assert one_day(1) == one_day(1)
    assert one_day(1) != one_day(2)


def test_no_day_is_like_the_other() -> None:
    home = Household(1)
    days = [[home.power_w(day * DAY_S + s) for s in range(0, 86400, 60)] for day in (0, 1)]
    assert days[0] != days[1]


@pytest.mark.parametrize("seed", range(4))
def test_mean_peak_and_rest_are_those_of_a_home(seed: int) -> None:
    day = one_day(seed)
    assert 300.0 < sum(day) / len(day) < 700.0
    assert 2500.0 < max(day) < 9000.0
    assert 100.0 < min(day) < 250.0


@pytest.mark.parametrize("seed", range(4))
def test_large_steps_are_as_frequent_as_in_measured_homes(seed: int) -> None:
    day = one_day(seed)
    steps = sum(abs(b - a) > 500.0 for a, b in itertools.pairwise(day))
    assert 5.0 < steps / 24.0 < 60.0


def test_the_order_of_questions_does_not_matter() -> None:
    forward, backward = Household(3), Household(3)
    moments = [hour * 1234.5 for hour in range(200)]
    there = [forward.power_w(at_s) for at_s in moments]
    back = [backward.power_w(at_s) for at_s in reversed(moments)]
    assert back[::-1] == pytest.approx(there)


def test_what_runs_past_midnight_runs_on() -> None:
    def night_owl(_dice: Random) -> Iterator[Pulse]:
        yield Pulse(DAY_S - 600.0, 1200.0, 1000.0)

    home = Household(1, (night_owl,))
    around = [home.power_w(DAY_S + seconds) for seconds in (-601, -1, 0, 599, 601)]
    assert around == [pytest.approx(w) for w in (0.0, 1000.0, 1000.0, 1000.0, 0.0)]


@pytest.mark.parametrize("appliance", APPLIANCES, ids=lambda one: one.__name__)
def test_each_appliance_uses_a_plausible_energy(appliance: Appliance) -> None:
    pulses = Household(1, (appliance,)).pulses(0)
    assert all(pulse.seconds > 0 and 0 <= pulse.power_w <= 2500 for pulse in pulses)
    kwh = sum(pulse.seconds * pulse.power_w for pulse in pulses) / 3.6e6
    assert 0.1 < kwh < 4.0
