"""Heat: foreseen, held below its limits, made when it is missing, and feared when unexplained."""

from __future__ import annotations

import json
from dataclasses import replace
from math import nan

import pytest
from barn import FULL, Barn
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.thermal import Thermal, ThermalRules
from gridzero.battery.thermal.outputs import Toggle
from gridzero.domain.alarms import Level
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.sim.pack import PackModel

RULES = ThermalRules()
WARMED = ThermalRules(has_heater=True)
STRONG = ThermalRules(full_a=60.0)
OHM = PackModel(ohmic_ohm=0.002, rc_ohm=0.0015)


# -- foreseen


def test_the_temperature_in_twenty_minutes_is_foreseen() -> None:
    barn = Barn(STRONG, model=OHM)
    barn.current_a = 60.0
    predicted_c = barn.run(900).predicted_c["b3"]
    barn.run(RULES.horizon_s)
    assert predicted_c == pytest.approx(barn.pack.temp_c("b3"), abs=1.0)


def test_ambient_and_time_constant_are_learned_within_days() -> None:
    model = replace(OHM, cooling_s=4000.0)
    barn = Barn(STRONG, temp_c=15.0, model=model)
    for _ in range(6):
        for current_a in (70.0, 0.0):
            barn.current_a = current_a
            barn.run(3.0 * 3600.0, 20.0)
    learned = barn.thermal.to_dict()["modules"]
    assert isinstance(learned, dict)
    assert learned["b3"]["tau_s"] == pytest.approx(4000.0, rel=0.25)
    assert barn.state.ambient_c == pytest.approx(15.0, abs=2.0)
    assert barn.alarms() == []


def test_what_was_learned_survives_a_restart() -> None:
    barn = Barn(temp_c=25.0)
    barn.pack.ambient_c = 10.0
    barn.run(12 * 3600.0, 20.0)
    stored = json.loads(json.dumps(barn.thermal.to_dict()))
    again = Thermal(RULES)
    again.restore(stored)
    assert again.to_dict()["modules"] == stored["modules"]
    barn.thermal = again
    assert barn.run(60).ambient_c == pytest.approx(10.0, abs=2.0)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"version": 2, "modules": {}, "tripped": []},
        {"version": 1, "modules": [], "tripped": []},
        {"version": 1, "modules": {}, "tripped": "b3"},
    ],
)
def test_another_version_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="version"):
        Thermal(RULES).restore(broken)


def test_learned_numbers_that_cannot_be_are_left_out() -> None:
    thermal = Thermal(RULES)
    modules = {"a1": {"ambient_c": nan, "tau_s": 7200.0}, "a2": {"ambient_c": 1.0}, "a3": 1}
    good = {"b1": {"ambient_c": 12.0, "tau_s": 7000.0}}
    thermal.restore(
        {"version": 1, "modules": {**modules, **good}, "tripped": [], "heat_c_per_h": -1}
    )
    assert thermal.to_dict()["modules"] == good
    assert thermal.to_dict()["heat_c_per_h"] == RULES.heat_c_per_h


# -- held below its limits


def test_full_current_in_the_cool_and_less_before_it_gets_hot() -> None:
    barn = Barn(STRONG, model=OHM)
    assert barn.run(10).charge_factor == 1.0
    barn.current_a = 120.0
    seen = [barn.run(300) for _ in range(30)]
    assert seen[-1].charge_factor < 0.7
    assert all(now.discharge_factor >= now.charge_factor for now in seen), "it bears more heat"
    assert any("charge" in text and "45" in text for text in seen[-1].because)
    first = next(now for now in seen if now.charge_factor < 1.0)
    assert first.hottest_c is not None
    assert first.hottest_c < STRONG.charge_limit_c - 5.0, "long before the limit"


def test_a_current_that_obeys_never_passes_the_limit_and_does_not_hunt() -> None:
    barn = Barn(STRONG, temp_c=30.0, model=OHM)
    seen = []
    for _ in range(900):
        barn.current_a = -120.0 * barn.state.charge_factor
        barn.run(20, 20.0)
        seen.append(barn.state.charge_factor)
    assert max(barn.pack.temp_c(name) for name in barn.pack.modules) < STRONG.charge_limit_c
    settled = seen[600:]
    assert min(settled) > 0.1, "it goes on with less"
    assert max(settled) - min(settled) < 0.15


