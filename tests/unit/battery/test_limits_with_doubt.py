"""Limits with an estimate, with doubted readings and with protections."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, nan

import pytest
from healthy import HEALTHY as NINE
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.limits import LimitKeeper, Ratings
from gridzero.battery.profile import NMC, PROFILES, VW_GTE_12S
from gridzero.battery.view import BatteryViewer
from gridzero.domain.alarms import Alarm, Level
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.reasons import Because
from gridzero.domain.trust import Blame, CellDoubt, Oddity, Trust

RATINGS = Ratings(max_charge_a=50.0, max_discharge_a=50.0, max_module_a=12.5)
HEALTHY = replace(NINE, modules=4, healthy=4)


def charge(
    *,
    soc: float = 0.5,
    sigma: float = 0.02,
    open_v: tuple[float, float] = (3.70, 3.72),
    module_a: tuple[float, ...] = (),
    at_s: float = 100.0,
) -> BatteryCharge:
    cells = tuple(CellCharge(soc, sigma, v, 0.003) for v in open_v)
    amps = module_a or (0.0,)
    return BatteryCharge(
        at_s=at_s,
        soc=soc,
        sigma=sigma,
        capacity_ah=100.0,
        out_ah=50.0,
        in_ah=50.0,
        out_wh=2000.0,
        in_wh=2000.0,
        to_empty_s=None,
        to_full_s=None,
        is_full=False,
        is_empty=False,
        anchored_s=None,
        modules={
            f"a{i}": ModuleCharge(name=f"a{i}", cells=cells, current_a=a)
            for i, a in enumerate(amps)
        },
    )


def settled(view: BatteryView, known: BatteryCharge | None = None, *alarms: Alarm) -> CurrentLimits:
    """Limits after the slow recovery has passed."""
    keeper = LimitKeeper(VW_GTE_12S, RATINGS)
    for second in (0.0, 50.0):
        keeper.update(view, second, known and replace(known, at_s=second), alarms)
    return keeper.update(view, 100.0, known, alarms)


def alarm(code: str = "cell_rate", level: Level = Level.LIMIT, **stops: bool) -> Alarm:
    return Alarm(code=code, subject="battery", level=level, text="", **stops)


def module(**changes: object) -> ModuleReading:
    reading = ModuleReading(
        bus="a",
        number=3,
        cell_v=(3.70,) * 12,
        cell_at_s=(10.0,) * 12,
        temps=(Temperature(17.0, 20.0),),
        temp_at_s=10.0,
    )
    return replace(reading, **changes)  # type: ignore[arg-type]  # each caller names fields


def misread(**changes: object) -> Trust:
    made = CellDoubt(
        module="a3",
        cell=7,
        oddity=Oddity.OFFSET,
        blame=Blame.SENSOR,
        reading_v=2.58,
        estimate_v=3.70,
        within_v=0.03,
        text="",
    )
    one = replace(made, **changes)  # type: ignore[arg-type]  # each caller names fields
    return Trust(cells={one.name: one})


# What an estimate changes.


def test_the_taper_looks_at_the_rest_voltage() -> None:
    loaded = replace(HEALTHY, min_cell_v=3.30)
    assert settled(loaded).discharge_a == pytest.approx(50 / 3)
    resting = settled(loaded, charge(open_v=(3.35, 3.72)))
    assert resting.discharge_a == pytest.approx(25.0)
    assert resting.discharge_because is Because.CELL_LOW


def test_full_and_empty_look_at_the_measured_voltage() -> None:
    full = settled(replace(HEALTHY, max_cell_v=4.07), charge(open_v=(3.7, 3.98)))
    assert (full.charge_a, full.charge_because) == (0.0, Because.CELL_FULL)
    empty = settled(replace(HEALTHY, min_cell_v=3.19), charge(open_v=(3.28, 3.7)))
    assert (empty.discharge_a, empty.discharge_because) == (0.0, Because.CELL_EMPTY)


def test_a_cell_that_was_emptied_too_far_is_charged_gently_until_it_has_recovered() -> None:
    for volts, part in ((2.3, 0.1), (2.5, 0.1), (2.75, 0.55), (3.0, 1.0)):
        limits = settled(replace(HEALTHY, min_cell_v=volts))
        assert limits.charge_a == pytest.approx(part * RATINGS.max_charge_a)
        assert limits.discharge_a == 0.0


def test_an_estimate_is_believed_only_near_what_is_measured() -> None:
    wrong = charge(open_v=(3.60, 3.72))
    assert settled(replace(HEALTHY, min_cell_v=3.30), wrong).discharge_a == pytest.approx(
        50 * 0.2 / 0.3
    )


def test_a_load_that_pulls_cells_down_does_not_open_the_way_to_charge() -> None:
    sagging = replace(HEALTHY, max_cell_v=3.90)
    assert settled(sagging, charge(open_v=(3.7, 3.96))).charge_a == pytest.approx(50 * 0.55)


def test_the_ends_of_the_state_of_charge_are_soft_and_widened_by_doubt() -> None:
    near = settled(HEALTHY, charge(soc=0.96, sigma=0.0))
    assert (near.charge_a, near.charge_because) == (pytest.approx(27.5), Because.SOC_HIGH)
    assert settled(HEALTHY, charge(soc=0.90, sigma=0.06)).charge_a == pytest.approx(27.5)
    low = settled(HEALTHY, charge(soc=0.04, sigma=0.0))
    assert (low.discharge_a, low.discharge_because) == (pytest.approx(27.5), Because.SOC_LOW)
    assert settled(HEALTHY, charge(soc=0.14, sigma=0.10)).discharge_a == pytest.approx(27.5)


def test_the_state_of_charge_alone_never_strands_a_battery() -> None:
    assert settled(HEALTHY, charge(soc=0.0, sigma=0.5)).discharge_a == pytest.approx(5.0)
    assert settled(HEALTHY, charge(soc=1.0, sigma=0.5)).charge_a == pytest.approx(5.0)


def test_an_old_or_empty_estimate_counts_as_none() -> None:
    old = charge(soc=0.0, at_s=90.0)
    assert settled(HEALTHY, old).discharge_a == 50.0
    assert settled(HEALTHY, replace(charge(soc=0.0), modules={})).discharge_a == 50.0


@pytest.mark.parametrize(
    "bad", [{"soc": nan}, {"sigma": nan}, {"open_v": (nan, 3.7)}, {"open_v": (3.7, nan)}]
)
def test_an_estimate_that_is_no_number_refuses(bad: dict[str, float]) -> None:
    limits = settled(HEALTHY, charge(**bad))  # type: ignore[arg-type]  # table of fields
    assert (limits.charge_a, limits.discharge_a) == (0.0, 0.0)


def test_modules_that_share_unevenly_get_less_together() -> None:
    even = settled(HEALTHY, charge(module_a=(5.0, 5.0, 5.0, 5.0)))
    assert even.discharge_a == 50.0
    uneven = settled(HEALTHY, charge(module_a=(10.0, 2.5, 5.0, 2.5)))
    assert uneven.discharge_a == pytest.approx(25.0)
    little = settled(HEALTHY, charge(module_a=(1.0, 0.1, 0.1, 0.1)))
    assert little.discharge_a == 50.0


# What the protections change.


@pytest.mark.parametrize(
    ("code", "level", "because"),
    [
        ("cell_over", Level.LIMIT, Because.CELL_OVER),
        ("hot_charge", Level.LIMIT, Because.TOO_HOT),
        ("cell_rate", Level.LIMIT, Because.PROTECTED),
        ("cell_over", Level.TRIP, Because.TRIPPED),
    ],
)
def test_an_alarm_stops_its_direction_with_its_reason(
    code: str, level: Level, because: Because
) -> None:
    limits = settled(HEALTHY, None, alarm(code, level, stops_charge=True))
    assert (limits.charge_a, limits.charge_because) == (0.0, because)
    assert limits.discharge_a == 50.0


def test_a_latched_trip_goes_on_stopping() -> None:
    latched = replace(alarm(level=Level.TRIP, stops_discharge=True), is_latched=True)
    limits = settled(HEALTHY, None, latched)
    assert (limits.discharge_a, limits.discharge_because) == (0.0, Because.TRIPPED)


def test_a_warning_stops_nothing_and_the_worst_alarm_gives_the_reason() -> None:
    assert settled(HEALTHY, None, alarm(level=Level.WARN)).charge_a == 50.0
    both = (
        alarm("too_cold", stops_charge=True),
        alarm("cell_rate", Level.TRIP, stops_charge=True),
    )
    assert settled(HEALTHY, None, *both).charge_because is Because.TRIPPED


def test_after_an_alarm_the_limit_comes_back_slowly() -> None:
    keeper = LimitKeeper(VW_GTE_12S, RATINGS)
    for second in range(30):
        keeper.update(HEALTHY, float(second))
    keeper.update(HEALTHY, 30.0, None, (alarm(stops_discharge=True),))
    back = keeper.update(HEALTHY, 31.0)
    assert back.discharge_a == pytest.approx(2.5)
    assert back.discharge_because is Because.RECOVERING


def test_one_direction_stopped_does_not_freeze_the_other() -> None:
    """The reference kept an old charge limit while discharging was switched off (S6)."""
    keeper = LimitKeeper(VW_GTE_12S, RATINGS)
    stopped = (alarm(level=Level.TRIP, stops_discharge=True),)
    for second in range(30):
        keeper.update(HEALTHY, float(second), None, stopped)
    assert keeper.update(HEALTHY, 30.0, None, stopped).charge_a == 50.0
    cold = keeper.update(replace(HEALTHY, low_c=-10.0), 30.5, None, stopped)
    assert (cold.charge_a, cold.charge_because) == (0.0, Because.TOO_COLD)
    filled = keeper.update(replace(HEALTHY, max_cell_v=4.055), 31.0, None, stopped)
    assert filled.charge_a < 10.0


# What doubted readings change.


def test_a_misread_cell_counts_as_the_others_say_with_the_worse_end() -> None:
    cells = (*[3.70] * 6, 2.58, *[3.70] * 5)
    view = BatteryViewer(VW_GTE_12S).view([module(cell_v=cells, suspect=1 << 6)], 10.0, misread())
    assert view is not None
    assert view.min_cell_v == pytest.approx(3.67)
    assert view.max_cell_v == pytest.approx(3.73)
    assert (view.min_cell, view.max_cell) == ("a3.7", "a3.7")
    assert view.pack_v == pytest.approx(12 * 3.70)


def test_an_excused_cell_is_not_implausible_any_more_and_comes_back_when_trust_ends() -> None:
    viewer = BatteryViewer(VW_GTE_12S)
    reading = module(cell_v=(*[3.70] * 6, 1.2, *[3.70] * 5), suspect=1 << 6)
    views = [viewer.view([reading], 10.0, trust) for trust in (Trust(), misread(), Trust())]
    assert [view and view.implausible for view in views] == [("a3.7",), (), ("a3.7",)]


@pytest.mark.parametrize(
    "changes",
    [
        {"blame": Blame.CELL},
        {"blame": Blame.UNDECIDED},
        {"estimate_v": None},
        {"estimate_v": nan},
        {"within_v": nan},
        {"within_v": 0.6},
        {"within_v": -0.1},
        {"module": "a4"},
        {"cell": 13},
    ],
)
def test_what_is_not_surely_misread_counts_as_it_reads(changes: dict[str, object]) -> None:
    cells = (*[3.70] * 6, 2.58, *[3.70] * 5)
    view = BatteryViewer(VW_GTE_12S).view([module(cell_v=cells)], 10.0, misread(**changes))
    assert view is not None
    assert view.min_cell_v == 2.58


def test_a_missing_cell_stays_missing_though_it_is_excused() -> None:
    cells = (*[3.70] * 6, None, *[3.70] * 5)
    times = (*[10.0] * 6, None, *[10.0] * 5)
    view = BatteryViewer(VW_GTE_12S).view([module(cell_v=cells, cell_at_s=times)], 10.0, misread())
    assert view is not None
    assert view.silent == ("a3",)


def test_a_reading_that_is_no_number_makes_its_module_silent() -> None:
    cells = (*[3.70] * 6, nan, *[3.70] * 5)
    view = BatteryViewer(VW_GTE_12S).view([module(cell_v=cells)], 10.0)
    assert view is not None
    assert view.silent == ("a3",)
    assert settled(view).discharge_a == 0.0


# Whatever comes in.

number = st.one_of(st.floats(), st.floats(-1.0, 6.0))


@settings(max_examples=80)
@given(
    profile=st.sampled_from(sorted(PROFILES)),
    min_v=number,
    max_v=number,
    soc=st.floats(),
    sigma=st.floats(),
    open_v=st.tuples(number, number),
    module_a=st.tuples(st.floats(), st.floats()),
    at_s=st.floats(),
    stops=st.booleans(),
)
def test_nothing_leads_outside_the_ratings_or_to_no_number(
    profile: str,
    min_v: float,
    max_v: float,
    soc: float,
    sigma: float,
    open_v: tuple[float, float],
    module_a: tuple[float, ...],
    at_s: float,
    stops: bool,
) -> None:
    view = replace(HEALTHY, min_cell_v=min_v, max_cell_v=max_v)
    known = charge(soc=soc, sigma=sigma, open_v=open_v, module_a=module_a, at_s=at_s)
    alarms = (alarm(stops_charge=True),) if stops else ()
    keeper = LimitKeeper(PROFILES[profile], RATINGS)
    for second in (0.0, 60.0, 100.0):
        limits = keeper.update(view, second, known, alarms)
        for limit_a in (limits.charge_a, limits.discharge_a):
            assert isfinite(limit_a)
            assert 0.0 <= limit_a <= 50.0
        if stops or not isfinite(max_v):
            assert limits.charge_a == 0.0
        if not isfinite(min_v):
            assert limits.discharge_a == 0.0


def test_a_generic_profile_holds_its_own_curves() -> None:
    keeper = LimitKeeper(replace(NMC, series_cells=14), RATINGS)
    limits = keeper.update(HEALTHY, 0.0)
    assert limits.max_v == pytest.approx(14 * 4.14)
    full = keeper.update(replace(HEALTHY, max_cell_v=4.11), 1.0)
    assert (full.charge_a, full.charge_because) == (0.0, Because.CELL_FULL)
