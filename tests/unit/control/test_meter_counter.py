"""The meter's own counter is followed by its steps, and never trusted beyond what can be."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.control.meter_counter import MeterCounter

SECOND_S = 1.0


class Meter:
    """A counter that hears one count and some integrated energy each second."""

    def __init__(self) -> None:
        self.counter = MeterCounter()
        self.now_s = 1000.0

    def says(self, *counts_kwh: float, flows_kwh: float = 0.0) -> float:
        for count_kwh in counts_kwh:
            self.now_s += SECOND_S
            self.counter.add(flows_kwh, self.now_s)
            self.counter.follow(count_kwh, self.now_s)
        return self.counter.total_kwh

    def is_silent(self, seconds: int, flows_kwh: float) -> float:
        for _ in range(seconds):
            self.now_s += SECOND_S
            self.counter.add(flows_kwh, self.now_s)
        return self.counter.total_kwh


def test_its_steps_count_and_the_readings_between_do_not() -> None:
    meter = Meter()
    meter.says(5000.0)
    assert meter.says(5000.1, 5000.25, flows_kwh=0.9) == pytest.approx(0.25)


def test_without_a_counter_the_readings_count() -> None:
    assert Meter().is_silent(100, 0.01) == pytest.approx(1.0)


def test_a_meter_that_was_replaced_goes_on_from_where_we_are() -> None:
    meter = Meter()
    meter.says(5000.0, 5000.5)
    meter.says(3.0, 3.0, 3.0, flows_kwh=0.001)
    meter.now_s += 100.0
    assert meter.says(3.2) == pytest.approx(0.5 + 0.003 + 0.2), "meanwhile the readings counted"


@pytest.mark.parametrize("wrong", [0.0, 6000.0, nan, inf, -1.0, 1e30])
def test_one_wrong_count_changes_nothing(wrong: float) -> None:
    meter = Meter()
    meter.says(5000.0, 5000.1)
    assert meter.says(wrong) == pytest.approx(0.1)
    assert meter.says(5000.3) == pytest.approx(0.3), "what flowed meanwhile is not lost"


def test_wrong_counts_that_do_not_agree_are_never_believed() -> None:
    meter = Meter()
    meter.says(5000.0)
    assert meter.says(*([9000.0, 10.0] * 20)) == 0.0


def test_more_than_a_house_can_draw_is_not_followed() -> None:
    meter = Meter()
    meter.says(5000.0)
    first = meter.says(*(5000.0 + 0.9 * i for i in range(1, 100)))
    assert first <= 1.0 + 99 * SECOND_S * 50.0 / 3600.0


def test_a_silent_counter_is_stood_in_for_and_nothing_counts_twice() -> None:
    meter = Meter()
    meter.says(5000.0)
    assert meter.is_silent(2000, 0.001) == pytest.approx(2.0, abs=0.002)
    assert meter.says(5002.5) == pytest.approx(2.5), "the meter knows better"
    assert meter.says(5002.6) == pytest.approx(2.6)


def test_what_was_given_too_much_is_taken_off_what_comes() -> None:
    meter = Meter()
    meter.says(5000.0)
    meter.is_silent(1000, 0.001)
    assert meter.says(5000.4) == pytest.approx(1.0, abs=0.002), "it never goes back"
    assert meter.says(5000.9) == pytest.approx(1.0, abs=0.002)
    meter.now_s += 100.0
    assert meter.says(5001.5) == pytest.approx(1.5, abs=0.002)


def test_what_the_meter_counted_while_we_were_away_counts() -> None:
    meter = Meter()
    meter.counter.restore(5000.0, 8 * 3600.0, meter.now_s)
    assert meter.says(5012.0) == pytest.approx(12.0)


def test_what_cannot_have_been_drawn_meanwhile_does_not() -> None:
    meter = Meter()
    meter.counter.restore(5000.0, 60.0, meter.now_s)
    assert meter.says(5012.0, 5012.0, 5012.0) == 0.0
    meter.now_s += 100.0
    assert meter.says(5012.5) == pytest.approx(0.5), "but what comes then does"


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(), st.floats(0.0, 10.0), st.none()),
            st.floats(0.0, 0.1),
            st.floats(0.0, 2000.0),
        ),
        max_size=60,
    )
)
def test_it_never_runs_backwards_nor_away(said: list[tuple[float | None, float, float]]) -> None:
    counter, now_s, before_kwh, flowed_kwh = MeterCounter(), 0.0, 0.0, 0.0
    for count_kwh, flows_kwh, seconds in said:
        now_s += seconds
        flowed_kwh += flows_kwh
        counter.add(flows_kwh, now_s)
        if count_kwh is not None:
            counter.follow(count_kwh, now_s)
        assert counter.total_kwh >= before_kwh
        before_kwh = counter.total_kwh
    assert before_kwh <= flowed_kwh + 1.0 + 50.0 * now_s / 3600.0 + 1e-9
