"""Each row of docs/faults.md has a test that lets it happen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gridzero.domain.faults import FAULTS

TESTS = Path(__file__).parents[1]

SHOWN_BY = {
    "meter_lost": "test_a_lost_meter_is_held_decays_and_is_lost_then_comes_back",
    "meter_garbage": "test_a_meter_that_sends_no_number_is_no_meter",
    "meter_wrong": "test_a_meter_with_the_wrong_sign_does_not_run_away_for_long",
    "device_lost": "test_a_device_that_cannot_be_served_is_told_once_and_cleared_when_it_serves",
    "module_silent": "test_one_silent_module_stops_the_battery_within_five_seconds",
    "bus_silent": "test_one_silent_bus_is_told_as_a_bus",
    "temp_missing": "test_a_module_without_a_temperature_stops_the_battery",
    "cell_implausible": "test_a_cell_that_reads_what_cannot_be_refuses_both",
    "cell_over": "test_a_cell_above_its_hard_limit_stops_charge_but_not_discharge",
    "cell_under": "test_a_cell_that_is_really_empty_stops_discharge_at_once",
    "too_hot": "test_cold_and_heat_are_told",
    "too_cold": "test_cold_and_heat_are_told",
    "self_heating": "test_a_module_that_warms_without_a_current_trips_within_minutes",
    "heater_useless": "test_a_heater_that_warms_nothing_is_told_and_rests",
    "over_current": "test_more_current_than_allowed_trips_and_rests",
    "cell_deep": "test_a_cell_far_below_its_data_sheet_stops_both_at_once_and_latches",
    "cell_spread": "test_cells_that_are_apart_at_rest_warn_limit_and_trip",
    "cell_rate": "test_a_cell_that_runs_away_from_its_neighbours_stops_both",
    "hot_charge": "test_heat_warns_stops_charging_first_then_both_then_trips",
    "cold_discharge": "test_cold_warns_stops_charging_and_then_discharging",
    "temp_spread": "test_one_module_much_warmer_than_the_others_is_told_by_name",
    "charge_current": "test_more_charge_than_the_rating_warns_limits_and_trips",
    "discharge_current": "test_more_discharge_than_the_rating_is_another_fault",
    "module_current": "test_a_module_that_carries_too_much_stops_both",
    "current_integral": "test_little_too_much_for_long_adds_up",
    "charging_forbidden": "test_charge_while_the_limit_is_zero_trips_within_its_reaction_time",
    "discharging_forbidden": "test_discharge_while_the_limit_is_zero_trips_too",
    "charging_untold": "test_charge_that_nobody_commanded_is_fed_by_nobody",
    "charge_excess": "test_more_charge_than_the_set_points_stops_charging",
    "cell_misread": "test_a_misread_cell_is_told_and_stops_nothing",
    "misread_many": "test_two_misread_cells_of_a_module_are_too_many",
    "cell_odd": "test_an_odd_cell_that_nobody_can_explain_is_told",
    "module_apart": "test_what_the_judge_of_readings_finds_refuses_both",
    "module_frozen": "test_what_the_judge_of_readings_finds_refuses_both",
    "temp_odd": "test_what_the_judge_of_readings_finds_refuses_both",
    "pack_voltage": "test_modules_that_differ_in_voltage_warn_limit_and_trip",
    "converter_voltage": "test_a_converter_that_measures_another_voltage_is_told",
    "shunt_sign": "test_what_the_judge_of_readings_finds_refuses_both",
    "shunt_stuck": "test_what_the_judge_of_readings_finds_refuses_both",
    "shunt_offset": "test_what_the_judge_of_readings_finds_refuses_both",
    "bleed_endless": "test_bleeding_that_does_not_end_is_told",
    "shunt_silent": "test_a_shunt_that_falls_off_the_bus_stops_the_battery",
    "shunt_saturated": "test_an_adc_at_the_end_of_its_range_is_no_reading",
    "charger_silent": "test_a_silent_rectifier_is_told_to_stop_though_it_does_not_answer",
    "charger_alarm": "test_an_alarm_of_the_rectifier_is_told_by_name",
    "charger_refused": "test_a_refused_command_is_told",
    "charger_over_setpoint": "test_a_rectifier_that_gives_more_than_told_is_stopped",
    "charger_no_contactor": "test_a_constant_load_is_held_at_zero_and_nothing_is_complained_about",
    "contactor_welded": "test_a_welded_contactor_refuses_all_power_until_it_is_acknowledged",
    "contactor_stuck_open": "test_a_contactor_that_does_not_close_is_told_and_nothing_is_charged",
    "contactor_under_load": "test_a_trip_with_current_that_goes_on_opens_under_load",
    "inverter_fault": "test_a_status_that_is_not_normal_is_told_by_name_until_it_is_over",
    "converter_suspect": "test_a_silent_inverter_without_a_shunt_is_found_by_the_meter_alone",
    "inverter_not_following": "test_an_inverter_that_stops_by_itself_is_told_and_does_not_wind_up",
    "actuator_changed": "test_an_inverter_that_has_become_late_is_told",
    "charger_not_following": "test_a_rectifier_that_ignores_its_set_points_is_told_and_left_out",
    "battery_memory_lost": "test_a_memory_of_a_newer_version_is_told_and_starts_from_voltage",
    "state_not_saved": "test_a_full_disk_is_told_and_an_answer_says_that_nothing_was_stored",
    "lease_expired": "test_a_hung_control_task_ends_in_zero_power_by_the_leases",
    "link_down": "test_an_inverter_port_that_is_unplugged_is_told_and_comes_back",
    "second_control": "test_a_second_control_on_the_same_prefix_is_told_and_changes_no_power",
    "broker_refuses": "test_a_word_that_does_not_come_back_is_told",
    "can_errors": "test_error_frames_are_decoded_and_not_passed_on",
    "bleed_mismatch": "test_a_module_that_does_not_bleed_as_asked_is_told_and_left_alone",
    "unexpected_module": "test_a_module_that_nobody_configured_stops_the_battery",
    "latches_lost": "test_a_damaged_store_is_put_aside_and_power_waits_for_a_person",
    "commands_stuck": "test_each_that_falls_silent_starves_the_watchdog",
    "config_rolled_back": "test_a_mistake_that_bears_on_no_power_goes_back_and_works_on",
    "limits_rolled_back": "test_a_mistake_near_limits_rests_until_a_person_agrees",
    "companion_lost": "test_a_killed_companion_is_started_again_and_told",
    "watchdog_lost": "test_a_watchdog_that_cannot_be_fed_is_told_until_it_can",
    "control_hung": "test_a_hung_control_task_ends_in_zero_power_by_the_leases",
    "task_crashed": "test_a_bug_in_any_task_leaves_through_the_stop_sequences",
}


def is_long(test: str) -> bool:
    marked = re.compile(rf"@pytest\.mark\.long\n(?:[@ )].*\n)*(?:async )?def {test}\(")
    return any(marked.search(path.read_text()) for path in TESTS.rglob("test_*.py"))


def test_every_row_names_its_test() -> None:
    assert set(SHOWN_BY) == set(FAULTS)


@pytest.mark.parametrize(("code", "test"), SHOWN_BY.items())
def test_the_named_test_exists_and_asserts_the_fault(code: str, test: str) -> None:
    found = [
        match.group(0)
        for path in TESTS.rglob("test_*.py")
        if path.name != Path(__file__).name
        for match in re.finditer(
            rf"def {test}\(.*?(?=\n(?:async )?def |\Z)", path.read_text(), re.DOTALL
        )
    ]
    assert len(found) == 1, f"{test} stands {len(found)} times"
    assert not is_long(test), "who is left out by default shows nothing"
    assert f'"{code}"' in found[0] or "told(code)" in found[0]