def test_unknown_temperatures_refuse_and_let_the_fan_run_while_current_flows() -> None:
    barn = Barn()
    barn.run(600)
    assert (barn.state.charge_factor, barn.state.fan_on) == (1.0, False)
    barn.changes["b3"] = {"temps": (), "temp_at_s": None}
    barn.current_a = 10.0
    state = barn.run(5)
    assert (state.charge_factor, state.discharge_factor, state.fan_on) == (0.0, 0.0, True)
    assert state.predicted_c["b3"] is None
    assert state.hottest_c is None
    assert "b3" in state.because[0]
    barn.changes.clear()
    assert 0.0 < barn.run(5).charge_factor < 1.0, "and comes back slowly"
    assert barn.run(120).charge_factor == 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"temps": (Temperature(nan, nan),)},
        {"temps": (Temperature(20.0, 20.0), Temperature(20.0, nan))},
        {"over_range_temp": True},
        {"temp_at_s": -31.0},
    ],
)
def test_what_is_no_temperature_counts_as_unknown(change: dict[str, object]) -> None:
    barn = Barn(WARMED, temp_c=3.0)
    barn.wants_charge = True
    assert barn.run(200).heat_on
    barn.changes["b3"] = change
    state = barn.run(5)
    assert (state.charge_factor, state.discharge_factor, state.heat_on) == (0.0, 0.0, False)


def test_no_modules_is_no_battery() -> None:
    state = Thermal(RULES).update(0.0, [], None, 0.0, wants_charge=True)
    assert (state.charge_factor, state.discharge_factor, state.heat_on) == (0.0, 0.0, False)


@pytest.mark.parametrize("unknown", [None, nan])
def test_an_unknown_current_is_taken_as_the_largest(unknown: float | None) -> None:
    def predicted_c(current_a: float | None) -> float:
        thermal = Thermal(STRONG)
        for now_s in range(0, 900, 5):
            reading = ModuleReading(
                bus="b",
                number=3,
                cell_v=(3.9,) * 12,
                cell_at_s=(float(now_s),) * 12,
                temps=(Temperature(20.0, 20.0),),
                temp_at_s=float(now_s),
            )
            state = thermal.update(float(now_s), [reading], None, current_a, wants_charge=False)
        return state.predicted_c["b3"] or 0.0

    assert predicted_c(unknown) > predicted_c(10.0) + 5.0


# -- made when it is missing


def test_cold_modules_are_not_charged_until_they_are_warm_enough() -> None:
    barn = Barn(temp_c=1.5)
    state = barn.run(10)
    assert (state.charge_factor, state.discharge_factor) == (0.0, 1.0)
    assert state.warm_in_s is None, "there is no heater"
    assert "no charge" in state.because[0]
    for name in barn.pack.modules:
        barn.pack.set_temp_c(name, 3.0)
    assert barn.run(10).charge_factor == 0.0
    for name in barn.pack.modules:
        barn.pack.set_temp_c(name, 4.6)
    assert barn.run(120).charge_factor == 1.0
    assert barn.state.warm_in_s == 0.0


def test_a_cold_battery_is_warmed_when_the_sun_wants_in_and_not_before() -> None:
    barn = Barn(WARMED, temp_c=1.0)
    barn.heater_w = 25.0
    assert not barn.run(600).heat_on
    barn.wants_charge = True
    assert barn.run(600).heat_on
    assert barn.state.warm_in_s is not None
    assert any("heating" in text for text in barn.state.because)
    for _ in range(120):
        if not barn.run(60).heat_on:
            break
    assert not barn.state.heat_on, "warm enough"
    assert barn.state.coldest_c == pytest.approx(WARMED.warm_until_c, abs=0.5)
    assert barn.state.charge_factor == 1.0
    assert barn.alarms() == []


