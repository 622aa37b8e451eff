from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from conftest import CHARGER, INVERTER

from gridzero.control.dispatch import Dispatcher
from gridzero.control.health import Health
from gridzero.control.ledger import Ledger
from gridzero.control.meter_watch import MeterWatch, Verdict
from gridzero.control.reading_order import ReadingOrder
from gridzero.control.retry import split_with_try
from gridzero.control.step_test import Answer, Seen, StepTest, is_calm
from gridzero.control.unit_health import State, UnitHealth
from gridzero.control.unseen import Unseen
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.plan import Aim
from gridzero.domain.readings import ConverterReading, CurrentReading, MeterReading
from gridzero.domain.snapshot import Snapshot

House = Callable[..., Snapshot]


# --- step test -------------------------------------------------------------------------------


def answer_of(responds: Callable[[float], float], promised_w: float = 400.0) -> Answer | None:
    """A step from promised_w to 0 at 0 s; responds: what the witness has moved by at a time."""
    test, at_s = StepTest(Seen(0.0, -100.0, promised_w)), 0.0
    while at_s < 15.0:
        at_s += 0.5
        answer = test.take(Seen(at_s, -100.0 + responds(at_s), 0.0))
        if answer:
            return answer
    return None


@pytest.mark.parametrize(
    ("responds", "answer"),
    [
        (lambda _t: -400.0, Answer.FOLLOWS),
        (lambda t: -400.0 * (t > 2.0), Answer.FOLLOWS),
        (lambda _t: 3.0, Answer.NOTHING),
        (lambda _t: -200.0, Answer.UNCLEAR),
        (lambda _t: 400.0, Answer.UNCLEAR),
        (lambda t: -70.0 * t, Answer.UNCLEAR),
        (lambda _t: -1500.0, Answer.UNCLEAR),
    ],
)
def test_a_step_is_followed_or_not_or_nobody_knows(
    responds: Callable[[float], float], answer: Answer
) -> None:
    assert answer_of(responds) is answer


def test_a_step_that_never_comes_is_given_up() -> None:
    test = StepTest(Seen(0.0, 0.0, 0.0))
    answers = [test.take(Seen(0.5 * i, 0.0, 30.0)) for i in range(1, 30)]
    assert Answer.UNCLEAR in answers
    assert answers[:20] == [None] * 20


def test_only_a_calm_witness_can_show_a_step() -> None:
    looks = [Seen(0.5 * i, w, 300.0) for i, w in enumerate((0.0, 20.0, 5.0))]
    assert is_calm(looks, 300.0)
    assert not is_calm(looks, 50.0)
    assert not is_calm(looks[:2], 300.0)


# --- suspicion by the meter alone ------------------------------------------------------------


def suspected_s(
    net_load: Callable[[float], float], follows: Callable[[float], bool], *, own_w: float = 0.0
) -> float | None:
    """When an inverter of 900 W becomes suspicious that should hold the grid at zero."""
    unseen = Unseen()
    for i in range(200):
        at_s = 0.5 * i
        given_w = own_w if follows(at_s) else 0.0
        grid_w = net_load(at_s) - given_w
        if unseen.update(at_s, grid_w, own_w, grid_w):
            return at_s
        wish_w = own_w + grid_w
        own_w = min(max(wish_w, own_w - 50.0), own_w + 37.5, 900.0)
    return None


def test_what_is_given_is_not_suspicious() -> None:
    assert suspected_s(lambda _t: 500.0, lambda _t: True) is None
    assert suspected_s(lambda t: 200.0 + 500.0 * (t % 40 > 20), lambda _t: True) is None


def test_a_unit_that_never_answers_is_suspicious_after_some_seconds() -> None:
    found_s = suspected_s(lambda _t: 300.0, lambda _t: False)
    assert found_s is not None
    assert found_s < 6.0


def test_a_unit_that_stops_is_suspicious_after_some_seconds() -> None:
    found_s = suspected_s(lambda _t: 500.0, lambda t: t < 30.0)
    assert found_s is not None
    assert found_s - 30.0 < 4.0


def test_a_unit_at_its_maximum_that_loses_all_at_once_is_suspicious() -> None:
    found_s = suspected_s(lambda _t: 1500.0, lambda t: t < 60.0, own_w=900.0)
    assert found_s is not None
    assert found_s - 60.0 < 6.0


def test_what_has_not_been_seen_for_minutes_is_asked_by_routine() -> None:
    unseen = Unseen()
    first_s = next(0.5 * i for i in range(1000) if unseen.update(0.5 * i, 1400.0, 864.0, 500.0))
    assert unseen.is_routine
    assert 300.0 < first_s < 302.0
    unseen.was_asked(first_s)
    again_s = next(
        first_s + 0.5 * i
        for i in range(2000)
        if unseen.update(first_s + 0.5 * i, 1400.0, 864.0, 500.0)
    )
    assert again_s - first_s > 350.0, "less often when it was all right"


