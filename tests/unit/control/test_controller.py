from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite, nan
from typing import Any

import pytest
from gridzero.control.zero_cross import ZeroCrossHold
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.controller import Controller, Tuning
from gridzero.control.dispatch import Dispatcher
from gridzero.control.guard import PowerLimits, guard, meter_factor
from gridzero.control.ledger import Ledger
from gridzero.control.meter_watch import MeterWatch, Verdict
from gridzero.control.observer import NetLoadObserver
from gridzero.control.rogue_charge import RogueCharge
from gridzero.control.trim import Trim
from gridzero.domain.converters import Dynamics
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

DYNAMICS = Dynamics(dead_time_s=0.3, jump_w=57, rise_w_per_s=75, fall_w_per_s=100)
FAST = Dynamics(dead_time_s=0.5, jump_w=0, rise_w_per_s=800, fall_w_per_s=800)


def fresh(**tuning: float) -> Controller:
    return Controller(Tuning(**tuning), Ledger({"inverter": DYNAMICS}, {"charger": FAST}))


def test_import_becomes_discharge_and_export_becomes_charge(house: House) -> None:
    importing = fresh().tick(house(grid_w=600.0))
    assert (importing.battery_w, importing.because) == (600.0, Because.COVERING_LOAD)
    assert importing.units == {"inverter": 600.0, "charger": 0.0}
    exporting = fresh().tick(house(grid_w=-900.0))
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


def test_the_opposite_direction_waits_six_seconds(house: House) -> None:
    controller = fresh()
    powers = []
    controller.tick(house(grid_w=500.0, now_s=100.0))
    for i in range(1, 20):
        now_s = 100.0 + i * 0.5
        decision = controller.tick(house(grid_w=-1500.0, now_s=now_s))
        powers.append((now_s, decision.battery_w, decision.because))
    held = [p for p in powers if p[2] is Because.ZERO_CROSS_HOLD]
    assert [p[1] for p in held] == [0.0] * len(held)
    first_charge_s = next(p[0] for p in powers if p[1] < 0)
    assert 106.0 <= first_charge_s <= 106.5


def test_a_direction_that_never_ran_holds_nothing_back() -> None:
    hold = ZeroCrossHold(6.0)
    hold.ran(0.0, 10.0)
    assert hold.allow(-500.0, 10.1) == -500.0


def test_the_guard_has_the_last_word() -> None:
    limits = PowerLimits(800.0, 300.0, Because.CELL_HIGH, Because.CELL_LOW)
    assert guard(1000.0, limits) == (300.0, Because.CELL_LOW)
    assert guard(-1000.0, limits) == (-800.0, Because.CELL_HIGH)
    assert guard(100.0, limits) == (100.0, None)
    assert guard(nan, limits) == (0.0, Because.METER_UNKNOWN)
    assert guard(5.0, replace(limits, discharge_w=0.0)) == (0.0, Because.CELL_LOW)


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
    decision = fresh().tick(house(grid_w=grid_w, **changes))
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


def test_a_rectifier_that_charges_unseen_behind_the_inverter_is_found(house: House) -> None:
    watch, now = RogueCharge(), house()
    silent = (replace(now.chargers[0], silent=True),)
    inverter_a = 860.0 / (44.4 * 0.9)
    honest = replace(now, chargers=silent, shunt=CurrentReading(now.now_s, inverter_a))
    assert not watch.update(honest, 860.0)
    hidden = replace(now, chargers=silent, shunt=CurrentReading(now.now_s, inverter_a - 8.0))
    assert watch.update(hidden, 860.0)
    later = replace(honest, now_s=now.now_s + 9.0, shunt=CurrentReading(now.now_s + 9.0, 0.0))
    assert watch.update(later, 0.0), "it rests before it looks again"


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
    assert fresh().tick(house(grid_w=-140.0)).battery_w == 0.0
    assert fresh().tick(house(grid_w=-160.0)).battery_w == -160.0


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


def test_a_charger_rests_before_it_starts_again(house: House) -> None:
    dispatcher = Dispatcher(150.0, 30.0)
    assert dispatcher.split(-500.0, house(now_s=100.0)).total_w == -500.0
    assert dispatcher.split(0.0, house(now_s=101.0)).total_w == 0.0
    rest = dispatcher.split(-500.0, house(now_s=110.0))
    assert (rest.total_w, rest.because) == (0.0, Because.RESTART_DWELL)
    assert dispatcher.split(-500.0, house(now_s=122.0)).total_w == -500.0


