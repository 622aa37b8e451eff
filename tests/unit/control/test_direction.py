"""Directions change for what they are worth: small surpluses wait longer, short gaps are idled."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan

import pytest
from conftest import CHARGER
from conftest import house as a_house
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.direction import DirectionKeeper
from gridzero.control.switches import ALL_ON, Switches
from gridzero.domain.reasons import Because

TICK_S = 0.25
SLOW_START = replace(
    CHARGER,
    spec=replace(CHARGER.spec, min_w=50.0, dynamics=replace(CHARGER.spec.dynamics, start_s=10.0)),
)


class Day:
    """Ticks of a quarter second; every wish is carried out as it is allowed."""

    def __init__(self, switches: Switches = ALL_ON, min_charge_w: float = 0.0) -> None:
        self.keeper = DirectionKeeper(switches, min_charge_w)
        self.now_s = 100.0
        self.because: Because | None = None

    def wants(self, wish_w: float, seconds: float = TICK_S, price: float = 1.0) -> list[float]:
        """What was allowed in each tick."""
        return [self._tick(wish_w, price) for _ in range(round(seconds / TICK_S))]

    def _tick(self, wish_w: float, price: float) -> float:
        now = a_house(now_s=self.now_s, chargers=(SLOW_START,))
        allowed_w, self.because = self.keeper.allow(wish_w, now, price)
        self.keeper.ran(allowed_w)
        self.now_s += TICK_S
        return allowed_w


def waits_s(wish_w: float, price: float = 1.0) -> float:
    """How long a surplus waits before charging begins."""
    day = Day()
    day.wants(0.0)
    allowed = day.wants(wish_w, 60.0, price)
    return next(i for i, w in enumerate(allowed) if w < 0.0) * TICK_S


def test_a_deficit_is_met_at_once_from_any_side() -> None:
    day = Day()
    assert day.wants(400.0) == [400.0]
    day.wants(-900.0, 5.0)
    day.wants(900.0, 30.0)
    assert day.wants(400.0) == [400.0]


def test_a_small_surplus_waits_longer_than_a_large_one() -> None:
    assert waits_s(-2000.0) <= TICK_S
    assert waits_s(-400.0) == pytest.approx(0.25, abs=TICK_S)
    assert waits_s(-100.0) == pytest.approx(1.0, abs=TICK_S)


def test_the_wait_is_told_and_nothing_flows_meanwhile() -> None:
    day = Day()
    assert day.wants(-80.0, 0.5) == [0.0, 0.0]
    assert day.because is Because.ZERO_CROSS_HOLD


def test_a_dear_start_waits_longer() -> None:
    assert waits_s(-100.0, price=3.0) == pytest.approx(3.0, abs=TICK_S)


def test_what_a_charger_cannot_hold_never_starts_it() -> None:
    day = Day()
    assert set(day.wants(-74.0, 60.0)) == {0.0}
    assert day.because is Because.BELOW_MINIMUM


def test_the_owner_may_ask_for_more_than_that() -> None:
    assert set(Day(min_charge_w=300.0).wants(-290.0, 30.0)) == {0.0}
    assert Day(min_charge_w=300.0).wants(-310.0, 30.0)[-1] == -310.0


def test_import_in_between_pays_back_what_was_let_go() -> None:
    day = Day()
    for _ in range(40):
        assert day.wants(-90.0, 0.75) == [0.0] * 3
        day.wants(200.0, 0.75)


def test_a_day_with_a_full_battery_does_not_count_for_ever() -> None:
    day = Day()
    for _ in range(3600):
        day.keeper.allow(-2000.0, a_house(now_s=day.now_s, chargers=(SLOW_START,)), 1.0)
        day.keeper.ran(0.0)
        day.now_s += TICK_S
    day.wants(300.0, 2.0)
    assert day.wants(-90.0) == [0.0]


def test_without_the_part_a_surplus_is_stored_at_once() -> None:
    day = Day(ALL_ON.without("zero_cross_hold"))
    assert day.wants(-90.0) == [-90.0]


def idled_ws(allowed: list[float], wish_w: float) -> float:
    return sum((wish_w - w) * TICK_S for w in allowed if w < 0.0)


def test_a_surplus_that_is_gone_for_good_is_idled_for_a_bounded_energy() -> None:
    day = Day()
    day.wants(-800.0, 30.0)
    night = day.wants(300.0, 60.0)
    assert set(night) == {-50.0, 300.0}
    assert night[-1] == 300.0
    assert 0.0 < idled_ws(night, 300.0) < 0.1 * 10.0 * 800.0 + 100.0


def with_experience(absence_s: float, times: int = 3) -> Day:
    """A day on which surpluses were away for so long, several times."""
    day = Day()
    for _ in range(times):
        day.wants(-800.0, 20.0)
        day.wants(250.0, absence_s)
    day.wants(-800.0, 20.0)
    return day


def test_a_charger_is_kept_warm_where_surpluses_came_back_soon() -> None:
    assert set(with_experience(4.0).wants(250.0, 4.0)) == {-50.0}


def test_it_is_not_kept_warm_where_they_stayed_away() -> None:
    allowed = with_experience(60.0).wants(250.0, 4.0)
    assert idled_ws(allowed, 250.0) < 200.0


def test_even_with_experience_it_stops_in_the_end() -> None:
    allowed = with_experience(4.0).wants(250.0, 60.0)
    assert allowed[-1] == 250.0
    assert idled_ws(allowed, 250.0) < 1.3 * 4.0 * 300.0 + 100.0


def test_keeping_warm_is_told() -> None:
    day = with_experience(4.0)
    day.wants(250.0)
    assert day.because is Because.KEEPING_WARM


def test_without_the_part_it_stops_at_once() -> None:
    day = Day(ALL_ON.without("keep_warm"))
    day.wants(-800.0, 30.0)
    assert day.wants(250.0) == [250.0]


def test_a_limit_that_stopped_the_charger_is_heard() -> None:
    day = Day()
    day.wants(-800.0, 30.0)
    day.keeper.ran(0.0)
    assert day.wants(250.0) == [250.0], "nothing is left to keep warm"


@pytest.mark.parametrize("silent", [True, False])
def test_without_a_charger_the_wish_goes_on_to_the_guard(*, silent: bool) -> None:
    chargers = (replace(SLOW_START, silent=True),) if silent else ()
    allowed = DirectionKeeper().allow(-500.0, a_house(chargers=chargers), 1.0)
    assert allowed == (-500.0, None)


@pytest.mark.parametrize("wish_w", [nan, inf, -inf])
def test_what_is_no_wish_is_for_the_guard_to_refuse_and_is_not_remembered(wish_w: float) -> None:
    day = Day()
    day.wants(-400.0)
    allowed_w, _ = day.keeper.allow(wish_w, a_house(now_s=day.now_s), 1.0)
    day.keeper.ran(0.0)
    assert isnan(allowed_w) if isnan(wish_w) else allowed_w == wish_w
    assert day.wants(300.0) == [300.0]
    assert day.wants(-80.0) == [0.0]


wishes = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.25, 0.25, 5.0, 1e6, -3.0]),
        st.floats(-5000.0, 5000.0) | st.sampled_from([-50.0, -75.0, 0.0, -0.0]),
        st.floats(1.0, 3.0),
    ),
    max_size=60,
)
keepers = st.builds(
    DirectionKeeper,
    st.sampled_from([ALL_ON, ALL_ON.without("keep_warm"), ALL_ON.without("zero_cross_hold")]),
    st.sampled_from([0.0, 200.0]),
)


@given(wishes, keepers, st.lists(st.booleans(), min_size=60, max_size=60))
def test_only_the_wish_or_rest_or_the_smallest_charge_is_ever_allowed(
    asked: list[tuple[float, float, float]], keeper: DirectionKeeper, stopped: list[bool]
) -> None:
    now_s = 100.0
    for (seconds, wish_w, price), is_stopped in zip(asked, stopped, strict=False):
        now_s += seconds
        allowed_w, because = keeper.allow(
            wish_w, a_house(now_s=now_s, chargers=(SLOW_START,)), price
        )
        assert allowed_w in (wish_w, 0.0, -50.0)
        assert (allowed_w == wish_w) or because is not None or wish_w < 0.0
        assert allowed_w <= max(wish_w, 0.0), "never more toward the grid than is asked"
        keeper.ran(0.0 if is_stopped else allowed_w)
