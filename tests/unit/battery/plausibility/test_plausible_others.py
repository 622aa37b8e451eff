"""Temperatures, the shunt, and what consumers are given."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_bench import REFERENCE, Bank, Bounds, believed_cells, untroubled

from gridzero.battery.plausibility.flow import Flow
from gridzero.battery.plausibility.judge import Plausibility
from gridzero.battery.plausibility.rules import PlausibilityRules
from gridzero.battery.profile import VW_GTE_12S
from gridzero.battery.view import BatteryViewer, estimates_of
from gridzero.domain.trust import UNTROUBLED, Blame, CellDoubt, Oddity, Trust

# -- sums that agree, before anything is bled


def test_a_module_is_proven_once_its_sum_was_seen_to_agree_with_little_current() -> None:
    bank = Bank(("a3", "b1", "b3", "b4"))
    bank.current_a = 3.0
    assert bank.run(20)[-1].unproven == {"a3", "b1", "b3", "b4"}
    bank.offset_v = {"b3.2": 0.045, "b3.7": 0.045}  # no single cell explains it
    assert bank.run(400)[-1].unproven == {"b3"}
    bank.offset_v = {}
    assert not bank.run(400)[-1].unproven


def test_too_few_modules_prove_nothing_and_hinder_nothing() -> None:
    bank = Bank(("a3", "b1", "b3"))
    assert not any(trust.unproven for trust in bank.run(30))


# -- temperatures


def test_zero_degrees_is_a_temperature_and_a_missing_sensor_is_not_judged() -> None:
    bank = Bank()
    bank.temps = dict.fromkeys(bank.modules, 0.0) | {"b3": None, "b4": 1.0}
    assert all(map(untroubled, bank.run(90)))


def test_a_sensor_far_from_the_others_is_odd_after_a_minute() -> None:
    bank = Bank(("a3", "b1", "b3"))
    bank.temps["b3"] = 0.0
    assert not bank.run(50)[-1].odd_temps
    assert "reads -1.5 °C, the other modules about 18.5 °C" in bank.run(20)[-1].odd_temps["b3"]
    bank.temps["b3"] = 15.0
    bank.run(320)
    assert not bank.trust.odd_temps


def test_a_sensor_that_stands_while_the_others_move_is_stuck() -> None:
    bank = Bank()
    for step in range(10):
        bank.temps = dict.fromkeys(bank.modules, 20.0 + 0.5 * step) | {"b3": 20.0}
        bank.run(10)
    assert bank.trust.odd_temps == {"b3": "stands at 18.5 °C while the other modules moved"}
    bank.temps["b3"] = 24.0
    assert not bank.run(6)[-1].odd_temps


def test_a_sensor_that_was_first_to_come_back_is_not_stuck() -> None:
    bank = Bank(("a3", "b1", "b3"))
    bank.run(20)
    bank.temps = dict.fromkeys(bank.modules, 8.0)
    bank.run(10)
    bank.temps["b3"] = 20.0
    bank.run(10)
    bank.temps = dict.fromkeys(bank.modules, 20.0)
    bank.run(320)
    assert not bank.trust.odd_temps


def test_a_temperature_that_jumps_is_odd() -> None:
    bank = Bank()
    bank.run(20)
    bank.temps["b3"] = 30.0
    assert "jumped" in bank.run(10)[-1].odd_temps["b3"]


def test_two_modules_cannot_tell_whose_temperature_is_wrong() -> None:
    bank = Bank(("a3", "b1"))
    bank.temps["b1"] = -40.0
    assert all(map(untroubled, bank.run(90)))


# -- the shunt


def test_the_offset_of_the_shunt_is_learned_at_rest_only() -> None:
    bank = Bank(REFERENCE[:2], current_a=10.0, shunt_error_a=0.25)
    assert bank.run(120)[-1].shunt_offset_a is None
    bank.current_a = 0.0
    assert bank.run(30)[-1].shunt_offset_a is None
    assert bank.run(60)[-1].shunt_offset_a == pytest.approx(0.25, abs=0.03)
    bank.current_a = 20.0
    assert bank.run(60)[-1].shunt_offset_a == pytest.approx(0.25, abs=0.03)
    bank.current_a, bank.shunt_error_a = 0.0, -0.4
    assert bank.run(600)[-1].shunt_offset_a == pytest.approx(-0.4, abs=0.03)


def test_a_current_that_nobody_knows_of_is_no_offset() -> None:
    bank = Bank(current_a=5.0, flow=Flow(0.0, at_rest=True))
    assert bank.run(120)[-1].shunt_offset_a is None


def test_a_shunt_with_exchanged_wires_is_told_after_ten_seconds_and_cleared_when_right() -> None:
    bank = Bank(current_a=20.0, shunt_sign=-1)
    assert not bank.run(9)[-1].shunt_sign_wrong
    assert bank.run(3)[-1].shunt_sign_wrong
    bank.shunt_sign = 1
    assert bank.run(5)[-1].shunt_sign_wrong
    assert not bank.run(8)[-1].shunt_sign_wrong


def _held_back(bank: Bank, seconds: float, wanted_a: float) -> list[bool]:
    """A house that lets no current flow while the shunt is accused; the verdict of each tick."""
    told = []
    for _ in range(round(seconds / bank.tick_s)):
        accused = bank.trust.shunt_sign_wrong or bank.trust.shunt_stuck
        bank.current_a = 0.0 if accused else wanted_a
        bank.tick()
        told.append(bank.trust.shunt_sign_wrong or bank.trust.shunt_stuck)
    return told


def test_a_shunt_of_the_right_sign_again_is_believed_after_a_minute_without_any_current() -> None:
    bank = Bank(current_a=20.0, shunt_sign=-1)
    bank.run(12)
    bank.shunt_sign = 1
    assert all(_held_back(bank, 55, 20.0))
    assert not any(_held_back(bank, 120, 20.0)[round(10 / bank.tick_s) :])


def test_a_wrong_sign_is_seen_at_once_in_each_try_and_the_pauses_grow_to_half_an_hour() -> None:
    bank = Bank(("a1", "a2"), current_a=20.0, shunt_sign=-1)
    bank.run(12)
    told = _held_back(bank, 4 * 3600, 20.0)
    trials = [n for n, (was, now) in enumerate(pairwise(told)) if was and not now]
    pauses_s = [round((b - a) * bank.tick_s / 60.0) for a, b in pairwise(trials)]
    assert pauses_s == [2, 4, 8, 16, *[30] * (len(pauses_s) - 4)]
    assert (len(told) - sum(told)) * bank.tick_s < 4.5 * len(trials)


def test_a_stuck_shunt_that_shows_the_same_value_at_rest_gets_its_tries_as_well() -> None:
    bank = Bank(("a1", "a2"), flow=Flow(0.0))
    bank.dice.gauss = lambda _mu, _sigma: 0.0  # type: ignore[method-assign]  # no noise
    bank.run(5)
    bank.flow = Flow(30.0)
    bank.run(12)
    assert bank.trust.shunt_stuck
    bank.flow = Flow(0.0)
    assert bank.run(50)[-1].shunt_stuck
    assert not bank.run(10)[-1].shunt_stuck
    bank.flow = Flow(30.0)
    assert bank.run(5)[-1].shunt_stuck
    bank.flow = None
    assert not _held_back(bank, 140, 30.0)[-1]


def test_a_shunt_that_answers_a_second_late_after_a_night_of_the_same_value_is_not_stuck() -> None:
    bank = Bank(("a1", "a2"))
    bank.dice.gauss = lambda _mu, _sigma: 0.0  # type: ignore[method-assign]  # no noise
    bank.run(60)
    bank.flow = Flow(30.0)
    told = bank.run(1.5)
    bank.current_a = 30.0
    assert not any(trust.shunt_stuck for trust in told + bank.run(20))


def test_a_moment_of_the_other_sign_is_no_exchanged_wire() -> None:
    bank = Bank(current_a=20.0)
    for sign in (1, -1) * 5:
        bank.shunt_sign = sign
        assert not bank.run(4)[-1].shunt_sign_wrong


def test_a_shunt_that_stands_still_while_the_converters_move_is_stuck() -> None:
    bank = Bank(current_a=0.0)
    bank.dice.gauss = lambda _mu, _sigma: 0.0  # type: ignore[method-assign]  # no noise
    bank.flow = Flow(0.0)
    assert not bank.run(20)[-1].shunt_stuck
    bank.flow = Flow(30.0)
    assert bank.run(20)[-1].shunt_stuck
    bank.current_a = 30.0
    assert not bank.run(2)[-1].shunt_stuck


def test_without_a_shunt_the_converters_speak_and_without_both_it_is_judged_all_the_same() -> None:
    for flow in (Flow(30.0), Flow()):
        bank = Bank(current_a=30.0, has_shunt=False, flow=flow)
        bank.fixed_v["a3.5"] = 2.58
        trust = bank.run(20)[-1]
        assert trust.misread("a3", 5)
        assert trust.shunt_offset_a is None


@pytest.mark.parametrize("wrong_a", [float("nan"), float("inf"), -1e9])
def test_a_shunt_that_reads_what_cannot_be_changes_no_judgement(wrong_a: float) -> None:
    bank = Bank(soc=0.4, shunt_error_a=wrong_a)
    bank.fixed_v["a3.5"] = 2.58
    bank.pack.set_cell_soc("b3", 2, -0.1)
    trusts = bank.run(40)
    assert trusts[-1].misread("a3", 5)
    assert trusts[-1].cells["b3.2"].blame is Blame.CELL
    assert trusts[-1].shunt_offset_a is None
    assert not trusts[-1].shunt_sign_wrong


# -- what consumers are given


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 9),
    soc=st.floats(0.15, 0.9),
    cell=st.integers(1, 12),
    offset_v=st.one_of(st.floats(-1.5, -0.4), st.floats(0.4, 1.2)),
)
def test_the_truth_lies_within_what_is_believed(
    seed: int, count: int, soc: float, cell: int, offset_v: float
) -> None:
    bank = Bank(REFERENCE[:count], soc=soc, seed=seed, noise_v=0.003)
    bank.offset_v[f"a3.{cell}"] = offset_v
    bank.run(5)
    for trust in bank.run(5):
        assert trust.misread("a3", cell)
        for module in bank.modules:
            believed = believed_cells(bank.readings[module], trust)
            for bounds, true_v in zip(believed, bank.pack.cell_v(module), strict=True):
                assert bounds is not None
                assert bounds.low_v - 0.02 <= true_v <= bounds.high_v + 0.02


def test_a_misread_cell_is_believed_within_bounds_and_all_others_as_they_read() -> None:
    bank = Bank(soc=0.4)
    bank.fixed_v["a3.5"] = 2.58
    trust = bank.run(10)[-1]
    module = bank.readings["a3"]
    believed = believed_cells(module, trust)
    misread = believed[4]
    assert misread is not None
    assert misread.low_v < bank.true_v("a3.5") < misread.high_v
    assert misread.high_v - misread.low_v < 0.2
    assert [b for i, b in enumerate(believed) if i != 4] == [
        Bounds(v, v) for i, v in enumerate(module.cell_v) if i != 4 and v is not None
    ]
    assert estimates_of(bank.readings["b3"], trust) == ()


def test_a_low_cell_and_a_missing_one_are_believed_as_they_read() -> None:
    bank = Bank(soc=0.4)
    bank.pack.set_cell_soc("a3", 5, -0.1)
    trust = bank.run(10)[-1]
    module = bank.readings["a3"]
    low_v = module.cell_v[4]
    assert low_v is not None
    assert believed_cells(module, trust)[4] == (low_v, low_v)
    gone = replace(module, cell_v=(None, *module.cell_v[1:]))
    assert believed_cells(gone, trust)[0] is None


def test_a_reading_that_stands_still_does_not_hide_what_the_sum_says() -> None:
    bank = Bank(("a3", "b1", "b2"))
    bank.run(2)
    bank.fixed_v["a3.5"] = round(bank.true_v("a3.5"), 3)
    for current_a in (50.0, -50.0) * 3 + (0.0,):
        bank.current_a = current_a
        bank.run(8)
    bank.pack.set_cell_soc("a3", 5, -0.05)
    trust = bank.run(5)[-1]
    bounds = believed_cells(bank.readings["a3"], trust)[4]
    assert bounds is not None
    assert bounds.low_v < bank.true_v("a3.5") < 2.9
    assert bounds.high_v >= bank.fixed_v["a3.5"]
    view = BatteryViewer(VW_GTE_12S).view(
        [bank.readings[name] for name in bank.modules], 0.0, trust
    )
    assert view is not None
    assert (view.min_cell, view.min_cell_v) == ("a3.5", bounds.low_v)


@pytest.mark.parametrize(
    ("blame", "estimate_v", "within_v", "low_v", "high_v"),
    [
        (Blame.UNDECIDED, 3.65, 0.10, 3.70, 3.70),  # the sum does not contradict it
        (Blame.UNDECIDED, 2.80, 0.10, 2.70, 3.70),
        (Blame.CELL, 4.30, 0.10, 3.70, 4.40),
        (Blame.UNDECIDED, 2.80, 0.60, 3.70, 3.70),  # too vague to say anything
        (Blame.UNDECIDED, None, 0.0, 3.70, 3.70),
        (Blame.SENSOR, 3.65, 0.10, 3.55, 3.75),
    ],
)
def test_what_is_not_excused_counts_as_the_worse_of_reading_and_sum(
    blame: Blame, estimate_v: float | None, within_v: float, low_v: float, high_v: float
) -> None:
    bank = Bank()
    bank.fixed_v["a3.5"] = 3.70
    bank.run(1)
    doubt = CellDoubt(
        module="a3",
        cell=5,
        oddity=Oddity.STUCK,
        blame=blame,
        reading_v=3.70,
        estimate_v=estimate_v,
        within_v=within_v,
        text="",
    )
    bounds = believed_cells(bank.readings["a3"], Trust(cells={doubt.name: doubt}))[4]
    assert bounds is not None
    assert list(bounds) == pytest.approx([low_v, high_v])


def test_between_rounds_the_judgement_is_the_same_object() -> None:
    bank = Bank(late_s=0.0)
    bank.run(10)
    judge, readings = bank.judge, list(bank.readings.values())
    first = judge.update(readings, None, now_s=bank.now_s)
    assert judge.update(readings, None, now_s=bank.now_s) is first


def test_nothing_read_is_nothing_doubted() -> None:
    assert Plausibility().update((), None, now_s=0.0) is UNTROUBLED


@pytest.mark.parametrize(
    "wrong",
    [{"sum_tolerance_v": 0.0}, {"sum_tolerance_v": 0.6}, {"like_v": 0.2}, {"earn_rounds": 1}],
)
def test_rules_by_which_nothing_could_be_judged_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"does not hold|earned"):
        PlausibilityRules(**wrong)  # type: ignore[arg-type]  # any of them


def test_modules_of_few_cells_and_of_no_cells_are_not_judged() -> None:
    bank = Bank()
    bank.fixed_v["a3.1"] = 2.58
    bank.run(1)
    for count in range(5):
        few = [
            replace(reading, cell_v=reading.cell_v[:count], cell_at_s=reading.cell_at_s[:count])
            for reading in bank.readings.values()
        ]
        assert untroubled(Plausibility().update(few, None, now_s=bank.now_s))
