"""Cells that stand still, jump or move the wrong way; modules that stand still."""

from __future__ import annotations

import pytest
from pack_bench import REFERENCE, Bank, excused, only, untroubled

from gridzero.domain.trust import Blame, Oddity


def with_load(bank: Bank, times: int = 6, hold_s: float = 8.0) -> Bank:
    for step in range(times):
        bank.current_a = (50.0, -50.0)[step % 2]
        bank.run(hold_s)
    return bank


def test_a_cell_that_stands_still_while_its_siblings_move_is_stuck() -> None:
    bank = Bank(("a3", "b1", "b2"))
    bank.run(2)
    bank.fixed_v["a3.5"] = round(bank.true_v("a3.5"), 3)
    with_load(bank)
    bank.current_a = 0.0
    doubt = only(bank.run(5)[-1])
    assert (doubt.name, doubt.oddity, doubt.blame) == ("a3.5", Oddity.STUCK, Blame.SENSOR)
    assert doubt.estimate_v == pytest.approx(bank.true_v("a3.5"), abs=doubt.within_v)
    bank.fixed_v.clear()
    assert untroubled(with_load(bank).trust)


def test_a_stuck_reading_does_not_hide_a_cell_that_falls() -> None:
    bank = Bank(("a3", "b1", "b2"))
    bank.run(2)
    bank.fixed_v["a3.5"] = round(bank.true_v("a3.5"), 3)
    with_load(bank)
    bank.current_a = 0.0
    bank.pack.set_cell_soc("a3", 5, -0.05)
    trusts = bank.run(10)[4:]
    assert bank.true_v("a3.5") < 2.9
    assert excused(trusts) == set()
    assert trusts[-1].cells["a3.5"].oddity is Oddity.STUCK
    assert trusts[-1].cells["a3.5"].blame is Blame.UNDECIDED


def test_a_cell_without_any_noise_over_hours_is_stuck() -> None:
    bank = Bank(("a3", "b1"), noise_v=0.001)
    bank.fixed_v["a3.5"] = round(bank.true_v("a3.5"), 3)
    bank.run(5)
    for _ in range(8):
        bank.pack.advance(880, 0.6)
        bank.now_s += 880
        bank.run(5)
    assert only(bank.trust).oddity is Oddity.STUCK


def test_nothing_is_stuck_while_nothing_moves() -> None:
    bank = Bank(noise_v=0.0)
    assert all(map(untroubled, bank.run(120)))


def test_bleeding_makes_no_cell_stuck() -> None:
    bank = Bank(noise_v=0.0)
    bank.run(5)
    for _ in range(4):
        bank.bleeding = {"a3": 0b1111_1111_0000}
        assert all(map(untroubled, bank.run(5)))
        bank.bleeding = {}
        assert all(map(untroubled, bank.run(5)))


def test_a_module_that_repeats_itself_while_the_others_move_is_frozen() -> None:
    bank = Bank()
    bank.run(5)
    bank.repeating.add("b3")
    assert not bank.run(20)[-1].frozen, "nothing moves, nothing is wrong"
    bank.current_a = 60.0
    trusts = bank.run(40)
    assert trusts[-1].frozen.keys() == {"b3"}
    bank.repeating.clear()
    assert not bank.run(1)[-1].frozen


def test_a_frozen_module_excuses_nobody() -> None:
    bank = Bank()
    bank.fixed_v["b3.2"] = 2.58
    bank.run(5)
    bank.repeating.add("b3")
    bank.current_a = 60.0
    bank.run(60)
    assert bank.trust.frozen.keys() == {"b3"}
    assert excused(bank.run(5)) == set()


def test_a_reading_that_jumps_back_and_forth_is_told_and_what_the_sum_says_is_believed() -> None:
    bank = Bank()
    bank.run(5)
    bank.extra_v = lambda name, i, t: -0.2 * (name == "b3" and i == 3 and int(t / 2) % 3 == 0)
    bank.run(30)
    doubt = only(bank.trust)
    assert (doubt.name, doubt.oddity) == ("b3.4", Oddity.JUMPING)
    assert doubt.blame is Blame.SENSOR
    assert doubt.estimate_v == pytest.approx(bank.true_v("b3.4"), abs=doubt.within_v)
    bank.extra_v = None
    bank.run(50)
    assert not untroubled(bank.trust)
    assert untroubled(bank.run(15)[-1])


def test_a_cell_whose_sum_does_not_jump_along_is_not_excused() -> None:
    """A loose weld: the cell's voltage really jumps, and all modules with it."""
    bank = Bank(("a3", "b1"), late_s=0.0)
    bank.run(5)

    def loose(_name: str, i: int, t: float) -> float:
        return -0.2 * (int(t / 2) % 3 == 0) if i == 3 else 0.0

    bank.extra_v = loose
    trusts = bank.run(30)
    assert excused(trusts) == set()
    assert {doubt.oddity for doubt in trusts[-1].cells.values()} == {Oddity.JUMPING}


