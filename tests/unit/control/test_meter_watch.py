"""A meter with the wrong sign or a frozen one is found; a right one is never called wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gridzero.control.meter_watch import MeterWatch, Verdict


def meter_story(sign: float, load: Callable[[float], float]) -> set[Verdict]:
    """What the watch says while an inverter of 900 W follows what the meter shows."""
    watch, own_w, seen = MeterWatch(), 0.0, set()
    for i in range(1200):
        now_s = 0.5 * i
        true_w = load(now_s) - own_w
        watch.update(now_s, sign * true_w + (i % 3) * 0.5, own_w)
        verdict = watch.verdict(now_s)
        seen.add(verdict)
        wish_w = own_w + sign * true_w if verdict is Verdict.GOOD else 0.0
        own_w = 0.0 if wish_w <= 0 else min(own_w + 37.5, max(own_w - 50.0, wish_w), 900.0)
    return seen


@pytest.mark.parametrize(
    "load",
    [
        lambda _t: 400.0,
        lambda t: 200.0 + 1800.0 * (t % 200 > 100),
        lambda t: 300.0 + 2.0 * min(t % 300, 150),
        lambda t: 100.0 + 300.0 * min(t % 120, 10),
        lambda t: 150.0 + 1500.0 * (t % 15 < 6),
    ],
)
def test_a_right_meter_is_never_called_wrong(load: Callable[[float], float]) -> None:
    assert meter_story(1.0, load) <= {Verdict.GOOD, Verdict.TESTING}


def test_a_wrong_sign_is_found_and_confirmed_at_zero_power() -> None:
    assert Verdict.SIGN in meter_story(-1.0, lambda _t: -150.0)


def test_a_meter_that_repeats_itself_is_found_only_when_it_should_have_moved() -> None:
    watch = MeterWatch()
    for i in range(100):
        watch.update(0.5 * i, 150.0, 0.0)
    assert watch.verdict(50.0) is Verdict.GOOD
    for i in range(100, 108):
        watch.update(0.5 * i, 150.0, 300.0)
    assert watch.verdict(54.0) is Verdict.GOOD, "the model may be early"
    for i in range(108, 120):
        watch.update(0.5 * i, 150.0, 300.0)
    assert watch.verdict(60.0) is Verdict.FROZEN
    assert watch.verdict(400.0) is Verdict.GOOD
