"""The net load: what stands out is followed at once, what does not is averaged."""

from __future__ import annotations

from math import inf, isfinite, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.observer import NetLoadObserver
from gridzero.control.switches import ALL_ON, Switches

STEP_S = 0.5


class Meter:
    """Readings half a second apart, with an own output of the battery."""

    def __init__(self, switches: Switches = ALL_ON, noise_w: float = 0.0) -> None:
        self.observer = NetLoadObserver(switches)
        self._dice, self._noise_w = Random("meter"), noise_w
        self._at_s = 100.0

    def shows(self, load_w: float, own_w: float = 0.0) -> float:
        """One reading of this load; returns what is believed then."""
        noisy_w = load_w + self._dice.gauss(0.0, self._noise_w)
        self._at_s += STEP_S
        self.observer.update(self._at_s, noisy_w - own_w, own_w)
        assert self.observer.net_load_w is not None
        return self.observer.net_load_w

    def rests_at(self, load_w: float, readings: int = 60) -> list[float]:
        return [self.shows(load_w) for _ in range(readings)]


def test_nothing_is_known_before_the_first_reading() -> None:
    observer = NetLoadObserver()
    assert observer.net_load_w is None
    assert observer.ahead_w(1.0) is None


def test_the_first_reading_counts_fully() -> None:
    assert Meter().shows(430.0) == 430.0


@pytest.mark.parametrize("jump_w", [200.0, -200.0, 2000.0])
def test_a_jump_is_followed_at_once(jump_w: float) -> None:
    meter = Meter(noise_w=2.0)
    meter.rests_at(300.0)
    assert meter.shows(300.0 + jump_w) == pytest.approx(300.0 + jump_w, abs=0.05 * abs(jump_w))
    assert abs(meter.observer.edge_w) > 0.9 * abs(jump_w)
    meter.shows(300.0 + jump_w)
    assert meter.observer.edge_w == 0.0


@pytest.mark.parametrize("noise_w", [2.0, 15.0])
def test_noise_is_averaged(noise_w: float) -> None:
    believed_w = Meter(noise_w=noise_w).rests_at(400.0, 400)[100:]
    spread_w = (sum((w - 400.0) ** 2 for w in believed_w) / len(believed_w)) ** 0.5
    assert spread_w < 0.5 * noise_w
    assert sum(believed_w) / len(believed_w) == pytest.approx(400.0, abs=0.2 * noise_w)


def test_the_readings_after_a_jump_are_averaged_with_equal_weights() -> None:
    meter = Meter()
    meter.rests_at(200.0)
    first_w = meter.shows(1000.0)
    second_w = meter.shows(1004.0)
    assert second_w == pytest.approx((first_w + 1004.0) / 2, abs=1.0)


def test_a_small_lasting_change_is_found_within_seconds() -> None:
    meter = Meter(noise_w=2.0)
    meter.rests_at(400.0)
    assert sum(meter.rests_at(408.0, 12)[-4:]) / 4 == pytest.approx(408.0, abs=2.0)


def test_the_noise_of_the_meter_is_learned_and_a_jump_is_no_noise() -> None:
    meter = Meter(noise_w=15.0)
    meter.rests_at(400.0, 400)
    assert meter.observer.noise_w == pytest.approx(15.0, rel=0.35)
    learned_w = meter.observer.noise_w
    meter.shows(3000.0)
    assert meter.observer.noise_w < 1.2 * learned_w


def test_it_sees_through_its_own_commands() -> None:
    meter = Meter()
    for own_w in (0.0, 100.0, 300.0, 500.0):
        assert meter.shows(500.0, own_w) == 500.0


def test_a_ramp_is_carried_on_and_only_for_seconds() -> None:
    meter = Meter()
    meter.rests_at(300.0)
    for i in range(1, 21):
        meter.shows(300.0 + 20.0 * i)
    assert meter.observer.ramp_w_per_s == pytest.approx(40.0)
    assert meter.observer.ahead_w(0.5) == pytest.approx(720.0, abs=5.0)
    assert meter.observer.ahead_w(60.0) == meter.observer.ahead_w(2.0)