def test_values_that_the_driver_holds_back_count_as_jumps() -> None:
    bank = Bank()
    bank.run(5)
    for _ in range(4):
        bank.suspect = {"b3": 1 << 6}
        bank.run(1)
        bank.suspect = {}
        bank.run(1)
    doubt = only(bank.trust)
    assert (doubt.name, doubt.oddity, doubt.blame) == ("b3.7", Oddity.JUMPING, Blame.UNDECIDED)


def test_exchanged_sense_wires_are_named_and_never_excused() -> None:
    bank = Bank()
    bank.fixed_v = {"b3.4": 5.091, "b3.5": 1.0, "b3.6": 5.091}
    trusts = bank.run(20)
    assert excused(trusts) == set()
    assert set(trusts[-1].cells) == {"b3.4", "b3.5", "b3.6"}
    assert {doubt.oddity for doubt in trusts[-1].cells.values()} == {Oddity.SWAPPED}


def test_a_broken_wire_between_two_cells_names_both() -> None:
    bank = Bank()
    bank.offset_v = {"b3.4": 0.25, "b3.5": -0.25}
    trusts = bank.run(20)
    assert excused(trusts) == set()
    assert set(trusts[-1].cells) == {"b3.4", "b3.5"}
    assert "4 and 5" in trusts[-1].cells["b3.4"].text
    assert trusts[-1].cells["b3.5"].blame is Blame.UNDECIDED


def test_a_cell_that_moves_against_its_siblings_and_its_neighbour_are_named() -> None:
    bank = Bank(late_s=0.0)
    rest_v = bank.true_v("a3.1")

    def against(name: str, i: int, _t: float) -> float:
        moved_v = bank.true_v("a3.1") - rest_v
        return {4: -2.0, 5: 2.0}.get(i, 0.0) * moved_v if name == "a3" else 0.0

    bank.extra_v = against
    with_load(bank, times=12, hold_s=4.0)
    assert {doubt.oddity for doubt in bank.trust.cells.values()} == {Oddity.SWAPPED}
    assert set(bank.trust.cells) == {"a3.5", "a3.6"}


# -- small offsets

FIVE = ("a3", "a7", "b1", "b2", "b3")


@pytest.mark.parametrize("offset_v", [0.06, -0.08, 0.1])
def test_a_small_offset_is_found_at_rest(offset_v: float) -> None:
    bank = Bank(FIVE, noise_v=0.005)
    bank.offset_v["b2.7"] = offset_v
    bank.run(400)
    doubt = only(bank.trust)
    assert (doubt.name, doubt.blame, doubt.oddity) == ("b2.7", Blame.SENSOR, Oddity.OFFSET)
    assert doubt.estimate_v is not None
    error_v = doubt.estimate_v - bank.readings["b2"].cell_v[6] + offset_v  # type: ignore[operator]  # known
    assert abs(error_v) <= doubt.within_v < 0.06
    bank.offset_v.clear()
    assert untroubled(bank.run(30)[-1])


def test_a_smaller_one_is_found_when_it_is_known_how_the_cells_were() -> None:
    bank = Bank(FIVE, noise_v=0.005)
    bank.run(200)
    bank.offset_v["b2.7"] = -0.035
    bank.run(400)
    assert only(bank.trust).name == "b2.7"


def test_a_cell_that_is_a_little_low_is_no_offset() -> None:
    bank = Bank(FIVE, noise_v=0.005)
    bank.pack.set_cell_soc("b2", 7, 0.42)
    bank.pack.advance(3600, 0.0)
    assert bank.true_v("b2.7") < bank.true_v("b2.8") - 0.04
    assert all(map(untroubled, bank.run(400)))


def test_a_board_that_reads_a_little_low_as_a_whole_accuses_no_cell() -> None:
    bank = Bank(FIVE, noise_v=0.005)
    for cell in range(1, 13):
        bank.offset_v[f"b2.{cell}"] = -0.005
    assert all(map(untroubled, bank.run(400)))


def test_under_load_no_small_offset_is_looked_for() -> None:
    bank = Bank(FIVE, noise_v=0.005, current_a=20.0)
    bank.offset_v["b2.7"] = 0.08
    assert all(map(untroubled, bank.run(400)))


def test_two_modules_cannot_tell_whose_small_offset_it_is() -> None:
    bank = Bank(REFERENCE[:2], noise_v=0.002)
    bank.offset_v["a3.7"] = 0.08
    assert all(map(untroubled, bank.run(400)))