def test_heating_begins_in_time_for_an_expected_need() -> None:
    barn = Barn(WARMED, temp_c=3.0)
    barn.heater_w = 25.0
    barn.needed_in_s = 4 * 3600.0
    assert not barn.run(600).heat_on
    barn.needed_in_s = 1 * 3600.0
    assert barn.run(600).heat_on


@pytest.mark.parametrize(
    "charge", [None, replace(FULL, is_empty=True), replace(FULL, soc=0.2), replace(FULL, soc=nan)]
)
def test_nothing_is_heated_from_an_empty_battery(charge: object) -> None:
    barn = Barn(WARMED, temp_c=1.0)
    barn.wants_charge = True
    assert barn.run(600).heat_on
    barn.charge = charge  # type: ignore[assignment]  # each row is a charge or None
    assert not barn.run(5).heat_on


def test_one_hot_module_forbids_heating_the_others() -> None:
    barn = Barn(WARMED, temp_c=1.0)
    barn.wants_charge = True
    barn.pack.set_temp_c("b2", 26.0)
    assert not barn.run(30).heat_on


def test_a_heater_that_warms_nothing_is_told_and_rests() -> None:
    barn = Barn(WARMED, temp_c=1.0)
    barn.wants_charge = True
    barn.run(WARMED.useless_s)
    assert barn.alarms() == []
    state = barn.run(60)
    assert [(a.code, a.level) for a in state.alarms] == [("heater_useless", Level.WARN)]
    assert not state.heat_on
    assert not barn.run(3600, 20.0).heat_on
    assert barn.run(5.2 * 3600.0, 20.0).heat_on, "tried again after hours"
    barn.heater_w = 25.0
    barn.run(WARMED.useless_s + 30.0)
    assert barn.alarms() == []


def test_a_person_may_ask_for_another_try_of_the_heater() -> None:
    barn = Barn(WARMED, temp_c=1.0)
    barn.wants_charge = True
    barn.run(WARMED.useless_s + 60.0)
    barn.thermal.acknowledge()
    assert barn.run(WARMED.least_off_s + 10.0).heat_on
    assert barn.alarms() == []


def test_the_speed_of_the_heater_is_learned() -> None:
    barn = Barn(replace(WARMED, heat_c_per_h=1.0), temp_c=-5.0)
    barn.wants_charge, barn.heater_w = True, 20.0
    before_s = barn.run(5).warm_in_s
    barn.run(WARMED.useless_s + 60.0)
    after_s = barn.state.warm_in_s
    assert before_s is not None
    assert after_s is not None
    assert after_s < 0.4 * before_s


def test_the_fan_runs_from_warm_to_cool() -> None:
    barn = Barn(temp_c=34.0)
    assert not barn.run(10).fan_on
    for name in barn.pack.modules:
        barn.pack.set_temp_c(name, 35.5)
    assert barn.run(10).fan_on
    for name in barn.pack.modules:
        barn.pack.set_temp_c(name, 33.0)
    assert barn.run(300).fan_on
    for name in barn.pack.modules:
        barn.pack.set_temp_c(name, 30.0)
    assert not barn.run(300).fan_on


def test_outputs_are_not_switched_faster_than_they_bear() -> None:
    toggle = Toggle(120.0, 60.0)
    assert toggle.ask(0.0, wanted=True)
    assert toggle.ask(119.0, wanted=False)
    assert not toggle.ask(120.0, wanted=False)
    assert not toggle.ask(179.0, wanted=True)
    assert toggle.ask(180.0, wanted=True)
    assert not toggle.ask(181.0, wanted=True, forbidden=True), "danger does not wait"


# -- feared when unexplained


@pytest.mark.parametrize(("c_per_min", "within_s"), [(1.0, 600.0), (5.0, 180.0), (20.0, 90.0)])
def test_a_module_that_warms_without_a_current_trips_within_minutes(
    c_per_min: float, within_s: float
) -> None:
    barn = Barn(WARMED, temp_c=18.0)
    barn.run(1800)
    barn.extra_w["b3"] = c_per_min / 60.0 * barn.pack.model.heat_j_per_k
    began_s = barn.now_s
    while not barn.alarms():
        barn.run(5)
        assert barn.now_s - began_s <= within_s
    alarm = barn.state.alarms[0]
    assert (alarm.code, alarm.subject, alarm.level) == ("self_heating", "b3", Level.TRIP)
    assert alarm.stops_charge
    assert alarm.stops_discharge
    assert barn.state.charge_factor == barn.state.discharge_factor == 0.0


