"""What the model leaves is integrated slowly, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.trim import Trim


def test_the_trim_integrates_only_what_is_not_in_flight_and_gives_back_what_was_cut() -> None:
    trim = Trim()
    for _ in range(100):
        trim.update(300.0, 300.0, 0.5)
    assert trim.value_w == 0.0
    for _ in range(1000):
        trim.update(10.0, 0.0, 0.5)
    assert trim.value_w == 60.0
    trim.back_calculate(50.0)
    assert trim.value_w == 10.0
    trim.back_calculate(-50.0)
    assert trim.value_w == 10.0


def test_a_change_of_load_teaches_it_little() -> None:
    trim = Trim()
    trim.update(2000.0, 0.0, 0.5)
    assert 0.0 < trim.value_w <= 1.25


def test_a_reset_forgets() -> None:
    trim = Trim()
    trim.update(10.0, 0.0, 1.0)
    trim.reset()
    assert trim.value_w == 0.0


steps = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e4, 1e4), st.floats(0.0, 1e6))


@given(st.lists(steps))
def test_it_never_leaves_its_bounds(seen: list[tuple[float, float, float]]) -> None:
    trim = Trim()
    for error_w, in_flight_w, seconds in seen:
        assert abs(trim.update(error_w, in_flight_w, seconds)) <= 60.0
        before_w = trim.value_w
        trim.back_calculate(error_w)
        assert abs(trim.value_w) <= abs(before_w)
