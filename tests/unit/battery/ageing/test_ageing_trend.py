"""Slow robust trends."""

from __future__ import annotations

from math import inf, nan
from random import Random

import pytest

from gridzero.battery.ageing.trend import Trend


def fed(values: list[float], sigma: float = 0.0003) -> Trend:
    trend = Trend()
    for value in values:
        trend.add(value, sigma)
    return trend


def test_nothing_is_said_before_five_values() -> None:
    assert fed([0.0027] * 4).estimate is None
    assert fed([0.0027] * 4).to_dict() is None
    assert fed([0.0027] * 5).estimate is not None


def test_a_mistake_among_the_first_values_does_not_begin_it() -> None:
    begun = fed([0.0027, 0.0026, 0.5, 0.0028, 0.0027]).estimate
    assert begun is not None
    assert begun.value == pytest.approx(0.0027)


def test_it_settles_and_remembers_where_it_began() -> None:
    dice = Random(1)
    trend = fed([dice.gauss(0.0027, 0.0003) for _ in range(300)])
    now, grown = trend.estimate, trend.growth
    assert now is not None
    assert grown is not None
    assert now.value == pytest.approx(0.0027, rel=0.03)
    assert grown.value == pytest.approx(1.0, abs=0.06)
    for _ in range(100):
        trend.later(5.0)
        trend.add(dice.gauss(0.0040, 0.0003), 0.0003)
    grown = trend.growth
    assert grown is not None
    assert grown.value == pytest.approx(0.0040 / 0.0027, rel=0.08)


def test_time_widens_it() -> None:
    trend = fed([0.0027] * 30)
    before, _ = trend.estimate, trend.later(100.0)
    after = trend.estimate
    assert before is not None
    assert after is not None
    assert after.sigma > before.sigma


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_what_is_no_number_is_left_out(bad: float) -> None:
    trend = fed([0.0027] * 10)
    before = trend.estimate
    trend.add(bad, 0.0003)
    trend.add(0.5, bad)
    assert trend.estimate == before


def test_it_comes_back_as_it_was_written_and_refuses_nonsense() -> None:
    trend, again = fed([0.0027] * 200), Trend()
    kept = trend.to_dict()
    assert kept is not None
    again.restore(kept, 1e-5, 1.0)
    assert (again.estimate, again.growth) == (trend.estimate, trend.growth)
    for bad in ({**kept, "value": -1.0}, {**kept, "var": nan}, {**kept, "first": "x"}):
        with pytest.raises((ValueError, TypeError)):
            again.restore(bad, 1e-5, 1.0)
    assert again.estimate == trend.estimate
