"""Each protection happens: what is said, how soon, what it refuses, and how it ends."""

from __future__ import annotations

import pytest
from protection_fakes import Battery, charge_of, doubt, limits, trust_of

from gridzero.battery.profile import profile
from gridzero.domain.alarms import Level
from gridzero.domain.trust import Blame

WARN, LIMIT, TRIP = Level.WARN, Level.LIMIT, Level.TRIP


def stops(battery: Battery, code: str) -> tuple[bool, bool]:
    alarm = battery.said(code)
    return alarm.stops_charge, alarm.stops_discharge


def test_a_cell_far_below_its_data_sheet_stops_both_at_once_and_latches() -> None:
    battery = Battery()
    battery.cell_v["b1"][2] = 1.9
    assert battery.first("cell_deep", 20.0) == {LIMIT: 0.5, TRIP: 15.5}
    assert stops(battery, "cell_deep") == (True, True)
    battery.cell_v["b1"][2] = 3.7
    battery.after(70.0)
    assert battery.said("cell_deep").is_latched


def test_a_cell_below_its_limit_stops_discharge_with_the_first_reading() -> None:
    battery = Battery()
    battery.cell_v["b1"][2] = 2.58
    assert battery.first("cell_under", 60.0) == {LIMIT: 0.5}
    assert stops(battery, "cell_under") == (False, True)
    battery.cell_v["b1"][2] = 2.45
    assert battery.first("cell_under", 20.0)[TRIP] == 15.5


def test_cells_that_are_apart_at_rest_warn_limit_and_trip() -> None:
    battery = Battery()
    battery.after(150.0)
    for volts, level in ((3.55, WARN), (3.35, LIMIT), (3.15, TRIP)):
        battery.cell_v["b1"][2] = volts
        battery.after(70.0)
        assert battery.said("cell_spread").level is level
    assert stops(battery, "cell_spread") == (True, True)
    assert "module b1" in battery.said("cell_spread").text


def test_a_spread_under_load_is_judged_by_the_estimate_and_near_empty_by_nobody() -> None:
    battery = Battery(current_a=20.0)
    battery.cell_v["b1"][2] = 3.30
    battery.after(300.0)
    assert "cell_spread" not in battery.codes
    cells = {name: [3.70] * 12 for name in battery.cell_v}
    cells["b1"][2] = 3.35
    battery.watched = {"charge": charge_of(cells)}
    battery.after(70.0)
    assert battery.said("cell_spread").level is LIMIT
    battery.watched = {"charge": charge_of({"b1": [3.4] * 11 + [3.0]})}
    battery.after(70.0)
    assert "cell_spread" not in battery.codes


def test_an_estimate_that_began_wrong_does_not_accuse_cells_that_read_alike() -> None:
    battery = Battery(current_a=20.0)
    battery.watched = {"charge": charge_of({"b1": [3.55, 4.10] * 6})}
    battery.after(300.0)
    assert "cell_spread" not in battery.codes


def test_a_cell_that_runs_away_from_its_neighbours_stops_both() -> None:
    battery = Battery()
    battery.after(60.0)
    for _ in range(60):
        battery.cell_v["b1"][2] -= 0.006  # type: ignore[operator]  # all cells are known
        battery.after(1.0)
    assert battery.said("cell_rate").level is LIMIT
    assert stops(battery, "cell_rate") == (True, True)
    assert "cell b1.3" in battery.said("cell_rate").text


def test_a_load_step_moves_all_cells_and_is_no_runaway() -> None:
    battery = Battery()
    battery.after(60.0)
    battery.cell_v = {name: [3.60] * 11 + [3.56] for name in battery.cell_v}
    battery.after(60.0)
    assert "cell_rate" not in battery.codes


def test_heat_warns_stops_charging_first_then_both_then_trips() -> None:
    battery = Battery()
    for temp_c, code, level, refused in (
        (48.0, "too_hot", WARN, (False, False)),
        (51.0, "hot_charge", LIMIT, (True, False)),
        (56.0, "too_hot", LIMIT, (True, True)),
        (61.0, "too_hot", TRIP, (True, True)),
    ):
        battery.temp_c["b2"] = temp_c
        battery.after(15.0)
        assert (battery.said(code).level, stops(battery, code)) == (level, refused)


def test_cold_warns_stops_charging_and_then_discharging() -> None:
    battery = Battery()
    battery.temp_c = dict.fromkeys(battery.cell_v, 6.0)  # the sensors' lower bound is 3 K less
    battery.after(70.0)
    assert battery.said("too_cold").level is WARN
    battery.temp_c["b2"] = 4.5
    battery.after(1.0)
    assert stops(battery, "too_cold") == (True, False)
    assert stops(battery, "cold_discharge") == (False, True)