# --- one unit --------------------------------------------------------------------------------


def test_a_unit_by_its_own_report_good_suspect_out_and_back() -> None:
    unit, seen = UnitHealth(INVERTER, inverts=True), []
    for i in range(40):
        at_s = 1.0 * i
        unit.tick(at_s, 400.0)
        unit.measured(at_s, 0.0 if unit.is_held(at_s) else 400.0, 0.0, "its own report")
        seen.append((unit.state, unit.is_held(at_s), unit.try_w(at_s)))
    states = [state for state, _, _ in seen]
    assert states.index(State.SUSPECT) == 4
    assert states.index(State.OUT) == 15
    assert [held for _, held, _ in seen[:9]] == [False] * 4 + [True, True] + [False] * 3
    assert next(i for i, (_, _, w) in enumerate(seen) if w > 0) == 30
    assert "nothing" in unit.words
    unit.measured(41.0, 300.0, 290.0, "its own report")
    assert (unit.state, unit.words) == (State.GOOD, "")


def test_pauses_between_tries_grow_up_to_ten_minutes() -> None:
    unit, tries = UnitHealth(INVERTER, inverts=True), []
    for i in range(4000):
        at_s = 1.0 * i
        power_w = 400.0 if unit.state is not State.OUT else unit.try_w(at_s)
        unit.tick(at_s, power_w)
        unit.measured(at_s, power_w, 0.0, "its own report")
        if unit.state is State.OUT and power_w > 0 and (not tries or at_s - tries[-1] > 35):
            tries.append(at_s)
    pauses = [b - a for a, b in itertools.pairwise(tries)]
    assert pauses == sorted(pauses)
    assert 600.0 < pauses[-1] < 640.0


def test_a_charger_is_not_woken_by_zero() -> None:
    unit = UnitHealth(CHARGER, inverts=False)
    for i in range(10):
        unit.measured(1.0 * i, 1500.0, 0.0, "its own report")
    assert unit.state is State.SUSPECT
    assert not unit.is_held(4.5)


def test_a_part_is_told_but_not_left_out_and_ends_with_lasting_good() -> None:
    unit = UnitHealth(INVERTER, inverts=True)
    for i in range(30):
        unit.measured(1.0 * i, 400.0, 200.0, "the shunt")
    assert unit.state is State.SUSPECT
    assert "50 %" in unit.words
    unit.measured(30.0, 400.0, 395.0, "the shunt")
    assert unit.state is State.SUSPECT, "not in passing"
    for i in range(31, 38):
        unit.measured(1.0 * i, 400.0, 395.0, "the shunt")
    assert unit.state is State.GOOD


def test_little_power_says_nothing() -> None:
    unit = UnitHealth(INVERTER, inverts=True)
    for i in range(60):
        unit.measured(1.0 * i, 90.0, 0.0, "its own report")
    assert unit.state is State.GOOD


def asked() -> UnitHealth:
    """A unit in the first half of a test, at 2 s."""
    unit = UnitHealth(INVERTER, inverts=True)
    for i in range(5):
        unit.witnessed(Seen(0.5 * i, -500.0, 400.0), "the meter", suspicious=i == 4)
    assert unit.is_held(2.0)
    return unit


def test_a_unit_is_not_held_at_zero_when_the_witness_leaves() -> None:
    unit = asked()
    unit.tick(16.0, 0.0)
    assert unit.is_held(16.0)
    unit.tick(18.0, 0.0)
    assert not unit.is_held(18.0)
    assert unit.state is State.GOOD


def test_another_witness_does_not_go_on_with_the_test_of_the_first() -> None:
    unit = asked()
    unit.witnessed(Seen(2.5, 0.0, 0.0), "the shunt", suspicious=False)
    assert unit.state is State.GOOD


def test_two_answers_of_nothing_take_a_unit_out_and_one_does_not() -> None:
    unit, at_s, promised_w = asked(), 2.0, 400.0
    states = []
    while at_s < 14.0:
        at_s += 0.5
        promised_w = 0.0 if unit.is_held(at_s) else promised_w + 37.5
        unit.witnessed(Seen(at_s, -503.0, promised_w), "the meter", suspicious=False)
        states.append((unit.state, unit.is_held(at_s)))
    assert (State.SUSPECT, False) in states, "after the first it is told its value again"
    assert states[-1][0] is State.OUT
    assert "the meter" in unit.words


# --- all together ----------------------------------------------------------------------------


def told_400_w(**changes: Any) -> Ledger:
    ledger = Ledger(
        {"inverter": INVERTER.spec.dynamics}, {"charger": CHARGER.spec.dynamics}, **changes
    )
    ledger.sent("inverter", 0.0, 400.0)
    return ledger


