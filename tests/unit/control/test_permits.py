"""What a person allows only ever makes a power smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import nan
from typing import Any

import pytest
from conftest import CHARGER, DYNAMICS, FAST, INVERTER, LIMITS
from conftest import house as a_house
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.control.controller import Controller
from gridzero.control.guard import PowerLimits, power_limits
from gridzero.control.ledger import Ledger
from gridzero.control.permits import Permits
from gridzero.control.ramp import Ramp
from gridzero.control.strategy import Strategist, self_use
from gridzero.control.tuning import Tuning
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.condition import Condition
from gridzero.domain.modes import Mode, Strategy, Wanted
from gridzero.domain.plan import Plan
from gridzero.domain.readings import CurrentReading
from gridzero.domain.reasons import REASONS, Because
from gridzero.domain.snapshot import Snapshot
from gridzero.domain.value import Outlook, Prices

House = Callable[..., Snapshot]
WIDE = PowerLimits(2000.0, 2000.0, Because.CURRENT_LIMIT, Because.CURRENT_LIMIT)


def at(soc: float | None) -> Condition:
    if soc is None:
        return Condition()
    return Condition(
        charge=BatteryCharge(
            at_s=0.0,
            soc=soc,
            sigma=0.02,
            capacity_ah=200.0,
            out_ah=0.0,
            in_ah=0.0,
            out_wh=0.0,
            in_wh=0.0,
            to_empty_s=None,
            to_full_s=None,
            is_full=False,
            is_empty=False,
            anchored_s=None,
            modules={},
        )
    )


WISHES = st.builds(
    Wanted,
    mode=st.sampled_from(Mode),
    power_w=st.floats(0, 20_000),
    target_w=st.floats(-2000, 2000),
    export_guard_w=st.floats(0, 500),
    max_charge_w=st.floats(0, 20_000),
    max_discharge_w=st.floats(0, 20_000),
    min_soc_pct=st.floats(0, 100),
    max_soc_pct=st.floats(0, 100),
    reserve_soc_pct=st.floats(0, 100),
    ramp_w_per_s=st.sampled_from([0.0, 5.0, 200.0, 2000.0]),
    strategy=st.sampled_from(Strategy),
    peak_w=st.floats(0, 50_000),
    allow_charge=st.booleans(),
    allow_discharge=st.booleans(),
    allow_grid_charge=st.booleans(),
    ev_hold=st.booleans(),
    maintenance=st.booleans(),
)
LIMITED = st.builds(
    lambda charge_a, discharge_a: replace(LIMITS, charge_a=charge_a, discharge_a=discharge_a),
    st.floats(0, 60),
    st.floats(0, 60),
)
WORTHS = st.none() | st.builds(
    Prices, st.floats(-50, 90), st.floats(-50, 90), st.none() | st.floats(-50, 90)
)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(WISHES, st.floats(-5000, 5000), LIMITED, st.none() | st.floats(0, 1), WORTHS),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_no_setting_ever_passes_a_limit_or_a_cap(
    moments: list[tuple[Wanted, float, object, float | None, Prices | None]], full: bool
) -> None:
    controller = Controller(Tuning(), Ledger({"inverter": DYNAMICS}, {"charger": FAST}))
    for number, (wanted, grid_w, limits, soc, prices) in enumerate(moments):
        now = a_house(
            grid_w,
            100.0 + 0.5 * number,
            wanted=wanted,
            limits=limits,
            condition=at(soc),
            prices=prices,
            outlook=Outlook.FILLING,
            full_charge=full,
        )
        bare = power_limits(now, over_current=False, rogue_charge=False)
        decision = controller.tick(now)
        assert -bare.charge_w <= decision.battery_w <= bare.discharge_w
        assert decision.charge_w <= min(bare.charge_w, wanted.max_charge_w)
        assert decision.discharge_w <= min(bare.discharge_w, wanted.max_discharge_w)
        assert -wanted.max_charge_w <= decision.battery_w <= wanted.max_discharge_w
        if wanted.maintenance:
            assert decision.battery_w == 0.0
        if wanted.ev_hold or not wanted.allow_discharge:
            assert decision.battery_w <= 0.0
        if not wanted.allow_charge:
            assert decision.battery_w >= 0.0
        assert REASONS[decision.because]


@given(
    st.floats(0, 20_000) | st.just(nan), st.floats(0, 20_000), WISHES, st.none() | st.floats(0, 1)
)
@settings(max_examples=60)
def test_permits_only_make_limits_smaller(
    charge_w: float, discharge_w: float, wanted: Wanted, soc: float | None
) -> None:
    limits = PowerLimits(charge_w, discharge_w, Because.TOO_HOT, Because.TOO_HOT)
    now = a_house(wanted=wanted, condition=at(soc))
    found = Permits().within(limits, now)
    assert not found.charge_w > charge_w
    assert found.discharge_w <= discharge_w


def test_a_protection_keeps_its_own_reason() -> None:
    tripped = PowerLimits(0.0, 500.0, Because.TRIPPED, Because.CELL_LOW)
    found = Permits().within(tripped, a_house(wanted=Wanted(allow_charge=False, ev_hold=True)))
    assert (found.charge_because, found.discharge_because) == (Because.TRIPPED, Because.EV_HOLD)


def test_a_bound_of_charge_ends_one_percent_beyond() -> None:
    permits, wanted = Permits(), Wanted(min_soc_pct=20.0, max_soc_pct=90.0)

    def discharge_w(soc: float) -> float:
        return permits.within(WIDE, a_house(wanted=wanted, condition=at(soc))).discharge_w

    assert [discharge_w(soc) for soc in (0.21, 0.20, 0.205, 0.2099, 0.2101, 0.201)] == [
        *(2000.0, 0.0, 0.0, 0.0, 2000.0, 2000.0)
    ]
    high = permits.within(WIDE, a_house(wanted=wanted, condition=at(0.9)))
    assert (high.charge_w, high.charge_because) == (0.0, Because.MAX_SOC)
    lower = replace(wanted, min_soc_pct=15.0)
    assert permits.within(WIDE, a_house(wanted=lower, condition=at(0.155))).discharge_w == 2000.0


def test_an_unknown_charge_refuses_only_what_has_a_bound() -> None:
    found = Permits().within(WIDE, a_house(wanted=Wanted(min_soc_pct=5.0)))
    assert (found.discharge_w, found.discharge_because) == (0.0, Because.SOC_UNKNOWN)
    assert found.charge_w == 2000.0
    assert Permits().within(WIDE, a_house()) is WIDE


def test_a_full_charge_passes_over_the_highest_charge_only() -> None:
    wanted = Wanted(max_soc_pct=80.0, max_charge_w=700.0)
    now = a_house(wanted=wanted, condition=at(0.85))
    assert Permits().within(WIDE, now).charge_w == 0.0
    assert Permits().within(WIDE, replace(now, full_charge=True)).charge_w == 700.0


def test_whether_a_person_lets_anything_be_charged_is_told_apart_from_the_battery() -> None:
    permits, cold = Permits(), replace(WIDE, charge_w=0.0, charge_because=Because.TOO_COLD)
    for wanted, may in (
        (Wanted(), True),
        (Wanted(max_soc_pct=80.0), False),
        (Wanted(max_soc_pct=95.0), True),
        (Wanted(max_charge_w=0.0), False),
        (Wanted(max_charge_w=500.0), True),
        (Wanted(allow_charge=False), False),
        (Wanted(maintenance=True), False),
        (Wanted(allow_discharge=False), True),
    ):
        now = replace(a_house(wanted=wanted), condition=at(0.9))
        assert permits.within(cold, now).charge_because is Because.TOO_COLD
        assert permits.may_charge is may, wanted


def test_the_reserve_is_for_people_and_for_peaks() -> None:
    wanted = Wanted(reserve_soc_pct=50.0)
    cases = {
        Because.RESERVE_SOC: wanted,
        Because.CURRENT_LIMIT: replace(wanted, mode=Mode.DISCHARGE),
    }
    for because, one in cases.items():
        now = a_house(wanted=one, condition=at(0.4))
        assert Permits().within(WIDE, now).discharge_because is because
    peaks = replace(wanted, strategy=Strategy.PEAK_SHAVE)
    assert Permits().within(WIDE, a_house(wanted=peaks, condition=at(0.4))).discharge_w == 2000.0


def test_a_ramp_limits_only_the_rise() -> None:
    ramp = Ramp()
    assert ramp.allow(500.0, 0.0, 100.0) == (0.0, Because.RAMP)
    assert ramp.allow(500.0, 0.5, 100.0) == (50.0, Because.RAMP)
    assert ramp.allow(500.0, 1.0, 100.0) == (100.0, Because.RAMP)
    assert ramp.allow(60.0, 1.1, 100.0) == (60.0, None)
    assert ramp.allow(-500.0, 1.6, 100.0) == (-50.0, Because.RAMP)
    assert ramp.allow(-500.0, 99.0, 100.0) == (-150.0, Because.RAMP)
    assert ramp.allow(0.0, 99.5, 100.0) == (0.0, None)
    assert ramp.allow(900.0, 99.6, 0.0) == (900.0, None)


def test_a_ramp_gets_over_the_smallest_power_that_a_charger_holds() -> None:
    controller = Controller(Tuning(), Ledger({"inverter": DYNAMICS}, {"charger": FAST}))
    wanted = Wanted(mode=Mode.CHARGE, power_w=600.0, ramp_w_per_s=40.0)
    given_w = [
        controller.tick(
            a_house(
                now_s=100.0 + 0.25 * i, wanted=wanted, shunt=CurrentReading(100.0 + 0.25 * i, 0)
            )
        ).battery_w
        for i in range(80)
    ]
    assert given_w[0] == 0.0
    assert given_w[-1] == pytest.approx(-600.0)
    steps_w = [b - a for a, b in pairwise(given_w)]
    assert min(steps_w) >= -126.0, "it begins with the least that the charger can hold"


def test_a_target_is_held_as_ever_where_nothing_else_is_set() -> None:
    assert self_use(Wanted(target_w=-30.0)) == (-30.0, -30.0, Because.BALANCED)
    guarded = self_use(Wanted(target_w=-30.0, export_guard_w=20.0))
    assert guarded == (-30.0, 20.0, Because.EXPORT_GUARD)
    unbought = self_use(Wanted(target_w=50.0, allow_grid_charge=False))
    assert unbought == (0.0, 50.0, Because.GRID_CHARGE_NOT_ALLOWED)


def course(wanted: Wanted, net_w: float | None = 0.0, **known: Any) -> tuple[Plan, float]:
    """After the house has been quiet for long."""
    strategist = Strategist()
    strategist.course(a_house(wanted=wanted, now_s=0.0, **known), 0.0)
    found = strategist.course(a_house(wanted=wanted, now_s=300.0, **known), net_w)
    return found.plan, found.buy_w


def test_a_load_that_comes_and_goes_does_not_start_the_charger_again_and_again() -> None:
    wanted = Wanted(strategy=Strategy.PEAK_SHAVE, peak_w=1400.0, reserve_soc_pct=70.0)
    strategist, plans = Strategist(), []
    for second in range(3600):
        # above the peak, then too near to it for a charger, then far below
        net_w = 1500.0 if second % 20 < 10 else 1399.0
        net_w = net_w if second < 2400 else 200.0
        now = a_house(wanted=wanted, now_s=float(second), condition=at(0.4))
        plans.append(strategist.course(now, net_w).plan)
    begun = [s for s, (was, now) in enumerate(pairwise(plans), 1) if now is not was]
    assert begun == [2700], "five minutes after the last of it"
    assert plans[-1] is Plan.PEAK_RESERVE


def test_peaks_are_shaved_and_the_reserve_filled_below_them() -> None:
    wanted = Wanted(strategy=Strategy.PEAK_SHAVE, peak_w=3000.0, reserve_soc_pct=50.0)
    low = {"condition": at(0.4)}
    assert course(wanted, 1000.0, **low) == (Plan.PEAK_RESERVE, 1000.0)
    assert course(wanted, 3500.0, **low) == (Plan.PEAK_SHAVE, 0.0)
    assert course(wanted, None, **low) == (Plan.PEAK_SHAVE, 0.0)
    assert course(wanted, 1000.0, condition=at(0.495)) == (Plan.PEAK_SHAVE, 0.0)
    assert course(wanted, 1000.0) == (Plan.PEAK_SHAVE, 0.0)
    kept = replace(wanted, allow_grid_charge=False)
    assert course(kept, 1000.0, **low) == (Plan.PEAK_SHAVE, 0.0)


@pytest.mark.parametrize(
    ("prices", "plan"),
    [
        (None, Plan.TARIFF_UNKNOWN),
        (Prices(30.0, 8.0), Plan.TARIFF_UNKNOWN),
        (Prices(30.0, 8.0, 30.0), Plan.TARIFF_USES),
        (Prices(30.0, 8.0, 31.0), Plan.TARIFF_WAITS),
        (Prices(30.0, 8.0, 38.9), Plan.TARIFF_WAITS),
        (Prices(30.0, 8.0, 39.0), Plan.TARIFF_BUYS),
        (Prices(-5.0, -8.0, 10.0), Plan.TARIFF_BUYS),
        (Prices(nan, 8.0, 10.0), Plan.TARIFF_UNKNOWN),
    ],
)
def test_a_tariff_buys_only_what_pays_for_its_losses(prices: Prices | None, plan: Plan) -> None:
    kept = CHARGER.spec.efficiency * INVERTER.spec.efficiency
    assert 30.0 / kept / 0.95 == pytest.approx(38.99, abs=0.01)
    found = course(Wanted(strategy=Strategy.TARIFF), prices=prices)
    assert found == (plan, CHARGER.spec.max_w if plan is Plan.TARIFF_BUYS else 0.0)


def test_a_price_that_trembles_starts_nothing() -> None:
    strategist, wanted = Strategist(), Wanted(strategy=Strategy.TARIFF)

    def plan(worth_ct: float) -> Plan:
        now = a_house(wanted=wanted, prices=Prices(30.0, 8.0, worth_ct))
        return strategist.course(now, 0.0).plan

    assert [plan(ct) for ct in (38.0, 39.5, 38.0, 37.0, 38.0)] == [
        *(Plan.TARIFF_WAITS, Plan.TARIFF_BUYS, Plan.TARIFF_BUYS),
        *(Plan.TARIFF_WAITS, Plan.TARIFF_WAITS),
    ]