def test_a_trip_stays_until_a_person_has_seen_it_and_it_is_over() -> None:
    barn = Barn()
    barn.run(600)
    barn.extra_w["b3"] = 750.0
    barn.run(300)
    barn.thermal.acknowledge()
    assert not barn.run(5).alarms[0].is_latched, "still warming: nothing to acknowledge"
    barn.extra_w.clear()
    assert barn.run(3600).alarms[0].is_latched
    stored = barn.thermal.to_dict()
    barn.thermal.acknowledge()
    assert barn.run(5).alarms == ()
    assert barn.state.charge_factor > 0.0
    barn.thermal = Thermal(RULES)
    barn.thermal.restore(stored)
    assert barn.run(5).alarms[0].is_latched, "a restart is no acknowledgement"


@pytest.mark.parametrize("current_a", [60.0, -120.0])
def test_strong_currents_bleeding_heaters_and_sunny_mornings_are_no_runaway(
    current_a: float,
) -> None:
    barn = Barn(replace(WARMED, full_a=60.0), temp_c=1.0, model=OHM)
    barn.wants_charge, barn.heater_w = True, 30.0
    barn.run(3600)
    barn.current_a = current_a
    barn.pack.bleed("b3", 0xFFF)
    for hour in range(4):
        barn.pack.ambient_c = 1.0 + 4.0 * hour
        barn.run(1800, 10.0)
        barn.current_a = -barn.current_a
        barn.run(1800, 10.0)
    assert barn.alarms() == []


def test_a_sensor_that_comes_or_goes_is_no_runaway_and_neither_is_one_wrong_reading() -> None:
    barn = Barn(temp_c=20.0)
    barn.run(600)
    barn.changes["b3"] = {"temps": (Temperature(20.0, 20.0), Temperature(28.0, 28.0))}
    barn.run(300)
    barn.changes["b3"] = {"temps": (Temperature(20.0, 20.0), Temperature(38.0, 38.0))}
    barn.run(5)
    barn.changes["b3"] = {"temps": (Temperature(20.0, 20.0), Temperature(28.0, 28.0))}
    barn.run(300)
    assert barn.alarms() == []


# -- always


@settings(max_examples=60)
@given(
    low_c=st.floats(),
    high_c=st.floats(),
    age_s=st.floats(),
    current_a=st.none() | st.floats(),
    soc=st.floats(),
)
def test_whatever_is_read_factors_are_fractions_and_unknown_refuses(
    low_c: float, high_c: float, age_s: float, current_a: float | None, soc: float
) -> None:
    thermal = Thermal(WARMED)
    for now_s in (0.0, 5.0, 10.0):
        reading = ModuleReading(
            bus="b",
            number=3,
            cell_v=(3.9,) * 12,
            cell_at_s=(now_s,) * 12,
            temps=(Temperature(low_c, high_c),),
            temp_at_s=now_s - age_s,
        )
        charge = replace(FULL, soc=soc)
        state = thermal.update(now_s, [reading], charge, current_a, wants_charge=True)
        assert 0.0 <= state.charge_factor <= 1.0
        assert 0.0 <= state.discharge_factor <= 1.0
        if state.hottest_c is None:
            assert state.charge_factor == state.discharge_factor == 0.0
            assert not state.heat_on
        if state.heat_on:
            assert soc >= WARMED.heat_from_soc
        if state.charge_factor > 0.0:
            assert low_c >= WARMED.cold_block_c
            assert high_c < WARMED.charge_limit_c


@pytest.mark.parametrize(
    "change",
    [
        {"ohm": 0.0},
        {"heat_j_per_k": -1.0},
        {"tau_s": nan},
        {"tau_s": 100.0},
        {"cold_release_c": 1.0},
        {"fan_off_c": 40.0},
        {"charge_limit_c": 60.0},
    ],
)
def test_rules_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(RULES, **change)  # type: ignore[arg-type]  # each row names a number