def test_the_report_of_a_unit_counts_more_than_the_shunt(house: House) -> None:
    health, ledger = Health(), told_400_w()
    for i in range(80):
        now_s = 20.0 + 0.25 * i
        report = ConverterReading(at_s=now_s, ac_w=395.0)
        idle = replace(CHARGER, reading=ConverterReading(at_s=now_s, dc_a=0.0))
        now = house(
            now_s=now_s,
            inverters=(replace(INVERTER, reading=report),),
            chargers=(idle,),
            shunt=CurrentReading(now_s, 0.0),
        )
        health.update(now, ledger)
    assert not health.out
    assert not health.told


def test_a_shunt_that_shows_nothing_takes_the_only_inverter_out(house: House) -> None:
    health, ledger = Health(), told_400_w()
    for i in range(80):
        now_s = 20.0 + 0.25 * i
        idle = replace(CHARGER, reading=ConverterReading(at_s=now_s, dc_a=0.0))
        health.update(house(now_s=now_s, chargers=(idle,)), ledger)
    assert health.out == {"inverter"}
    assert health.hinders(300.0)
    assert not health.hinders(-300.0)
    assert ledger.own_w(39.0) < 60.0, "what is not given is not counted"
    assert ledger.promised_w("inverter", 39.0) == 400.0


def test_a_try_gets_its_share_first(house: House) -> None:
    health, ledger = Health(), told_400_w()
    for i in range(140):
        now_s = 20.0 + 0.25 * i
        idle = replace(CHARGER, reading=ConverterReading(at_s=now_s, dc_a=0.0))
        health.update(house(now_s=now_s, chargers=(idle,)), ledger)
    assert health.tries == {"inverter": 300.0}
    dispatcher = Dispatcher(150.0, 30.0)
    assert split_with_try(dispatcher, 500.0, house(), health).units["inverter"] == 300.0
    assert split_with_try(dispatcher, 200.0, house(), health).units["inverter"] == 200.0
    assert split_with_try(dispatcher, 90.0, house(), health).units["inverter"] == 0.0
    assert split_with_try(dispatcher, -500.0, house(), health).units["inverter"] == 0.0


# --- the meter -------------------------------------------------------------------------------


def test_a_reading_counts_once() -> None:
    order = ReadingOrder()
    assert all(order.is_news(MeterReading(0.5 * i, 0.5 * i + 0.3, 100.0)) for i in range(10))
    assert not order.is_news(MeterReading(4.51, 4.81, 100.0)), "sent twice"
    assert order.is_news(MeterReading(4.6, 4.9, 250.0)), "early, but another number"
    assert not order.is_news(MeterReading(4.6, 5.3, 180.0)), "the same stamp"
    assert not order.is_news(MeterReading(4.0, 5.5, 120.0)), "older than the last"
    assert order.is_news(MeterReading(5.5, 5.8, 100.0))


def test_a_meter_that_stands_still_is_asked_and_then_left_in_peace() -> None:
    watch, own_w, tested_s = MeterWatch(), 400.0, []
    for i in range(600):
        now_s = 0.5 * i
        watch.update(now_s, 400.0 - own_w, own_w)
        testing = watch.verdict(now_s) is Verdict.TESTING
        if testing and own_w:
            tested_s.append(now_s)
        own_w = 0.0 if testing else 400.0
    assert watch.verdict(300.0) is Verdict.GOOD
    assert 1 <= len(tested_s) <= 3


def test_a_meter_that_stands_still_whatever_happens_is_frozen_until_it_moves() -> None:
    watch, own_w = MeterWatch(), 400.0
    for i in range(100):
        now_s = 0.5 * i
        watch.update(now_s, 0.0, own_w)
        own_w = 0.0 if watch.verdict(now_s) is not Verdict.GOOD else 400.0
    assert watch.verdict(50.0) is Verdict.FROZEN
    for i in range(100, 104):
        watch.update(0.5 * i, 400.0 + i, 0.0)
    assert watch.verdict(52.5) is Verdict.GOOD


def test_a_fixed_mode_is_not_disturbed_by_tests_of_the_meter(house: House) -> None:
    health, ledger = Health(), told_400_w()
    wanted = Wanted(mode=Mode.DISCHARGE, power_w=400.0)
    for i in range(200):
        now_s = 20.0 + 0.5 * i
        now = house(now_s=now_s, wanted=wanted, shunt=None, shunt_expected=False)
        health.update(now, ledger)
        health.reading(MeterReading(now_s, now_s, 7.0), now, ledger, Aim(0.0, 0.0))
        assert health.verdict(now_s) is Verdict.GOOD
