from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from mqtt_meter_site import near

from gridzero_drivers.metering.codec import NoReading
from gridzero_drivers.metering.stamps import StampClock

EPOCH_S = 1_700_000_000.0


def test_lag_is_what_comes_on_top_of_the_fastest_message() -> None:
    clock = StampClock()
    assert clock.lag_s(EPOCH_S + 0.25, 5.25) == 0
    assert clock.lag_s(EPOCH_S + 0.75, 6.15) == near(0.4)
    assert clock.lag_s(EPOCH_S + 1.25, 6.25) == 0


def test_a_repeated_or_older_stamp_is_not_new() -> None:
    clock = StampClock()
    clock.lag_s(EPOCH_S, 0.0)
    assert clock.lag_s(EPOCH_S, 0.5) is NoReading.REPEATED
    assert clock.lag_s(EPOCH_S - 3, 1.0) is NoReading.REPEATED
    assert clock.lag_s(EPOCH_S + 1, 1.5) == 0


def test_whole_seconds_show_no_lag_below_a_second() -> None:
    clock = StampClock()
    lags = [clock.lag_s(EPOCH_S + int(t * 1.3), t * 1.3) for t in range(40)]
    assert lags == [0.0] * 40
    assert clock.lag_s(EPOCH_S + 60, 63.5) == near(2.5)


def test_a_queue_that_is_emptied_after_an_outage_is_stale_up_to_its_fresh_end() -> None:
    clock = StampClock()
    clock.lag_s(EPOCH_S + 0.5, 0.5)
    burst = [clock.lag_s(EPOCH_S + 1.5 + i, 60.0) for i in range(59)]
    assert burst[0] is NoReading.STALE
    assert burst[-1] == near(0.5)
    assert burst.count(NoReading.STALE) == 49


def test_a_clock_set_back_is_learnt_anew() -> None:
    clock = StampClock()
    for t in range(20):
        assert clock.lag_s(EPOCH_S + t + 0.5, float(t)) == 0
    lags = [clock.lag_s(EPOCH_S + t + 0.5 - 3600, float(t)) for t in range(20, 60)]
    assert lags[:10] == [NoReading.STALE] * 10
    assert lags[10:] == [0.0] * 30


def test_a_clock_set_forward_is_followed_at_once() -> None:
    clock = StampClock()
    clock.lag_s(EPOCH_S + 0.5, 0.0)
    assert clock.lag_s(EPOCH_S + 7200.5, 1.0) == 0
    assert clock.lag_s(EPOCH_S + 7201.5, 2.0) == 0


def test_a_slow_clock_does_not_look_like_lag() -> None:
    clock = StampClock()
    lags = [clock.lag_s(EPOCH_S + 0.123 + t * 0.9999, float(t)) for t in range(86_400)]
    assert max(lag for lag in lags if isinstance(lag, float)) < 0.02
    assert NoReading.STALE not in lags


@given(st.lists(st.tuples(st.floats(0, 1e10), st.floats(0, 100)), max_size=60))
def test_lag_is_bounded_whatever_the_stamps_say(steps: list[tuple[float, float]]) -> None:
    clock, now_s = StampClock(), 0.0
    for stamp_s, wait_s in steps:
        now_s += wait_s
        lag_s = clock.lag_s(stamp_s, now_s)
        assert isinstance(lag_s, NoReading) or 0 <= lag_s <= 10
