"""Starts are rationed by price: cheap while they are few, never forbidden."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.start_budget import StartBudget


def test_the_first_start_costs_what_it_costs() -> None:
    assert StartBudget().price(0.0) == 1.0


def test_each_start_makes_the_next_dearer_up_to_three_times() -> None:
    budget, prices = StartBudget(), []
    for i in range(10):
        prices.append(budget.price(float(i)))
        budget.spend(float(i))
    assert all(earlier <= later for earlier, later in pairwise(prices))
    assert prices[1] > 1.3
    assert prices[-1] == 3.0


def test_a_small_wear_costs_a_part() -> None:
    whole, part = StartBudget(), StartBudget()
    whole.spend(0.0)
    part.spend(0.0, 0.2)
    assert 1.0 < part.price(0.0) < whole.price(0.0)


def test_after_a_quiet_while_a_start_is_cheap_again() -> None:
    budget = StartBudget()
    for _ in range(3):
        budget.spend(0.0)
    assert budget.price(0.0) > 3.0 - 1e-9
    assert budget.price(6 * 240.0) == 1.0


def test_a_wild_hour_is_forgiven_in_the_next() -> None:
    budget = StartBudget()
    for _ in range(1000):
        budget.spend(0.0)
    assert budget.price(3600.0) == pytest.approx(1.0)


calls = st.lists(
    st.tuples(st.floats(allow_infinity=False, allow_nan=False), st.floats(0.0, 20.0)), max_size=50
)


@given(calls)
def test_the_price_stays_between_one_and_three(spent: list[tuple[float, float]]) -> None:
    budget = StartBudget()
    for now_s, starts in spent:
        assert 1.0 <= budget.price(now_s) <= 3.0
        budget.spend(now_s, starts)
        assert 1.0 <= budget.price(now_s) <= 3.0
