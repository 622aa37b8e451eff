"""One tick after the other: what is decided, and the reason that is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite, nan
from typing import Any

import pytest
from conftest import DYNAMICS, FAST, LIMITS, VIEW
from conftest import house as a_house
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.controller import Controller
from gridzero.control.dispatch import Dispatcher
from gridzero.control.ledger import Ledger
from gridzero.control.switches import ALL_ON
from gridzero.control.tuning import Tuning
from gridzero.domain.decision import Decision
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.readings import (
    ConverterReading,
    ConverterState,
    CurrentReading,
    MeterReading,
)
from gridzero.domain.reasons import REASONS, Because
from gridzero.domain.snapshot import Snapshot

House = Callable[..., Snapshot]


def fresh(**tuning: float) -> Controller:
    return Controller(Tuning(**tuning), Ledger({"inverter": DYNAMICS}, {"charger": FAST}))


def after_a_while(controller: Controller, now: Snapshot) -> Decision:
    """What is decided a second later, with nothing new from the meter."""
    for quarter in range(4):
        controller.tick(replace(now, now_s=now.now_s + 0.25 * quarter))
    return controller.tick(replace(now, now_s=now.now_s + 1.0))


def test_import_becomes_discharge_and_export_becomes_charge(house: House) -> None:
    importing = fresh().tick(house(grid_w=600.0))
    assert (importing.battery_w, importing.because) == (600.0, Because.COVERING_LOAD)
    assert importing.units == {"inverter": 600.0, "charger": 0.0}
    exporting = after_a_while(fresh(), house(grid_w=-900.0))
    assert (exporting.battery_w, exporting.because) == (-900.0, Because.STORING_SURPLUS)
    assert exporting.units == {"inverter": 0.0, "charger": 900.0}


def test_the_target_shifts_what_is_held(house: House) -> None:
    decision = fresh().tick(house(grid_w=600.0, wanted=Wanted(target_w=50.0)))
    assert decision.battery_w == 550.0


def test_a_reading_is_observed_only_once(house: House) -> None:
    controller, now = fresh(), house(grid_w=300.0)
    first = controller.tick(now)
    again = controller.tick(replace(now, now_s=now.now_s + 0.25))
    assert first.battery_w == again.battery_w == 300.0


@pytest.mark.parametrize(
    ("age_s", "part", "because"),
    [
        (1.4, 1.0, Because.COVERING_LOAD),
        (5.75, 0.5, Because.METER_LATE),
        (10.0, 0.0, Because.METER_LOST),
        (600.0, 0.0, Because.METER_LOST),
    ],
)
def test_a_late_meter_is_held_then_decays_then_refuses(
    house: House, age_s: float, part: float, because: Because
) -> None:
    now = house(grid_w=400.0)
    late = replace(now, now_s=now.now_s + age_s, shunt=CurrentReading(now.now_s + age_s, 0.0))
    decision = fresh().tick(late)
    assert decision.battery_w == pytest.approx(400.0 * part)
    assert decision.because is because


def test_without_any_reading_nothing_moves(house: House) -> None:
    decision = fresh().tick(house(meter=None))
    assert (decision.battery_w, decision.because) == (0.0, Because.METER_UNKNOWN)


@pytest.mark.parametrize(
    ("mode", "battery_w"),
    [(Mode.CHARGE, -500.0), (Mode.DISCHARGE, 500.0), (Mode.HOLD, 0.0), (Mode.OFF, 0.0)],
)
def test_fixed_modes_do_not_look_at_the_meter(house: House, mode: Mode, battery_w: float) -> None:
    wanted = Wanted(mode=mode, power_w=500.0)
    decision = fresh().tick(house(grid_w=1234.0, meter=None, wanted=wanted))
    assert decision.battery_w == battery_w
    assert decision.because.value == f"mode_{mode.value}"


def test_the_target_topic_charges_and_times_out(house: House) -> None:
    asked = house(grid_w=200.0, target_charge_w=1000.0, target_until_s=110.0)
    assert fresh().tick(asked).because is Because.TARGET_TOPIC
    assert fresh().tick(asked).battery_w == -1000.0
    expired = replace(asked, target_until_s=99.0)
    assert fresh().tick(expired).battery_w == 200.0


def test_a_surplus_waits_until_it_is_worth_a_start(house: House) -> None:
    controller = fresh()
    first = controller.tick(house(grid_w=-400.0, now_s=100.0))
    assert (first.battery_w, first.because) == (0.0, Because.ZERO_CROSS_HOLD)
    later = after_a_while(controller, house(grid_w=-400.0, now_s=100.5))
    assert later.because is Because.STORING_SURPLUS
    assert later.battery_w == pytest.approx(-400.0, abs=20.0)


def test_many_starts_make_the_next_one_wait_longer(house: House) -> None:
    weary, frugal = (
        fresh(),
        Controller(
            Tuning(),
            Ledger({"inverter": DYNAMICS}, {"charger": FAST}),
            ALL_ON.without("start_budget"),
        ),
    )
    for controller in (weary, frugal):
        for _ in range(6):
            controller._starts._budget.spend(99.0)
        controller.tick(house(grid_w=-200.0))
    later = replace(house(grid_w=-200.0), now_s=101.0)
    assert weary.tick(later).because is Because.ZERO_CROSS_HOLD
    assert frugal.tick(later).because is Because.STORING_SURPLUS


def test_a_large_drop_of_the_load_goes_by_zero(house: House) -> None:
    controller = fresh()
    controller._ledger.sent("inverter", 80.0, 650.0)
    controller.tick(house(grid_w=0.0, now_s=100.0))
    cut = controller.tick(house(grid_w=-400.0, now_s=100.5))
    assert (cut.battery_w, cut.because) == (0.0, Because.DROP_TO_ZERO)
    assert cut.net_load_w == pytest.approx(250.0, abs=10.0)
    controller._ledger.sent("inverter", 100.5, 0.0)
    climb = controller.tick(house(grid_w=-400.0, now_s=100.75))
    assert climb.units["inverter"] == pytest.approx(250.0, abs=10.0)


def test_a_charger_idles_while_the_surplus_is_away_for_a_moment(house: House) -> None:
    controller, charger = fresh(), house().chargers[0]
    slow = replace(charger.spec, dynamics=replace(charger.spec.dynamics, start_s=10.0))
    chargers = (replace(charger, spec=slow),)
    after_a_while(controller, house(grid_w=-1500.0, chargers=chargers))
    controller._ledger.sent("charger", 100.0, -1500.0)
    controller.tick(house(grid_w=0.0, now_s=113.0, chargers=chargers))
    gone = controller.tick(house(grid_w=1450.0, now_s=113.5, chargers=chargers))
    assert (gone.battery_w, gone.because) == (-115.0, Because.KEEPING_WARM)


def test_a_missing_number_in_the_limits_refuses(house: House) -> None:
    now = house()
    assert now.limits is not None
    unknown = replace(now, limits=replace(now.limits, discharge_a=nan))
    assert not fresh().tick(replace(unknown, meter=MeterReading(99.7, 100.0, 500.0))).battery_w > 0


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"battery": None}, Because.BATTERY_UNKNOWN),
        ({"limits": None}, Because.BATTERY_UNKNOWN),
        ({"shunt": None}, Because.SHUNT_STALE),
        ({"blocked": Because.UNEXPECTED_MODULE}, Because.UNEXPECTED_MODULE),
    ],
)
@pytest.mark.parametrize("grid_w", [700.0, -700.0])
def test_unknown_refuses_both_directions(
    house: House, changes: dict[str, Any], because: Because, grid_w: float
) -> None:
    decision = after_a_while(fresh(), house(grid_w=grid_w, **changes))
    assert (decision.battery_w, decision.because) == (0.0, because)


def test_a_silent_charger_refuses_charge_and_discharges_only_if_nothing_charges(
    house: House,
) -> None:
    now = house(grid_w=500.0)
    silent = (replace(now.chargers[0], silent=True),)
    assert fresh().tick(house(grid_w=-900.0, chargers=silent)).because is Because.CHARGER_SILENT
    resting = replace(now, chargers=silent, shunt=CurrentReading(now.now_s, 0.5))
    assert fresh().tick(resting).battery_w == 500.0
    charging = replace(now, chargers=silent, shunt=CurrentReading(now.now_s, -20.0))
    assert fresh().tick(charging).because is Because.CHARGER_ACTIVE
    blind = replace(now, chargers=silent, shunt=None, shunt_expected=False)
    assert fresh().tick(blind).battery_w == 0.0


def test_a_rectifier_that_says_that_it_charges_keeps_the_inverter_off(house: House) -> None:
    now = house(grid_w=500.0)
    reading = ConverterReading(at_s=now.now_s, ac_w=-900.0, dc_a=-20.0)
    stuck = (replace(now.chargers[0], state=ConverterState.OFF, reading=reading),)
    decision = fresh().tick(replace(now, chargers=stuck))
    assert (decision.battery_w, decision.because) == (0.0, Because.CHARGER_ACTIVE)


def test_a_stale_shunt_is_no_over_current(house: House) -> None:
    controller = fresh()
    for i in range(400):
        now_s = 100.0 + i * 0.25
        shunt = CurrentReading(min(now_s, 101.0), 75.0)
        decision = controller.tick(house(grid_w=800.0, now_s=now_s, shunt=shunt))
        assert decision.because is not Because.OVER_CURRENT


def test_over_current_trips_after_two_seconds_and_rests_half_a_minute(house: House) -> None:
    controller = fresh()
    because: dict[float, Because] = {}
    for i in range(160):
        now_s = 100.0 + i * 0.25
        amps = 70.0 if i < 20 else 0.0
        now = house(grid_w=800.0, now_s=now_s, shunt=CurrentReading(now_s, amps))
        because[now_s] = controller.tick(now).because
    tripped = [t for t, b in because.items() if b is Because.OVER_CURRENT]
    assert 102.0 <= min(tripped) <= 102.5
    assert 134.0 <= max(tripped) <= 135.0


def test_small_wishes_do_not_start_a_converter(house: House) -> None:
    decision = fresh().tick(house(grid_w=20.0))
    assert (decision.battery_w, decision.because) == (0.0, Because.BELOW_MINIMUM)
    assert after_a_while(fresh(), house(grid_w=-170.0)).because is Because.BELOW_MINIMUM
    assert after_a_while(fresh(), house(grid_w=-180.0)).battery_w == -180.0
    asked_more = fresh(min_charge_w=300.0)
    assert after_a_while(asked_more, house(grid_w=-290.0)).battery_w == 0.0


def test_power_is_shared_over_as_few_units_as_needed(house: House) -> None:
    now = house()
    pair = (now.inverters[0], replace(now.inverters[0], name="second"))
    dispatcher = Dispatcher(150.0, 30.0)
    few = dispatcher.split(700.0, replace(now, inverters=pair))
    assert few.units == {"inverter": 700.0, "second": 0.0, "charger": 0.0}
    both = Dispatcher(150.0, 30.0).split(1200.0, replace(now, inverters=pair))
    assert both.units == pytest.approx({"inverter": 600.0, "second": 600.0, "charger": 0.0})
    lost = (replace(pair[0], silent=True), pair[1])
    assert dispatcher.split(700.0, replace(now, inverters=lost)).units["second"] == 700.0


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Because)
    assert all(len(text) > 10 for text in REASONS.values())


any_float = st.floats() | st.floats(-5000, 5000)


@given(
    grids=st.lists(any_float, min_size=1, max_size=12),
    discharge_a=any_float,
    charge_a=any_float,
    shunt_a=any_float,
    pack_v=any_float,
)
def test_nothing_a_device_reports_leads_outside_the_limits(
    grids: list[float], discharge_a: float, charge_a: float, shunt_a: float, pack_v: float
) -> None:
    controller = fresh()
    for i, grid_w in enumerate(grids):
        now_s = 100.0 + i * 0.5
        now = a_house(
            grid_w=grid_w,
            now_s=now_s,
            battery=replace(VIEW, pack_v=pack_v),
            limits=replace(LIMITS, charge_a=charge_a, discharge_a=discharge_a),
            shunt=CurrentReading(now_s, shunt_a),
        )
        decision = controller.tick(now)
        assert isfinite(decision.battery_w)
        assert -2800.0 <= decision.battery_w <= 900.0
        assert all(isfinite(w) and w >= 0 for w in decision.units.values())
        allowed_w = discharge_a * pack_v * 0.9
        if decision.battery_w > 0:
            assert decision.battery_w <= allowed_w + 1e-6
        if decision.battery_w < 0:
            assert -decision.battery_w <= charge_a * pack_v / 0.9 + 1e-6
        assert not (decision.units["inverter"] > 0 and decision.units["charger"] > 0)