def test_after_the_meter_was_lost_it_starts_anew() -> None:
    meter = Meter()
    meter.rests_at(300.0)
    meter.observer.forget()
    assert meter.observer.net_load_w is None
    assert meter.shows(310.0) == 310.0


@pytest.mark.parametrize("grid_w", [nan, inf, -inf, 1e300, -1e12])
def test_what_is_no_power_of_a_house_is_left_out(grid_w: float) -> None:
    meter = Meter()
    meter.rests_at(300.0)
    meter.observer.update(1000.0, grid_w, 0.0)
    assert meter.observer.net_load_w == 300.0


@pytest.mark.parametrize("at_s", [nan, inf, -inf, 0.0])
def test_what_has_no_time_or_came_too_late_is_left_out(at_s: float) -> None:
    meter = Meter()
    meter.rests_at(300.0)
    meter.observer.update(at_s, 900.0, 0.0)
    assert meter.observer.net_load_w == 300.0
    assert meter.shows(300.0) == 300.0, "and it does not stop the ones that follow"


def test_without_jumps_every_reading_counts_half() -> None:
    meter = Meter(ALL_ON.without("jumps"))
    meter.rests_at(300.0)
    assert meter.shows(1300.0) == pytest.approx(800.0)


def test_without_slope_a_ramp_is_not_carried_on() -> None:
    meter = Meter(ALL_ON.without("slope"))
    for i in range(20):
        meter.shows(300.0 + 20.0 * i)
    assert meter.observer.ramp_w_per_s == 0.0
    assert meter.observer.ahead_w(1.0) == meter.observer.net_load_w


def late_by_two(switches: Switches) -> NetLoadObserver:
    """What one sees whose own output comes two readings later than the model says."""
    meter, dice = Meter(switches), Random("late")
    outputs_w = [dice.choice((100.0, 400.0)) for _ in range(400)]
    for i in range(2, 400):
        meter.shows(500.0 + outputs_w[i] - outputs_w[i - 2], outputs_w[i])
    return meter.observer


def test_a_wrong_model_makes_it_doubt() -> None:
    assert late_by_two(ALL_ON).doubt > 0.3
    assert late_by_two(ALL_ON.without("damping")).doubt == 0.0


any_number = st.floats() | st.floats(-5000.0, 5000.0)
any_reading = st.tuples(st.floats() | st.floats(0.0, 100.0), any_number, any_number)


@given(st.lists(any_reading, max_size=40), st.sampled_from([ALL_ON, ALL_ON.without("spikes")]))
def test_whatever_a_meter_says_the_load_is_a_number(
    readings: list[tuple[float, float, float]], switches: Switches
) -> None:
    observer = NetLoadObserver(switches)
    for at_s, grid_w, own_w in readings:
        observer.update(at_s, grid_w, own_w)
        assert observer.net_load_w is None or isfinite(observer.net_load_w)
        assert isfinite(observer.noise_w)
        assert isfinite(observer.edge_w)
        assert 0.0 <= observer.doubt <= 1.0
        assert abs(observer.ramp_w_per_s) <= 200.0


steps_s = st.sampled_from([0.0, 0.01, 0.5, 0.5, 0.5, 2.0, 1e6])


@given(st.lists(st.tuples(steps_s, st.floats(-5000.0, 5000.0), st.floats(-900.0, 900.0))))
def test_weights_are_between_nothing_and_all(readings: list[tuple[float, float, float]]) -> None:
    observer, at_s, seen_w = NetLoadObserver(ALL_ON.without("slope")), 0.0, []
    for seconds, grid_w, own_w in readings:
        at_s += seconds
        observer.update(at_s, grid_w, own_w)
        seen_w.append(grid_w + own_w)
        assert observer.net_load_w is not None
        assert min(seen_w) - 1e-6 <= observer.net_load_w <= max(seen_w) + 1e-6
