"""What is bled, what is left alone, and why: one step at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.balancing import PLANS, BalancePlan, Balancer
from gridzero.domain.balancing import BALANCE_WORDS, BalanceReason, BalancingState, ModuleBalancing
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.trust import UNTROUBLED, Blame, CellDoubt, Oddity, Trust

PLAN = BalancePlan()
NAME = "b3"


def charge(
    *socs: float, sigma: float = 0.005, others: float = 0.80, anchored_s: float | None = None
) -> BatteryCharge:
    """The first cells as given, the others alike."""
    full = (*socs, *([others] * (12 - len(socs))))
    cells = tuple(CellCharge(soc, sigma, 3.9, 0.0027) for soc in full)
    return BatteryCharge(
        at_s=0.0,
        soc=others,
        sigma=sigma,
        capacity_ah=25.0,
        out_ah=0.0,
        in_ah=0.0,
        out_wh=0.0,
        in_wh=0.0,
        to_empty_s=None,
        to_full_s=None,
        is_full=False,
        is_empty=False,
        anchored_s=anchored_s,
        modules={NAME: ModuleCharge(name=NAME, cells=cells, current_a=0.0)},
    )


def doubt(cell: int, blame: Blame) -> Trust:
    one = CellDoubt(
        module=NAME,
        cell=cell,
        oddity=Oddity.OFFSET,
        blame=blame,
        reading_v=2.58,
        estimate_v=3.9,
        within_v=0.01,
        text="odd",
    )
    return Trust(cells={one.name: one})


class Bench:
    """One module whose balancer is asked once a second, and which does as it is told."""

    def __init__(self, plan: BalancePlan = PLAN) -> None:
        self.balancer = Balancer(plan)
        self.now_s = 0.0
        self.volts: tuple[float | None, ...] = (4.0,) * 12
        self.temp_c: float | None = 20.0
        self.charge: BatteryCharge | None = charge(0.84)
        self.trust = UNTROUBLED
        self.allowed: bool | BalanceReason = True
        self.rest = False
        self.disobedient: tuple[str, ...] = ()
        self.changes: dict[str, object] = {}
        self.bleeding = 0

    def run(self, seconds: float, step_s: float = 1.0) -> ModuleBalancing:
        """Let time pass; returns the last word on the module."""
        state = self.state(step_s)
        for _ in range(round(seconds / step_s)):
            state = self.state(step_s)
        return state.modules[NAME]

    def state(self, step_s: float = 1.0) -> BalancingState:
        self.now_s += step_s
        temps = () if self.temp_c is None else (Temperature(self.temp_c, self.temp_c),)
        reading = ModuleReading(
            bus="b",
            number=3,
            cell_v=self.volts,
            cell_at_s=(self.now_s,) * 12,
            temps=temps,
            temp_at_s=self.now_s,
            bleeding=self.bleeding,
        )
        reading = replace(reading, **self.changes)  # type: ignore[arg-type]  # each test names fields
        state = self.balancer.update(
            self.now_s,
            [reading],
            self.charge,
            self.trust,
            allowed=self.allowed,
            rest=self.rest,
            disobedient=self.disobedient,
        )
        self.bleeding = state.cells.get(NAME, 0)
        return state


def bleeding() -> Bench:
    """Cell 1 holds 1 Ah too much and is being bled."""
    bench = Bench()
    assert bench.run(100).cells == 1
    return bench


# -- what is measured


def test_a_cell_that_holds_more_is_bled_after_a_pause_without_bleeding() -> None:
    bench = Bench()
    assert bench.run(PLAN.pause_s - 5.0).reason is BalanceReason.MEASURING
    now = bench.run(10)
    assert (now.cells, now.reason) == (1, BalanceReason.BLEEDING)
    assert now.ah_left == pytest.approx(0.04 * 25.0, rel=0.05)
    assert now.text == "bleed 0.96 Ah from b3.1"


@pytest.mark.parametrize(("more", "is_bled"), [(0.0027, False), (0.0031, True)])
def test_a_difference_counts_from_two_of_its_standard_deviations_on(
    more: float, is_bled: bool
) -> None:
    bench = Bench()
    bench.charge = charge(0.80 + more)
    assert bool(bench.run(100).cells) is is_bled


def test_what_is_not_known_well_enough_is_waited_for() -> None:
    bench = Bench()
    bench.charge = charge(0.95, sigma=0.06)
    assert bench.run(200).reason is BalanceReason.UNMEASURED
    bench.charge = charge(sigma=0.005)
    bench.run(700)
    assert bench.run(10).reason is BalanceReason.BALANCED


@pytest.mark.parametrize("odd", [nan, float("inf"), 7.0])
def test_an_estimate_that_cannot_be_is_none(odd: float) -> None:
    bench = Bench()
    bench.charge = charge(odd)
    now = bench.run(3000, 10.0)
    assert (now.cells, now.ah_left, now.hours_left) == (0, 0.0, None)


def test_without_states_of_charge_only_voltages_at_rest_count() -> None:
    bench = Bench()
    bench.charge, bench.volts = None, (4.05, *([4.0] * 11))
    assert bench.run(300).reason is BalanceReason.UNMEASURED
    bench.rest = True
    now = bench.run(300)
    assert (now.cells, now.reason) == (1, BalanceReason.BLEEDING)
    assert 0.5 < now.ah_left < 1.0


def test_bleeding_is_counted_and_ends_by_itself() -> None:
    bench = bleeding()
    before_ah = bench.run(1).ah_left
    now = bench.run(3600, 5.0)
    assert before_ah - now.ah_left == pytest.approx(4.0 / 40.0, rel=0.05)
    bench.charge = charge()
    for _ in range(12):
        now = bench.run(3600, 10.0)
    assert (now.cells, now.reason) == (0, BalanceReason.BALANCED)
    assert now.progress == 1.0


def test_an_estimate_that_does_not_know_of_the_bleeding_does_not_bleed_twice() -> None:
    """It goes on saying 1 Ah; half is gone by the account."""
    bench = bleeding()
    for _ in range(5):
        now = bench.run(3600, 10.0)
    assert now.ah_left == pytest.approx(0.47, abs=0.05)
    bench.rest = True
    bench.run(3600, 10.0)
    now = bench.run(PLAN.settle_s)
    assert now.ah_left > 0.8, "after a long enough rest it is believed again"


def test_a_resistor_that_takes_less_than_assumed_is_found_out() -> None:
    bench = bleeding()
    hours = bench.run(1).bleed_hours
    assert hours == pytest.approx(10.0, rel=0.05)
    for _ in range(5):
        bench.run(3600, 10.0)
    bench.rest, bench.charge = True, charge(0.832)  # 0.2 Ah went instead of 0.5 Ah
    bench.allowed = False
    bench.run(PLAN.relax_s)
    bench.allowed = True
    bench.run(100)
    now = bench.run(60)
    assert now.ah_left == pytest.approx(0.76, abs=0.03)
    assert now.bleed_hours == pytest.approx(7.8 / 0.7, rel=0.08), "half of the surprise at once"


def test_what_is_wrong_with_the_curve_of_all_cells_does_not_make_them_level() -> None:
    bench = Bench()
    known = charge(0.81, sigma=0.03)
    bench.charge = known
    assert bench.run(100).cells == 0, "3 % of doubt hide 1 %"
    module = known.modules[NAME]
    cells = tuple(cell._replace(curve_sigma=0.0299) for cell in module.cells)
    bench.charge = replace(known, modules={NAME: replace(module, cells=cells)})
    assert bench.run(700).cells == 1


def test_a_battery_that_empties_does_not_take_the_measurement_at_the_top_along() -> None:
    bench = Bench()
    bench.charge = charge(others=0.80)
    assert bench.run(100).reason is BalanceReason.BALANCED
    bench.charge = charge(others=0.76)
    bench.run(700, 5.0)
    bench.charge = charge(0.74, others=0.72)
    assert bench.run(700, 5.0).cells == 0, "a smaller cell is lower on the way down"
    bench.run(PLAN.forget_s, 60.0)
    assert bench.run(700, 5.0).cells == 1, "but what lasts is believed"


def test_a_measurement_low_in_the_charge_does_not_replace_one_near_the_top() -> None:
    bench = bleeding()
    bench.rest, bench.charge = True, charge(0.62, others=0.70)
    now = bench.run(2000, 5.0)
    assert now.cells == 1
    assert now.ah_left == pytest.approx(0.9, abs=0.05)


# -- what stands in the way


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"allowed": False}, BalanceReason.NOT_ALLOWED),
        ({"allowed": BalanceReason.MODE_OFF}, BalanceReason.MODE_OFF),
        ({"allowed": BalanceReason.FAULT}, BalanceReason.FAULT),
        ({"disobedient": (NAME,)}, BalanceReason.DISOBEDIENT),
        ({"trust": Trust(apart={NAME: "apart"})}, BalanceReason.DOUBT),
        ({"trust": Trust(frozen={NAME: "frozen"})}, BalanceReason.DOUBT),
        ({"trust": Trust(unproven=frozenset({NAME}))}, BalanceReason.DOUBT),
        ({"trust": Trust(odd_temps={NAME: "odd"})}, BalanceReason.DOUBT),
        ({"trust": doubt(5, Blame.UNDECIDED)}, BalanceReason.DOUBT),
        ({"trust": doubt(5, Blame.CELL)}, BalanceReason.DOUBT),
        ({"changes": {"suspect": 1 << 4}}, BalanceReason.DOUBT),
        ({"volts": (*([4.0] * 11), None)}, BalanceReason.STALE),
        ({"volts": (*([4.0] * 11), nan)}, BalanceReason.STALE),
        ({"changes": {"cell_at_s": (0.0,) * 12}}, BalanceReason.STALE),
        ({"changes": {"cell_at_s": (None,) * 12}}, BalanceReason.STALE),
        ({"temp_c": None}, BalanceReason.TEMPERATURE_UNKNOWN),
        ({"changes": {"temp_at_s": None}}, BalanceReason.TEMPERATURE_UNKNOWN),
        ({"changes": {"temp_at_s": 0.0}}, BalanceReason.TEMPERATURE_UNKNOWN),
        ({"temp_c": 41.0}, BalanceReason.TOO_HOT),
        ({"temp_c": nan}, BalanceReason.TOO_HOT),
        ({"changes": {"over_range_temp": True}}, BalanceReason.TOO_HOT),
        ({"temp_c": 4.0}, BalanceReason.TOO_COLD),
        ({"charge": charge(0.62, others=0.58)}, BalanceReason.TOO_EMPTY),
        ({"volts": (3.69,) * 12}, BalanceReason.BELOW_FLOOR),
    ],
)
def test_whatever_stands_in_the_way_ends_bleeding_at_once(
    change: dict[str, object], reason: BalanceReason
) -> None:
    bench = bleeding()
    for name, value in change.items():
        setattr(bench, name, value)
    now = bench.run(0)
    assert (now.cells, now.reason) == (0, reason)
    assert bench.run(200).cells == 0


def test_a_misread_cell_is_neither_bled_nor_the_lowest() -> None:
    bench = Bench()
    bench.trust = doubt(5, Blame.SENSOR)
    bench.volts = (*([4.0] * 4), 2.58, *([4.0] * 7))
    bench.changes = {"suspect": 1 << 4}
    bench.charge = charge(0.80, 0.80, 0.80, 0.80, 0.02)
    bench.run(100)
    assert bench.run(700).reason is BalanceReason.BALANCED
    bench.charge = charge(0.84, 0.80, 0.80, 0.80, 1.2)
    bench.run(700)
    assert bench.run(100).cells == 1


def test_what_was_measured_against_a_cell_that_turns_out_misread_is_forgotten() -> None:
    """Nobody doubted cell 5 yet, so everything seemed to be too full."""
    bench = Bench()
    bench.charge = charge(0.80, 0.80, 0.80, 0.80, 0.70)
    bench.volts = (*([4.0] * 4), 3.9, *([4.0] * 7))
    assert bench.run(100).cells == 0xFFF & ~(1 << 4)
    bench.trust = doubt(5, Blame.SENSOR)
    now = bench.run(0)
    assert (now.cells, now.ah_left) == (0, 0.0)
    assert bench.run(PLAN.relax_s + 700.0, 5.0).reason is BalanceReason.BALANCED


def test_a_disobedient_module_is_left_alone_for_ten_minutes() -> None:
    bench = bleeding()
    bench.disobedient = (NAME,)
    bench.run(1)
    bench.disobedient = ()
    assert bench.run(598).reason is BalanceReason.DISOBEDIENT
    assert bench.run(100).cells == 1


def test_heat_has_to_fall_by_a_margin_before_bleeding_goes_on() -> None:
    bench = bleeding()
    bench.temp_c = 40.5
    bench.run(1)
    bench.temp_c = 39.0
    assert bench.run(200).reason is BalanceReason.TOO_HOT
    bench.temp_c = 37.9
    assert bench.run(200).cells == 1


def test_a_module_of_another_length_starts_anew() -> None:
    bench = bleeding()
    bench.changes = {"cell_v": (4.0,) * 10, "cell_at_s": (bench.now_s + 1.0,) * 10, "bleeding": 0}
    now = bench.run(0)
    assert (now.cells, len(now.cell_ah)) == (0, 10)


# -- how much at once


def test_not_more_cells_than_allowed_and_not_side_by_side() -> None:
    bench = Bench(replace(PLAN, max_cells=3, spare_neighbours=True))
    bench.charge = charge(0.87, 0.88, 0.86, 0.85, 0.84, 0.83)
    assert bench.run(100).cells == 0b101010, "the fullest first"


def test_cells_take_turns() -> None:
    bench = Bench(replace(PLAN, max_cells=1))
    bench.charge = charge(0.84, 0.84)
    seen = {bench.run(120, 10.0).cells for _ in range(30)}
    assert {1, 2} <= seen


def test_the_duty_makes_the_pauses_longer() -> None:
    bench = Bench(replace(PLAN, duty=0.5, bleed_s=600.0))
    on = [bool(bench.run(10, 10.0).cells) for _ in range(720)]
    assert sum(on) / len(on) == pytest.approx(0.5, abs=0.08)


# -- a person's wish


def test_a_forced_round_goes_below_the_window_but_not_below_the_floor_and_ends() -> None:
    bench = Bench()
    bench.charge = charge(0.60, others=0.55)
    assert bench.run(200).reason is BalanceReason.TOO_EMPTY
    bench.balancer.force(bench.now_s)
    assert bench.run(100).cells == 1
    assert bench.state().forced_until_s is not None
    bench.charge = charge(0.60, others=0.49)
    assert bench.run(1).reason is BalanceReason.TOO_EMPTY
    bench.charge = charge(0.60, others=0.55)
    assert bench.run(100).cells == 1
    bench.run(PLAN.force_s, 30.0)
    assert bench.run(1).reason is BalanceReason.TOO_EMPTY
    assert bench.state().forced_until_s is None


def test_a_forced_round_can_be_cancelled_and_does_not_override_a_doubt() -> None:
    bench = Bench()
    bench.charge, bench.trust = charge(0.60, others=0.55), doubt(3, Blame.UNDECIDED)
    bench.balancer.force(bench.now_s)
    assert bench.run(100).reason is BalanceReason.DOUBT
    bench.trust = UNTROUBLED
    bench.balancer.cancel()
    assert bench.run(100).reason is BalanceReason.TOO_EMPTY


def test_bleeding_that_does_not_help_is_given_up_until_a_person_asks() -> None:
    """A cell whose sensor reads too high never comes down."""
    bench = bleeding()
    bench.rest = True
    seen = {bench.run(6 * 3600.0, 30.0).reason for _ in range(10)}
    assert BalanceReason.NO_END in seen
    now = bench.run(3600, 30.0)
    assert (now.cells, now.reason) == (0, BalanceReason.NO_END)
    assert "b3.1" in now.text
    bench.balancer.force(bench.now_s)
    assert bench.run(1000).cells == 1


# -- over a restart


def test_the_account_survives_a_restart() -> None:
    bench = bleeding()
    left_ah = bench.run(1800, 5.0).ah_left
    stored = json.loads(json.dumps(bench.balancer.to_dict(bench.now_s)))
    again = Bench()
    again.balancer.restore(stored)
    again.charge = None
    now = again.run(200)
    assert now.cells == 1
    assert now.ah_left == pytest.approx(left_ah, abs=0.01)


def test_modules_that_are_away_keep_their_account() -> None:
    balancer = Balancer(PLAN)
    stored = bleeding().balancer.to_dict(100.0)
    balancer.restore(stored)
    assert balancer.to_dict(5.0)["modules"] == stored["modules"]


@pytest.mark.parametrize(
    "broken", [{}, {"version": 2, "modules": {}}, {"version": 1, "modules": [1]}]
)
def test_another_version_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="version"):
        Balancer(PLAN).restore(broken)


@pytest.mark.parametrize(
    "change",
    [
        {"left_ah": [1.0] * 11},
        {"left_ah": [nan] * 12},
        {"left_ah": [-1.0] * 12},
        {"left_ah": "aaaaaaaaaaaa"},
        {"given_up": 1 << 12},
        {"given_up": None},
        {"age_s": -1.0},
        {"give_up_s": 1e12},
        {"effect": 0.0},
    ],
)
def test_numbers_that_cannot_be_are_measured_again(change: dict[str, object]) -> None:
    stored = bleeding().balancer.to_dict(100.0)
    modules = stored["modules"]
    assert isinstance(modules, dict)
    modules[NAME] = {**modules[NAME], **change}
    bench = Bench()
    bench.balancer.restore(stored)
    assert bench.run(0).hours_left is None
    assert bench.run(100).cells == 1


# -- always


@settings(max_examples=60)
@given(
    volts=st.lists(st.none() | st.floats(2.0, 4.5), min_size=12, max_size=12),
    socs=st.lists(st.floats(), min_size=12, max_size=12),
    sigma=st.floats(),
    temp_c=st.none() | st.floats(),
    suspect=st.integers(0, 0xFFF),
    misread=st.integers(1, 12),
    forced=st.booleans(),
    rest=st.booleans(),
)
def test_no_reading_bleeds_a_cell_below_the_floor_or_in_doubt(
    volts: list[float | None],
    socs: list[float],
    sigma: float,
    temp_c: float | None,
    suspect: int,
    misread: int,
    forced: bool,
    rest: bool,
) -> None:
    bench = bleeding()
    bench.volts, bench.charge = tuple(volts), charge(*socs, sigma=sigma)
    bench.temp_c, bench.rest, bench.changes = temp_c, rest, {"suspect": suspect}
    bench.trust = doubt(misread, Blame.SENSOR)
    if forced:
        bench.balancer.force(bench.now_s)
    for seconds in (0, 100, 700):
        cells = bench.run(seconds, 2.0).cells
        assert not cells >> (misread - 1) & 1
        assert not (cells and suspect & ~(1 << (misread - 1)))
        for i, one_v in enumerate(volts):
            if cells >> i & 1:
                assert one_v is not None
                assert one_v > PLAN.floor_v


@pytest.mark.parametrize(
    "change",
    [
        {"floor_v": nan},
        {"floor_soc": 0.7},
        {"above_v": 3.5},
        {"bleed_ohm": 0.0},
        {"max_cells": 0},
        {"duty": 0.0},
        {"duty": 1.1},
        {"hot_c": 0.0},
        {"bleed_s": -1.0},
    ],
)
def test_a_plan_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|out of order"):
        replace(PLAN, **change)  # type: ignore[arg-type]  # each row names a number


def test_every_profile_has_a_plan_and_every_reason_has_words() -> None:
    assert {"vw_gte_12s", "nmc", "lfp"} == set(PLANS)
    assert set(BALANCE_WORDS) == set(BalanceReason)


def test_the_pack_is_as_slow_as_its_slowest_module() -> None:
    bench = Bench()
    assert bench.state().hours_left is None
    bench.run(100)
    state = bench.state()
    assert state.is_bleeding
    assert state.hours_left == state.modules[NAME].hours_left
    assert state.ah_left == pytest.approx(0.96, abs=0.02)