def test_one_module_much_warmer_than_the_others_is_told_by_name() -> None:
    battery = Battery()
    for warmer, level in ((9.0, WARN), (16.0, LIMIT), (26.0, TRIP)):
        battery.temp_c["b2"] = 20.0 + warmer
        battery.after(70.0)
        assert battery.said("temp_spread").level is level
    assert "b2" in battery.said("temp_spread").text


def test_more_charge_than_the_rating_warns_limits_and_trips() -> None:
    battery = Battery(current_a=-33.0)
    battery.after(11.0)
    assert battery.said("charge_current").level is WARN
    battery.current_a = -36.0
    battery.after(4.0)
    assert stops(battery, "charge_current") == (True, False)
    battery.current_a = -50.0
    battery.after(3.0)
    assert battery.said("charge_current").level is TRIP
    assert stops(battery, "charge_current") == (True, True)


def test_more_discharge_than_the_rating_is_another_fault() -> None:
    battery = Battery(current_a=36.0)
    battery.after(4.0)
    assert stops(battery, "discharge_current") == (False, True)
    assert "charge_current" not in battery.codes


def test_a_module_that_carries_too_much_stops_both() -> None:
    even = Battery(current_a=30.0)
    even.after(40.0)
    assert "module_current" not in even.codes
    cells = {name: [3.70] * 12 for name in even.cell_v}
    uneven = charge_of(cells, module_a={"a3": 2.0, "b1": 20.0, "b2": 8.0})
    even.watched = {"charge": uneven}
    even.after(11.0)
    assert even.said("module_current").level is LIMIT
    assert "module b1" in even.said("module_current").text
    assert stops(even, "module_current") == (True, True)


def test_little_too_much_for_long_adds_up() -> None:
    battery = Battery(current_a=33.6)
    seen = battery.first("current_integral", 70.0)
    assert seen[LIMIT] == pytest.approx(50.0, abs=3.0)
    assert stops(battery, "current_integral") == (True, True)


def test_twice_the_rating_adds_up_quickly() -> None:
    seen = Battery(current_a=60.0).first("current_integral", 20.0)
    assert seen == {WARN: 4.0, LIMIT: 7.0, TRIP: 13.0}


def test_charge_while_the_limit_is_zero_trips_within_its_reaction_time() -> None:
    battery = Battery(current_a=-20.0, watched={"limits": limits(charge_a=0.0)})
    assert battery.first("charging_forbidden", 20.0) == {WARN: 5.5, LIMIT: 8.5, TRIP: 15.5}
    assert stops(battery, "charging_forbidden") == (True, True)


def test_a_converter_that_stops_in_time_is_no_fault() -> None:
    battery = Battery(current_a=-20.0, watched={"limits": limits(charge_a=0.0)})
    battery.after(4.0)
    battery.current_a = -0.5
    battery.after(30.0)
    assert battery.codes == set()


def test_discharge_while_the_limit_is_zero_trips_too() -> None:
    battery = Battery(current_a=20.0, watched={"limits": limits(discharge_a=0.0)})
    found = battery.first("discharging_forbidden", 40.0)
    assert found == {WARN: 8.5, LIMIT: 15.5, TRIP: 30.5}
    assert stops(battery, "discharging_forbidden") == (False, True)


def test_charge_that_nobody_commanded_is_fed_by_nobody() -> None:
    battery = Battery(current_a=-20.0, watched={"told_charge_a": 0.0})
    assert battery.first("charging_untold", 20.0) == {WARN: 8.5, LIMIT: 15.5}
    assert stops(battery, "charging_untold") == (False, True)


def test_more_charge_than_the_set_points_stops_charging() -> None:
    battery = Battery(current_a=-20.0, watched={"told_charge_a": 12.0})
    assert battery.first("charge_excess", 60.0) == {WARN: 8.5, LIMIT: 10.5}
    assert stops(battery, "charge_excess") == (True, False)


def test_a_misread_cell_is_told_and_stops_nothing() -> None:
    battery = Battery(trust=trust_of(doubt("a3", 7, Blame.SENSOR)))
    battery.cell_v["a3"][6] = 2.58
    battery.after(1.0)
    alarm = battery.said("cell_misread")
    assert (alarm.subject, alarm.level) == ("a3.7", WARN)
    assert battery.codes == {"cell_misread"}


def test_two_misread_cells_of_a_module_are_too_many() -> None:
    two = trust_of(doubt("a3", 7, Blame.SENSOR), doubt("a3", 8, Blame.SENSOR))
    battery = Battery(trust=two)
    battery.after(1.0)
    assert battery.said("misread_many").subject == "a3"
    assert stops(battery, "misread_many") == (True, True)


