"""A steady climb or fall is noticed; noise and steps are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.ramp_watch import RampWatch


def after(*loads_w: float, seconds: float = 0.5, sigma_w: float = 2.0) -> RampWatch:
    watch = RampWatch()
    for load_w in loads_w:
        watch.update(seconds, load_w, sigma_w)
    return watch


def test_three_like_changes_are_a_ramp() -> None:
    assert after(100.0, 120.0, 140.0).w_per_s == 0.0
    assert after(100.0, 120.0, 140.0, 160.0).w_per_s == pytest.approx(40.0)
    assert after(100.0, 88.0, 70.0, 55.0).w_per_s == pytest.approx(-30.0)


def test_a_single_step_is_never_a_ramp() -> None:
    loads_w = [200.0] * 5 + [900.0] * 5
    assert all(after(*loads_w[:n]).w_per_s == 0.0 for n in range(len(loads_w) + 1))


@pytest.mark.parametrize(
    "loads_w",
    [
        (100.0, 120.0, 119.0, 140.0),
        (100.0, 101.0, 102.0, 103.0),
        (100.0, 110.0, 161.0, 171.0),
    ],
    ids=["not one way", "within the noise", "one change five times another"],
)
def test_what_is_not_steady_is_no_ramp(loads_w: tuple[float, ...]) -> None:
    assert after(*loads_w).w_per_s == 0.0


def test_a_ramp_ends_with_the_first_reading_that_does_not_go_on() -> None:
    assert after(100.0, 120.0, 140.0, 160.0, 160.0).w_per_s == 0.0


def test_two_readings_of_one_moment_are_one() -> None:
    watch = after(100.0, 120.0, 140.0, 160.0)
    watch.update(0.0, 900.0, 2.0)
    assert watch.w_per_s == pytest.approx(40.0)


def test_a_restart_forgets() -> None:
    watch = after(100.0, 120.0, 140.0, 160.0)
    watch.restart()
    assert watch.w_per_s == 0.0
    watch.update(0.5, 180.0, 2.0)
    assert watch.w_per_s == 0.0


moments = st.tuples(st.floats(-1.0, 100.0), st.floats(-1e6, 1e6), st.floats(0.0, 1e6))


@given(st.lists(moments))
def test_no_ramp_is_steeper_than_200_w_per_s(readings: list[tuple[float, float, float]]) -> None:
    watch = RampWatch()
    for seconds, load_w, sigma_w in readings:
        watch.update(seconds, load_w, sigma_w)
        assert abs(watch.w_per_s) <= 200.0


@given(st.lists(st.floats(-1e4, 1e4), min_size=4, max_size=4), st.floats(0.0, 100.0))
def test_a_ramp_has_the_sign_of_all_its_changes(loads_w: list[float], sigma_w: float) -> None:
    slope = after(*loads_w, sigma_w=sigma_w).w_per_s
    changes_w = [later - earlier for earlier, later in pairwise(loads_w)]
    assert slope == 0.0 or all(change_w * slope > 0.0 for change_w in changes_w)
