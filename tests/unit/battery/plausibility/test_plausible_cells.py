"""A reading that lies is named; a cell that is low is never excused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_bench import REFERENCE, Bank, excused, only, untroubled

from gridzero.domain.trust import Blame, Oddity

PICTURE_V = 2.58


def picture(**given: object) -> Bank:
    """The reference house: cell 5 of module a3 reads 2.58 V, the pack is at 43.8 V."""
    bank = Bank(soc=0.4, **given)  # type: ignore[arg-type]  # the tests' own fields
    bank.fixed_v["a3.5"] = PICTURE_V
    return bank


# -- the reference house's picture


def test_the_picture_is_a_sensor_fault_from_the_first_sample_on() -> None:
    bank = picture()
    trusts = bank.run(10)
    first = next(i for i, trust in enumerate(trusts) if trust.misread("a3", 5))
    assert first * 0.25 <= 3.0
    assert not excused(trusts[:first])
    assert all(trust.misread("a3", 5) for trust in trusts[first:])
    doubt = only(trusts[-1])
    assert (doubt.oddity, doubt.blame, doubt.reading_v) == (Oddity.OFFSET, Blame.SENSOR, PICTURE_V)
    assert doubt.estimate_v == pytest.approx(bank.true_v("a3.5"), abs=doubt.within_v)
    assert 0.02 <= doubt.within_v < 0.07
    assert trusts[-1].common_v == pytest.approx(bank.pack.terminal_v, abs=0.02)


def test_a_sensor_that_fails_later_is_judged_as_fast() -> None:
    bank = Bank(soc=0.4)
    assert all(map(untroubled, bank.run(60)))
    bank.fixed_v["a3.5"] = PICTURE_V
    trusts = bank.run(10)
    assert trusts[3].cells["a3.5"].blame is Blame.UNDECIDED
    assert trusts[16].misread("a3", 5)


@pytest.mark.parametrize("late_s", [0.0, 0.25])
def test_load_steps_do_not_shake_the_excuse(late_s: float) -> None:
    bank = picture(late_s=late_s)
    bank.run(5)
    for current_a in (50.0, -20.0, 0.0, 30.0, 10.0, -50.0, 25.0):
        bank.current_a = current_a
        for trust in bank.run(2):
            doubt = only(trust)
            assert doubt.blame is Blame.SENSOR
            assert not trust.apart
    assert doubt.estimate_v == pytest.approx(bank.true_v("a3.5"), abs=doubt.within_v)
    assert "not yet proven" in doubt.text
    bank.current_a = 60.0
    assert "not yet proven" not in only(bank.run(60)[-1]).text


def test_the_excuse_ends_with_the_disagreement_and_has_to_be_earned_anew() -> None:
    bank = picture()
    bank.run(10)
    del bank.fixed_v["a3.5"]
    healed = bank.run(1)
    assert untroubled(healed[-1])
    bank.fixed_v["a3.5"] = PICTURE_V
    again = bank.run(4)
    assert not excused(again[:8])
    assert again[-1].misread("a3", 5)


def test_an_excused_cell_that_really_falls_is_not_excused_any_more() -> None:
    bank = Bank(soc=0.4)
    bank.offset_v["a3.5"] = -1.0
    bank.run(10)
    bank.pack.set_cell_soc("a3", 5, -0.05)
    assert not excused(bank.run(30)[2:])


def test_a_module_that_falls_silent_takes_its_excuse_along() -> None:
    bank = picture()
    bank.run(10)
    bank.silent.add("a3")
    trusts = bank.run(4)
    assert trusts[1].misread("a3", 5), "a late frame is no reason"
    assert trusts[-1].cells == {}


def test_four_modules_with_a_misread_cell_each_are_all_judged() -> None:
    bank = Bank()
    bank.fixed_v = {"a3.5": 2.58, "a7.1": 4.4, "b1.12": 3.1, "b4.3": 1.2}
    assert excused([bank.run(5)[-1]]) == {"a3.5", "a7.1", "b1.12", "b4.3"}


# -- cells that are low


@pytest.mark.parametrize("modules", [REFERENCE, REFERENCE[:3], REFERENCE[:2], REFERENCE[:1]])
def test_a_cell_that_is_low_is_never_excused(modules: tuple[str, ...]) -> None:
    bank = Bank(modules, soc=0.4)
    bank.pack.set_cell_soc("a3", 5, -0.1)
    trusts = bank.run(20)
    bank.current_a = 5.0 * len(modules)
    trusts += bank.run(20)
    assert excused(trusts) == set()
    alone = len(modules) == 1
    assert only(trusts[-1]).blame is (Blame.UNDECIDED if alone else Blame.CELL)


def test_a_low_cell_beside_a_misread_one_of_the_same_module_excuses_neither() -> None:
    bank = Bank(soc=0.4)
    bank.pack.set_cell_soc("a3", 5, -0.1)
    bank.offset_v["a3.9"] = -1.1
    trusts = bank.run(30)
    assert excused(trusts) == set()
    assert set(trusts[-1].cells) == {"a3.5", "a3.9"}
    assert trusts[-1].apart.keys() == {"a3"}


def test_a_low_cell_is_known_when_a_sensor_of_its_module_fails_later() -> None:
    bank = Bank(soc=0.4)
    bank.pack.set_cell_soc("a3", 5, -0.1)
    bank.run(10)
    for cell in range(1, 13):
        if cell != 5:
            bank.offset_v[f"a3.{cell}"] = -0.1  # the board's reference drifts
    assert excused(bank.run(30)) == set()


def test_a_low_cell_beside_a_misread_one_of_another_module() -> None:
    bank = Bank(soc=0.4)
    bank.pack.set_cell_soc("a3", 5, -0.1)
    bank.fixed_v["b4.3"] = 2.6
    trusts = bank.run(20)
    assert excused(trusts) == {"b4.3"}
    assert trusts[-1].cells["a3.5"].blame is Blame.CELL


def test_a_majority_that_lies_together_is_no_witness() -> None:
    bank = Bank(("a3", "b1", "b2"), soc=0.4)
    bank.pack.set_cell_soc("a3", 5, 0.0)
    bank.offset_v = {"b1.2": 0.7, "b2.7": 0.7}
    assert "a3.5" not in excused(bank.run(20))


def test_of_two_modules_the_one_with_the_odd_cell_is_blamed_and_none_when_both_have_one() -> None:
    bank = Bank(("a3", "b1"), soc=0.4)
    bank.fixed_v["b1.4"] = 4.5
    assert excused([bank.run(5)[-1]]) == {"b1.4"}
    bank.offset_v["a3.5"] = -0.9
    assert excused(bank.run(10)[4:]) == set()


def test_a_module_that_is_not_connected_excuses_nobody_once_the_load_moves() -> None:
    """At rest a true low cell of a lone module looks like a misread one; no current reaches it."""
    bank = Bank(soc=0.4)
    near_v = bank.pack.terminal_v / 12
    bank.cut["a3"] = (near_v,) * 4 + (2.58,) + (near_v,) * 7
    bank.run(10)
    bank.current_a = 60.0
    trusts = bank.run(60)
    assert excused(trusts[40:]) == set()
    assert "does not follow" in trusts[-1].apart["a3"] or "a3" in trusts[-1].frozen


def test_a_module_cut_off_at_another_charge_is_apart() -> None:
    bank = Bank(soc=0.4)
    bank.cut["a3"] = (3.5,) * 12
    trusts = bank.run(20)
    assert excused(trusts) == set()
    assert trusts[-1].apart == {"a3": "-1.75 V from the others, and no single cell explains it"}
    bank.cut.clear()
    assert bank.run(2)[-1].apart == {}


FAULT = st.tuples(
    st.integers(0, 8), st.integers(1, 12), st.one_of(st.floats(-1.5, -0.2), st.floats(0.2, 1.5))
)


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    soc=st.floats(0.2, 0.85),
    low=st.tuples(st.integers(0, 8), st.integers(1, 12)),
    low_soc=st.one_of(st.floats(-0.3, -0.05), st.floats(1.15, 1.4)),
    faults=st.lists(FAULT, max_size=2),
    bled=st.one_of(st.none(), st.tuples(st.integers(0, 8), st.integers(0, 4095))),
    noise_v=st.sampled_from([0.0, 0.001, 0.005]),
    late_s=st.sampled_from([0.0, 0.25]),
    loads=st.lists(st.floats(-60, 60), min_size=4, max_size=4),
    known_first=st.booleans(),
)
def test_a_cell_that_is_out_of_range_is_never_excused(
    count: int,
    seed: int,
    soc: float,
    low: tuple[int, int],
    low_soc: float,
    faults: list[tuple[int, int, float]],
    bled: tuple[int, int] | None,
    noise_v: float,
    late_s: float,
    loads: list[float],
    known_first: bool,
) -> None:
    modules = REFERENCE[:count]
    bank = Bank(modules, soc=soc, seed=seed, noise_v=noise_v, late_s=late_s)
    module, cell = modules[low[0] % count], low[1]
    name = f"{module}.{cell}"
    for place, number, offset_v in faults:
        bank.offset_v[f"{modules[place % count]}.{number}"] = offset_v
    bank.offset_v.pop(name, None)
    if bled is not None:
        bank.bleeding[modules[bled[0] % count]] = bled[1]
    if known_first:
        bank.run(6)
    bank.pack.set_cell_soc(module, cell, low_soc)
    for current_a in loads:
        bank.current_a = current_a
        for _ in range(20):
            bank.tick()
            out_of_range = not 2.9 < bank.true_v(name) < 4.2
            assert not (out_of_range and bank.trust.misread(module, cell)), bank.trust.cells


# -- a healthy pack


def healthy(seed: int, noise_v: float, late_s: float) -> Bank:
    """Cells 50 mV apart."""
    bank = Bank(seed=seed, noise_v=noise_v, late_s=late_s)
    for module in REFERENCE:
        for cell in range(1, 13):
            bank.pack.set_cell_soc(module, cell, 0.5 + 0.05 * bank.dice.uniform(-1, 1))
    bank.pack.advance(600, 0.0)
    return bank


def check_no_doubt(bank: Bank, seconds: int, hold_s: int) -> None:
    for step in range(seconds // hold_s):
        bank.current_a = (0.0, 50.0, -50.0, 20.0, -10.0)[bank.dice.randrange(5)]
        for trust in bank.run(hold_s):
            assert untroubled(trust), (step, trust)


@pytest.mark.slow
def test_a_healthy_pack_raises_no_doubt_within_an_hour() -> None:
    bank = healthy(7, noise_v=0.005, late_s=0.0)
    bank.tick_s = 0.5
    volts = bank.pack.cell_v("a3")
    assert 0.04 < max(volts) - min(volts) < 0.08
    check_no_doubt(bank, 3600, hold_s=15)


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    noise_v=st.sampled_from([0.001, 0.003, 0.005]),
    late_s=st.sampled_from([0.0, 0.25]),
    hold_s=st.sampled_from([1, 2, 100]),
)
def test_no_healthy_pack_raises_a_doubt(
    seed: int, noise_v: float, late_s: float, hold_s: int
) -> None:
    check_no_doubt(healthy(seed, noise_v, late_s), 300, hold_s)


def test_bleeding_is_no_disagreement() -> None:
    bank = Bank()
    bank.run(5)
    bank.bleeding = {"a3": 0b111111, "b1": 0b1, "b4": 0xFFF}
    assert all(map(untroubled, bank.run(60)))


@pytest.mark.parametrize("modules", [REFERENCE, REFERENCE[:1]])
def test_an_excuse_outlives_long_bleeding_but_not_a_cell_that_falls(
    modules: tuple[str, ...],
) -> None:
    bank = picture()
    bank.run(5)
    bank.bleeding = dict.fromkeys(modules, 0b101010101001)
    for current_a in (0.0, 40.0, -40.0, 20.0, 0.0):
        bank.current_a = current_a
        assert all(trust.misread("a3", 5) for trust in bank.run(60))
    bank.fixed_v["a3.5"] = 2.3
    assert not excused(bank.run(10)[4:])


def test_bleeding_earns_no_excuse() -> None:
    bank = picture(bleeding={"a3": 0b111})
    assert not excused(bank.run(20))
    bank.bleeding = {}
    assert bank.run(5)[-1].misread("a3", 5)


def test_an_excuse_ends_when_bleeding_hides_all_sums_for_long() -> None:
    bank = picture()
    bank.run(5)
    bank.bleeding = dict.fromkeys(REFERENCE, 0xFFF)
    assert excused([bank.run(180)[-1]]) == set()


def test_missing_old_and_impossible_values_prove_nothing() -> None:
    bank = picture()
    bank.fixed_v["b2.1"] = float("nan")
    bank.silent = {"b4"}
    assert excused([bank.run(10)[-1]]) == {"a3.5"}
    assert bank.judge.update((), None, now_s=bank.now_s).cells
    assert bank.judge.update((), None, now_s=bank.now_s + 10).cells == {}