def test_an_odd_cell_that_nobody_can_explain_is_told() -> None:
    battery = Battery(trust=trust_of(doubt("a3", 7, Blame.UNDECIDED)))
    battery.after(11.0)
    assert battery.said("cell_odd").level is WARN


@pytest.mark.parametrize(
    ("code", "changes", "seconds"),
    [
        ("module_apart", {"apart": {"b1": "module b1 is not connected"}}, 10.5),
        ("module_frozen", {"frozen": {"b1": "module b1 repeats itself"}}, 0.5),
        ("temp_odd", {"odd_temps": {"b1": "module b1 cannot be so cold"}}, 30.5),
        ("shunt_sign", {"shunt_sign_wrong": True}, 0.5),
        ("shunt_stuck", {"shunt_stuck": True}, 0.5),
        ("shunt_offset", {"shunt_offset_a": -2.5}, 60.5),
    ],
)
def test_what_the_judge_of_readings_finds_refuses_both(
    code: str, changes: dict[str, object], seconds: float
) -> None:
    battery = Battery(trust=trust_of(**changes))
    assert battery.first(code, 70.0)[LIMIT] == seconds
    assert battery.told(code)
    assert stops(battery, code) == (True, True)
    battery.trust = trust_of(shunt_offset_a=0.0)
    battery.after(70.0)
    assert battery.codes == set()


def test_modules_that_differ_in_voltage_warn_limit_and_trip() -> None:
    battery = Battery()
    for off_v, level in ((0.3, WARN), (0.6, LIMIT), (1.2, TRIP)):
        battery.cell_v["b1"] = [3.70 + off_v / 12] * 12
        battery.after(70.0)
        assert battery.said("pack_voltage").level is level
    assert battery.said("pack_voltage").subject == "b1"
    assert stops(battery, "pack_voltage") == (True, True)


def test_one_module_alone_cannot_be_apart() -> None:
    battery = Battery(cell_v={"a3": [3.70] * 12})
    assert battery.after(30.0) == ()


def test_a_converter_that_measures_another_voltage_is_told() -> None:
    battery = Battery(watched={"converter_v": {"charger": 42.5}})
    battery.after(31.0)
    assert battery.said("converter_voltage").level is WARN
    battery.watched = {"converter_v": {"charger": 40.0}}
    battery.after(31.0)
    assert stops(battery, "converter_voltage") == (True, True)


def test_bleeding_that_does_not_end_is_told() -> None:
    battery = Battery(bleeding={"b1": 4}, watched={"bleed_told": {"b1": 4}})
    battery.after(300.0)
    assert battery.codes == set()
    battery.watched = {}
    assert battery.first("bleed_endless", 70.0) == {WARN: 61.0}
    battery.bleeding = {}
    battery.after(1.0)
    assert battery.codes == set()


def test_a_silent_module_refuses_and_after_a_minute_its_current_is_cut() -> None:
    battery = Battery(silent={"b1"})
    assert battery.first("module_silent", 70.0) == {LIMIT: 4.5, TRIP: 60.5}
    assert stops(battery, "module_silent") == (True, True)
    battery.silent = set()
    battery.after(11.0)
    assert battery.codes == set()


def test_a_silent_bus_at_the_start_has_its_time_to_speak() -> None:
    battery = Battery(silent={"b1"}, watched={"running_s": 1.0})
    battery.after(10.0)
    assert "module_silent" not in battery.codes


def test_a_missing_temperature_warns_and_then_refuses() -> None:
    battery = Battery(silent={"b1"})
    found = battery.first("temp_missing", 40.0)
    assert found == {WARN: 10.0, LIMIT: 30.5}


def test_a_reading_that_cannot_be_refuses_until_it_is_excused() -> None:
    battery = Battery()
    battery.cell_v["a3"][6] = 1.2
    battery.after(0.5)
    assert stops(battery, "cell_implausible") == (True, True)
    battery.trust = trust_of(doubt("a3", 7, Blame.SENSOR, reading_v=1.2))
    battery.after(0.5)
    assert "cell_implausible" not in battery.codes


def test_without_a_shunt_currents_begin_and_end_nothing() -> None:
    battery = Battery(current_a=-36.0)
    battery.after(4.0)
    battery.current_a = None
    battery.after(120.0)
    assert stops(battery, "charge_current") == (True, False)
    battery.current_a = 0.0
    battery.after(31.0)
    assert "charge_current" not in battery.codes


def test_the_lfp_table_has_its_own_voltages() -> None:
    cells = {name: [3.30] * 12 for name in ("a3", "b1", "b2")}
    battery = Battery(profile=profile("lfp", {}, 12), cell_v=cells)
    battery.after(1.0)
    assert battery.codes == set()
    battery.cell_v["a3"][0] = 3.66
    battery.after(0.5)
    assert stops(battery, "cell_over") == (True, False)
