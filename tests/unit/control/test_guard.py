"""The last word: only ever toward zero, and what is no number refuses."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.guard import PowerLimits, guard, meter_factor
from gridzero.domain.reasons import Because


def test_the_guard_has_the_last_word() -> None:
    limits = PowerLimits(800.0, 300.0, Because.CELL_HIGH, Because.CELL_LOW)
    assert guard(1000.0, limits) == (300.0, Because.CELL_LOW)
    assert guard(-1000.0, limits) == (-800.0, Because.CELL_HIGH)
    assert guard(100.0, limits) == (100.0, None)
    assert guard(nan, limits) == (0.0, Because.METER_UNKNOWN)
    assert guard(5.0, replace(limits, discharge_w=0.0)) == (0.0, Because.CELL_LOW)


def test_the_meter_factor_refuses_what_is_not_an_age() -> None:
    assert meter_factor(inf, 1.5, 10.0) == (0.0, Because.METER_UNKNOWN)
    assert meter_factor(nan, 1.5, 10.0) == (0.0, Because.METER_UNKNOWN)


@pytest.mark.parametrize(("age_s", "part"), [(0.0, 1.0), (1.5, 1.0), (5.75, 0.5), (10.0, 0.0)])
def test_power_that_rests_on_the_meter_falls_with_its_age(age_s: float, part: float) -> None:
    assert meter_factor(age_s, 1.5, 10.0)[0] == pytest.approx(part)


@given(st.floats(), st.floats(), st.floats())
def test_the_guard_only_moves_toward_zero(
    wish_w: float, charge_w: float, discharge_w: float
) -> None:
    limits = PowerLimits(charge_w, discharge_w, Because.CELL_HIGH, Because.CELL_LOW)
    allowed_w, because = guard(wish_w, limits)
    assert abs(allowed_w) <= abs(wish_w) or allowed_w == 0.0
    assert allowed_w * wish_w >= 0.0 or allowed_w == 0.0
    assert because is not None or allowed_w == wish_w
