"""The slope of a line when both coordinates are noisy."""

from __future__ import annotations

from math import inf, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.ageing.total_least_squares import TotalLeastSquares
from gridzero.domain.ageing import Estimate

WIDE = Estimate(1.0, 0.15)


def learned(
    slope: float,
    noise_x: float,
    noise_y: float,
    pairs: int = 4000,
    seed: int = 1,
    ratio: float = 3.0,
) -> TotalLeastSquares:
    dice = Random(seed)
    fit = TotalLeastSquares(WIDE, ratio)
    for _ in range(pairs):
        x = dice.choice((-1.0, 1.0)) * dice.uniform(0.25, 0.9)
        seen_x, seen_y = x + dice.gauss(0.0, noise_x), slope * x + dice.gauss(0.0, noise_y)
        fit.add(seen_x, seen_y, noise_x, noise_y)
    return fit


def test_it_starts_from_what_is_written_on_the_battery_and_says_how_unsure_that_is() -> None:
    assert TotalLeastSquares(WIDE).estimate == pytest.approx((1.0, 0.15))


def test_noise_in_the_state_of_charge_does_not_make_the_battery_look_smaller() -> None:
    # least squares would answer slope * xx / (xx + noise): 5 % less
    fit = learned(0.9, noise_x=0.14, noise_y=0.14 / 3.0)
    assert fit.estimate.value == pytest.approx(0.9, abs=0.01)
    assert 0.001 < fit.estimate.sigma < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_the_truth_lies_within_its_sigmas(seed: int) -> None:
    fit = learned(0.82, noise_x=0.01, noise_y=0.004, pairs=40, seed=seed)
    assert abs(fit.estimate.value - 0.82) < 4.0 * fit.estimate.sigma
    assert fit.estimate.sigma < 0.01


def test_one_mistake_among_many_does_not_carry_it_away() -> None:
    fit = learned(0.9, noise_x=0.01, noise_y=0.004, pairs=50)
    fit.add(0.3, 0.9, 0.01, 0.004)
    assert fit.estimate.value == pytest.approx(0.9, abs=0.02)


def test_pairs_that_contradict_each_other_widen_it() -> None:
    calm, torn = TotalLeastSquares(WIDE), TotalLeastSquares(WIDE)
    for turn in range(40):
        calm.add(0.5, 0.45, 0.005, 0.002)
        torn.add(0.5, 0.45 + (0.04 if turn % 2 else -0.04), 0.005, 0.002)
    assert torn.estimate.sigma > 2.0 * calm.estimate.sigma


def test_it_forgets_slowly_and_follows() -> None:
    fit = learned(1.0, noise_x=0.01, noise_y=0.004, pairs=100)
    before = fit.estimate.sigma
    fit.fade(0.25)
    assert fit.estimate.sigma == pytest.approx(2.0 * before)
    for _ in range(200):
        fit.fade(0.98)
        fit.add(0.5, 0.4, 0.01, 0.004)
    assert fit.estimate.value == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    "bad",
    [(nan, 0.5, 0.01, 0.01), (0.5, inf, 0.01, 0.01), (0.5, 0.5, 0.0, 0.0), (0.5, 0.5, nan, 0.1)],
)
def test_what_is_no_number_is_left_out(bad: tuple[float, float, float, float]) -> None:
    fit = learned(0.9, noise_x=0.01, noise_y=0.004, pairs=10)
    before = fit.estimate
    fit.add(*bad)
    assert fit.estimate == before
    assert fit.pairs == 10


@settings(max_examples=50, deadline=None)
@given(
    x=st.floats(-1.0, 1.0),
    y=st.floats(-2.0, 2.0),
    x_sigma=st.floats(1e-4, 0.2),
    y_sigma=st.floats(1e-4, 0.2),
)
def test_no_single_pair_makes_nonsense(x: float, y: float, x_sigma: float, y_sigma: float) -> None:
    fit = TotalLeastSquares(WIDE)
    fit.add(x, y, x_sigma, y_sigma)
    assert 0.0 < fit.estimate.value < 3.0
    assert 0.0 < fit.estimate.sigma <= 0.25


def test_it_comes_back_as_it_was_written() -> None:
    fit, again = learned(0.9, 0.01, 0.004, pairs=20), TotalLeastSquares(WIDE)
    again.restore(fit.to_dict(), 0.2, 3.0)
    assert again.estimate == fit.estimate
    assert again.pairs == 20


@pytest.mark.parametrize("key", ["xx", "xy", "yy", "misfit", "pairs"])
@pytest.mark.parametrize("value", [nan, -1.0, "much", None, 1e300])
def test_bad_content_is_refused_whole(key: str, value: object) -> None:
    fit = learned(0.9, 0.01, 0.004, pairs=20)
    before = fit.estimate
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        fit.restore({**fit.to_dict(), key: value}, 0.2, 3.0)
    assert fit.estimate == before
