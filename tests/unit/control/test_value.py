"""The target leans to the cheaper side: how far, how slowly, and when not at all."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.value import TargetBias, import_share, stored_value
from gridzero.control.wake import is_worth_it
from gridzero.domain.converters import LossCurve
from gridzero.domain.value import LEANS, Lean, Outlook, Prices

USUAL = Prices(30.0, 8.0)
SOYO = LossCurve(share=0.124, run_w=6.0, standby_w=4.0, start_wh=0.02)
anything = st.floats() | st.sampled_from([nan, inf, -inf, 0.0, 1e308])
perhaps = st.none() | anything
outlooks = st.sampled_from(Outlook)


def leaning(outlook: Outlook, prices: Prices | None = USUAL) -> TargetBias:
    bias = TargetBias()
    bias.aim(prices, outlook)
    return bias


def settled(bias: TargetBias, noise: Iterator[float], hours: float = 3.0) -> list[float]:
    """A house whose grid is where the target is, and noise: the bias at each half second."""
    course = []
    for _ in range(round(hours * 7200)):
        bias.learn(bias.bias_w + next(noise), 0.5, free=True)
        course.append(bias.bias_w)
    return course


def normal(sigma_w: float) -> Iterator[float]:
    dice = Random(1)
    while True:
        yield dice.gauss(0.0, sigma_w)


@pytest.mark.parametrize(
    ("prices", "outlook", "share", "lean"),
    [
        (None, Outlook.EMPTYING, None, Lean.NO_PRICES),
        (USUAL, Outlook.UNKNOWN, None, Lean.UNKNOWN),
        (USUAL, Outlook.EMPTYING, 0.95, Lean.EMPTYING),
        (USUAL, Outlook.FILLING, 0.05, Lean.FILLING),
        (Prices(30.0, 8.0, 19.0), Outlook.UNKNOWN, 0.5, Lean.STORED_VALUE),
        (Prices(30.0, 8.0, 24.5), Outlook.FILLING, 0.75, Lean.STORED_VALUE),
        (Prices(45.0, 8.0, 15.0), Outlook.EMPTYING, 7 / 37, Lean.STORED_VALUE),  # dear now
        (Prices(30.0, -5.0), Outlook.EMPTYING, 0.95, Lean.EMPTYING),
        (Prices(-2.0, -9.0), Outlook.FILLING, 0.05, Lean.FILLING),
        (Prices(8.0, 30.0), Outlook.EMPTYING, None, Lean.EXPORT_DEARER),
        (Prices(8.0, 8.0), Outlook.FILLING, None, Lean.EXPORT_DEARER),
        (Prices(nan, 8.0), Outlook.EMPTYING, None, Lean.NO_PRICES),
        (Prices(30.0, -inf), Outlook.EMPTYING, None, Lean.NO_PRICES),
        (Prices(30.0, 8.0, nan), Outlook.EMPTYING, 0.95, Lean.EMPTYING),
    ],
)
def test_the_share_follows_from_what_an_error_costs(
    prices: Prices | None, outlook: Outlook, share: float | None, lean: Lean
) -> None:
    found, why = import_share(prices, outlook)
    assert found == (None if share is None else pytest.approx(share))
    assert why is lean


def test_every_lean_has_its_words() -> None:
    assert LEANS.keys() == set(Lean)


@given(anything, anything, perhaps, outlooks)
def test_whatever_the_prices_are_the_shares_are_shares(
    import_ct: float, export_ct: float, stored_ct: float | None, outlook: Outlook
) -> None:
    prices = Prices(import_ct, export_ct, stored_ct)
    share, _ = import_share(prices, outlook)
    assert share is None or 0.05 <= share <= 0.95
    stored = stored_value(prices, outlook)
    assert stored is None or 0.0 <= stored <= 0.75


@pytest.mark.parametrize("sigma_w", [0.5, 2.0, 15.0])
@pytest.mark.parametrize(
    ("outlook", "quantile"), [(Outlook.EMPTYING, 1.645), (Outlook.FILLING, -1.645)]
)
def test_the_bias_finds_the_quantile_and_stays_there(
    sigma_w: float, outlook: Outlook, quantile: float
) -> None:
    course = settled(leaning(outlook), normal(sigma_w))[-7200:]
    assert min(course) == pytest.approx(quantile * sigma_w, abs=0.3 + 0.2 * sigma_w)
    assert max(course) == pytest.approx(quantile * sigma_w, abs=0.3 + 0.2 * sigma_w)


def test_a_grid_without_errors_needs_no_bias() -> None:
    course = settled(leaning(Outlook.EMPTYING), iter(lambda: 0.0, None))
    assert max(map(abs, course)) <= 0.05, "it never strays from zero by more than a hair"


def test_half_and_half_is_no_bias() -> None:
    course = settled(leaning(Outlook.UNKNOWN, Prices(30.0, 8.0, 19.0)), normal(3.0))
    assert max(map(abs, course)) < 1.0


def test_spikes_count_no_more_than_other_readings() -> None:
    def spiky(size_w: float) -> Iterator[float]:
        calm = normal(2.0)
        for n, noise_w in enumerate(calm):
            yield size_w if n % 100 == 0 else noise_w

    small = settled(leaning(Outlook.EMPTYING), spiky(-30.0))[-1]
    assert settled(leaning(Outlook.EMPTYING), spiky(-100.0))[-1] == pytest.approx(small, abs=0.3)
    beyond = settled(leaning(Outlook.EMPTYING), spiky(-1e9))[-1]
    assert beyond == pytest.approx(3.3, abs=0.7), "as if it had not been there"


def test_nothing_is_learned_while_something_else_shapes_the_output() -> None:
    bias = leaning(Outlook.EMPTYING)
    for _ in range(10_000):
        bias.learn(-20.0, 0.5, free=False)
    assert bias.bias_w == 0.0


def test_it_moves_slowly_and_within_its_bounds() -> None:
    bias, before_w = leaning(Outlook.EMPTYING), 0.0
    for _ in range(100_000):
        bias.learn(-100.0, 0.5, free=True)
        assert 0.0 <= bias.bias_w - before_w <= 0.025
        before_w = bias.bias_w
    assert bias.bias_w == 40.0


def test_without_prices_it_goes_back_without_a_step() -> None:
    bias = leaning(Outlook.FILLING)
    for _ in range(20_000):
        bias.learn(100.0, 0.5, free=True)
    assert bias.bias_w == -40.0
    bias.aim(None, Outlook.FILLING)
    bias.learn(0.0, 0.5, free=False)
    assert bias.bias_w == pytest.approx(-39.95)
    for _ in range(1_000):
        bias.learn(100.0, 0.5, free=True)
    assert bias.bias_w == 0.0


@given(st.lists(st.tuples(anything, anything, st.booleans()), max_size=30), outlooks)
def test_readings_that_are_none_lead_nowhere(
    readings: list[tuple[float, float, bool]], outlook: Outlook
) -> None:
    bias = leaning(outlook)
    for error_w, seconds, free in readings:
        bias.learn(error_w, seconds, free=free)
    assert isfinite(bias.bias_w)
    assert abs(bias.bias_w) <= 3.0, "30 readings, 2 s each, 0.05 W/s"


@given(st.lists(st.tuples(anything, st.booleans()), max_size=30), outlooks, perhaps)
def test_without_prices_there_is_never_a_bias(
    readings: list[tuple[float, bool]], outlook: Outlook, wish_w: float | None
) -> None:
    bias = leaning(outlook, None)
    for error_w, free in readings:
        bias.learn(error_w, 0.5, free=free)
    assert bias.bias_w == 0.0
    assert bias.for_wish(wish_w or 0.0) == 0.0


@given(st.floats(-5000, 5000), st.floats(-40, 40))
def test_a_bias_never_turns_a_wish_round(wish_w: float, bias_w: float) -> None:
    bias = TargetBias()
    bias.bias_w = bias_w
    biased_w = wish_w - bias.for_wish(wish_w)
    assert biased_w * wish_w >= 0.0
    assert abs(biased_w) >= 0.74 * abs(wish_w)
    assert abs(wish_w - biased_w) <= 40.01


@pytest.mark.parametrize(
    ("prices", "outlook", "share"),
    [
        (USUAL, Outlook.EMPTYING, 0.75),
        (USUAL, Outlook.FILLING, 0.2),
        (USUAL, Outlook.UNKNOWN, None),
        (None, Outlook.EMPTYING, None),
        (Prices(-1.0, -5.0), Outlook.EMPTYING, None),
        (Prices(20.0, 8.0, 60.0), Outlook.UNKNOWN, 0.75),
        (Prices(20.0, -8.0), Outlook.FILLING, 0.0),
    ],
)
def test_what_stored_energy_is_worth_for_a_start(
    prices: Prices | None, outlook: Outlook, share: float | None
) -> None:
    assert stored_value(prices, outlook) == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize("power_w", [30.0, 60.0, 150.0, 400.0, 864.0])
def test_no_outlook_keeps_a_lasting_load_from_being_covered(power_w: float) -> None:
    dearest = stored_value(USUAL, Outlook.EMPTYING)
    assert is_worth_it(power_w, 600.0, SOYO, dearest)