class Plant:
    """A house of one inverter, exactly as modelled, with another gain and dead time."""

    def __init__(self, gain: float, dead_time_s: float) -> None:
        self.truth = Ledger(
            {"inverter": replace(DYNAMICS, gain=gain, dead_time_s=dead_time_s)}, {"charger": FAST}
        )
        self.controller = fresh()
        self.house: House

    def run(self, house: House, load_w: Callable[[float], float], seconds: float) -> list[float]:
        grid: list[float] = []
        sent: dict[str, float] = {}
        ledger = self.controller._ledger
        for i in range(int(seconds / 0.5)):
            now_s = 100.0 + 0.5 * i
            grid_w = load_w(now_s - 0.3) - self.truth.own_w(now_s - 0.3)
            decision: Decision = self.controller.tick(house(grid_w=grid_w, now_s=now_s))
            for name, sign in (("inverter", 1), ("charger", -1)):
                if sent.get(name) != decision.units[name]:
                    sent[name] = decision.units[name]
                    for book in (ledger, self.truth):
                        book.sent(name, now_s, sign * sent[name])
            grid.append(grid_w)
        return grid


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("dead_time_s", [0.1, 0.3, 0.6])
def test_a_step_is_regulated_without_ringing_though_the_model_is_wrong(
    house: House, gain: float, dead_time_s: float
) -> None:
    plant = Plant(gain, dead_time_s)
    grid = plant.run(house, lambda t: 200.0 if t < 130 else 500.0, 60.0)
    assert max(abs(w) for w in grid[50:58]) < 5.0
    after = grid[62:]
    assert min(after) > -100.0
    assert max(abs(w) for w in after[24:]) < 5.0


def test_constant_load_is_held_without_an_offset(house: House) -> None:
    grid = Plant(0.9, 0.3).run(house, lambda _t: 345.0, 60.0)
    assert abs(sum(grid[-40:]) / 40) < 1.0


def test_the_observer_follows_confirmed_jumps_and_calms_small_noise() -> None:
    observer = NetLoadObserver(0.5)
    for wiggle in (0, 3, -3, 2, -2):
        observer.update(200.0 + wiggle, 0.0)
    observer.update(260.0, 0.0)
    assert observer.net_load_w == pytest.approx(230.0, abs=2.0)
    assert observer.update(260.0, 0.0) == 260.0
    assert observer.update(2260.0, 0.0) == 2260.0


def test_the_observer_sees_through_its_own_commands() -> None:
    observer = NetLoadObserver(0.5)
    for own_w in (0.0, 100.0, 300.0, 500.0):
        assert observer.update(500.0 - own_w, own_w) == 500.0


def test_the_trim_integrates_only_what_is_not_in_flight_and_gives_back_what_was_cut() -> None:
    trim = Trim()
    for _ in range(100):
        trim.update(300.0, 300.0, 0.5)
    assert trim.value_w == 0.0
    for _ in range(1000):
        trim.update(10.0, 0.0, 0.5)
    assert trim.value_w == 60.0
    trim.back_calculate(50.0)
    assert trim.value_w == 10.0
    trim.back_calculate(-50.0)
    assert trim.value_w == 10.0


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


def test_one_wild_sample_does_not_stop_a_converter() -> None:
    observer = NetLoadObserver(0.5)
    for _ in range(10):
        observer.update(0.0, -1300.0)
    assert observer.update(2000.0, -1300.0) < 0.0
    assert observer.update(0.0, -1300.0) < -600.0
    assert observer.update(2000.0, -1300.0) < 700.0
    assert observer.update(2000.0, -1300.0) == 700.0


def test_the_meter_factor_refuses_what_is_not_an_age() -> None:
    assert meter_factor(inf, 1.5, 10.0) == (0.0, Because.METER_UNKNOWN)
    assert meter_factor(nan, 1.5, 10.0) == (0.0, Because.METER_UNKNOWN)


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
    from conftest import LIMITS, VIEW, house  # noqa: PLC0415 - plain function, not the fixture

    controller = fresh()
    for i, grid_w in enumerate(grids):
        now_s = 100.0 + i * 0.5
        now = house(
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
