"""The driver against its twin: start, run, down, stop, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import pytest
from vertiv_r48_bench import FakeSwitch, bench, cancelled

import gridzero_drivers.vertiv_r48
from gridzero.domain.converters import Setpoint
from gridzero.domain.readings import ConverterState
from gridzero.ports.links import CanFrame
from gridzero_drivers.vertiv_r48.codec import Ack, Value, encode
from gridzero_drivers.vertiv_r48.driver import VertivR48
from gridzero_drivers.vertiv_r48.ids import KNOWN_SENDERS, answer_id
from gridzero_drivers.vertiv_r48.requests import identify_start
from gridzero_drivers.vertiv_r48.status import STATUS_BITS
from gridzero_drivers.vertiv_r48.twin import R48Twin

SMALLEST = 0.02


def is_offline(twin: R48Twin) -> bool:
    return twin.offline


def state(driver: VertivR48) -> ConverterState:
    """As a call, so that mypy does not take it for constant."""
    return driver.state


CONTROL_PATH = ("driver", "keeper", "sequence", "line", "output", "telemetry", "contactor")


async def test_start_up_is_off_first_and_on_only_after_the_limit_was_read_back() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver(ac_limit_a=10.0)
        house.start(driver)
        await house.charge(driver, 1000.0, 16.0)
        steps = [
            "volts" if s.is_volts else "limit" if s.is_limit else "on" if s.is_on else
            "off" if s.is_off else "ac" if s.frame.data[3] == 0x1A else "read"
            for s in house.sent
        ]  # fmt: skip
        first_on = steps.index("on")
        assert steps[0] == "limit"
        assert {"volts", "limit", "off", "ac"} <= set(steps[:first_on])
        told = [m for at_s, m in house.answers if at_s < house.sent[first_on].at_s]
        assert {m.parameter for m in told if isinstance(m, Ack)} == {0x21, 0x22, 0x1A}
        programmed = max(
            i for i, m in enumerate(told) if isinstance(m, Ack) and m.parameter == 0x1A
        )
        assert any(isinstance(m, Value) and m.parameter == 3 for m in told[programmed:])
        before = [s.number for s in house.sent[:first_on] if s.is_limit]
        assert before == pytest.approx([SMALLEST] * len(before))
        assert state(driver) is ConverterState.RUNNING
        assert steps.count("ac") == 1


async def test_the_smallest_current_is_held_and_then_rises_at_its_pace() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 2000.0, 25.0)
        on_s = next(s.at_s for s in house.sent if s.is_on)
        limits = [s for s in house.sent if s.is_limit]
        assert all(s.number == pytest.approx(SMALLEST) for s in limits if s.at_s < on_s + 10.0)
        rising = [s for s in limits if on_s + 10.0 <= s.at_s]
        for earlier, later in pairwise(rising):
            amps = (later.number - earlier.number) * 62.5 / 1.21
            assert amps <= 5.0 * (later.at_s - earlier.at_s + 0.3) + 1e-3
        assert twin.power.amps == pytest.approx(2000.0 * 0.955 / house.world.battery_v, abs=0.2)


async def test_down_goes_out_inside_the_call() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 2000.0, 25.0)
        end = house.links.can("charger")
        before = end.health.tx
        until_s = house.clock.now_s() + 3.0
        driver.command(Setpoint(power_w=500.0, until_s=until_s))
        assert end.health.tx == before + 1
        driver.command(Setpoint(power_w=500.0, until_s=until_s, max_dc_v=47.0))
        assert end.health.tx == before + 2
        await asyncio.sleep(0)
        limit, volts = house.sent[-2:]
        assert limit.number * 62.5 / 1.21 == pytest.approx(500 * 0.955 / 44.7, abs=0.3)
        assert volts.is_volts
        assert volts.number == 47.0


async def test_everything_that_lapses_is_repeated_every_two_seconds() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 60.0)
        for kind in ("is_volts", "is_limit", "is_control"):
            at_s = [s.at_s for s in house.since(5.0) if getattr(s, kind)]
            gaps = [b - a for a, b in pairwise(at_s)]
            assert 0.0 < max(gaps) < 2.3, kind
        frames = house.since(30.0)
        gaps = [b.at_s - a.at_s for a, b in pairwise(frames)]
        assert min(gaps) > 0.0099


async def test_it_reads_voltage_and_current_each_second_and_the_rest_every_few() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 60.0)
        for parameter, period_s in ((1, 1.0), (2, 1.0), (3, 4.0), (4, 4.0), (5, 4.0), (0x40, 4.0)):
            asked = [
                s for s in house.since(20.0) if s.frame.data[:4] == bytes((1, 0xF0, 0, parameter))
            ]
            assert len(asked) == pytest.approx(40.0 / period_s, rel=0.15), parameter


async def test_readings_have_the_signs_of_the_house() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        assert driver.reading() is None
        assert driver.telemetry_expected()
        house.start(driver)
        await house.charge(driver, 1000.0, 30.0)
        reading = driver.reading()
        assert reading is not None
        assert reading.ac_w == pytest.approx(twin.ac_w, abs=30.0)
        assert (reading.ac_w or 0.0) < -900.0
        assert reading.dc_a == pytest.approx(twin.dc_a, abs=0.1)
        assert reading.dc_v == pytest.approx(house.world.battery_v, abs=0.1)
        assert reading.mains_v == 230.0
        assert reading.temp_c is not None
        assert reading.alarms == ()
        assert house.clock.now_s() - reading.at_s < 2.0


async def test_a_set_point_that_is_not_renewed_becomes_zero() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        assert twin.power.amps > 15.0
        renewed_s = house.clock.now_s()
        await house.wait(3.0)
        low = [s for s in house.since(renewed_s) if s.is_limit and s.number < 0.021]
        assert low[0].at_s < renewed_s + 3.0
        assert "lease_expired" in house.faults
        await house.wait(3.0)
        assert state(driver) is ConverterState.OFF
        assert twin.power.amps == 0.0
        await house.charge(driver, 1000.0, 20.0)
        assert "lease_expired" not in house.faults
        assert state(driver) is ConverterState.RUNNING


async def test_zero_means_smallest_current_then_off_then_off_again_and_again() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 2000.0, 25.0)
        asked_s = house.clock.now_s()
        await house.charge(driver, 0.0, 20.0)
        sent = house.since(asked_s)
        assert sent[0].is_limit
        assert sent[0].number == pytest.approx(SMALLEST)
        assert next(s.at_s for s in sent if s.is_off) < asked_s + 3.3
        assert sum(s.is_off for s in sent) >= 8
        assert twin.power.amps == 0.0
        assert state(driver) is ConverterState.OFF


async def test_a_current_that_does_not_fade_is_switched_off_after_three_seconds() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 300.0, 25.0)
        twin.power.stuck_at_a = 3.5
        asked_s = house.clock.now_s()
        await house.charge(driver, 0.0, 5.0)
        off_s = next(s.at_s for s in house.since(asked_s) if s.is_off)
        assert asked_s + 2.9 < off_s < asked_s + 3.6


async def test_a_demand_while_stopping_waits_for_the_stop() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 2000.0, 25.0)
        asked_s = house.clock.now_s()
        await house.charge(driver, 0.0, 0.1)
        assert state(driver) is ConverterState.STOPPING
        await house.charge(driver, 1000.0, 20.0)
        switched = [s.is_on for s in house.since(asked_s) if s.is_control]
        assert False in switched
        assert switched[-1]
        assert state(driver) is ConverterState.RUNNING


async def test_the_ledger_hears_what_is_on_the_wire() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.start(driver)
        await house.wait(5.0)
        assert house.ledger == []
        await house.charge(driver, 1000.0, 25.0)
        on_s = next(s.at_s for s in house.sent if s.is_on)
        assert house.ledger[0][0] == pytest.approx(on_s)
        assert house.ledger[0][1] == pytest.approx(-driver.spec.min_w, rel=0.05)
        held = [w for at_s, w in house.ledger if at_s < on_s + 9.9]
        assert all(w == pytest.approx(held[0], abs=2.0) for w in held)
        assert house.ledger[-1][1] == pytest.approx(-1000.0, abs=6.0)
        await house.charge(driver, 0.0, 6.0)
        assert house.ledger[-1][1] == 0.0


async def test_silence_is_told_within_five_seconds_and_off_goes_on() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 25.0)
        twin.silent = True
        silent_s = house.clock.now_s()
        await house.charge(driver, 1000.0, 6.7)
        assert "charger_silent" in house.faults
        assert state(driver) is ConverterState.FAULT
        await house.charge(driver, 1000.0, 10.0)
        later = house.since(silent_s + 7.0)
        assert sum(s.is_off for s in later) >= 4
        assert not any(s.is_on for s in later)
        assert all(s.number == pytest.approx(SMALLEST) for s in later if s.is_limit)
        assert twin.power.amps == 0.0
        reading = driver.reading()
        assert reading is not None
        assert (reading.ac_w, reading.dc_a) == (None, None)
        assert house.ledger[-1][1] == 0.0


async def test_it_recovers_by_itself_through_a_whole_start() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        twin.silent = True
        await house.charge(driver, 1000.0, 12.0)
        twin.silent = False
        back_s = house.clock.now_s()
        await house.charge(driver, 1000.0, 20.0)
        assert "charger_silent" not in house.faults
        assert state(driver) is ConverterState.RUNNING
        sent = house.since(back_s)
        on_s = next(s.at_s for s in sent if s.is_on)
        assert any(s.is_off for s in sent if s.at_s < on_s)
        assert all(
            s.number == pytest.approx(SMALLEST) for s in sent if s.is_limit and s.at_s < on_s + 10.0
        )


async def test_a_rectifier_that_never_answers_is_told_and_held_off() -> None:
    async with bench() as house:
        driver = house.driver()
        house.start(driver)
        assert state(driver) is ConverterState.UNKNOWN
        await house.charge(driver, 1000.0, 6.0)
        assert "charger_silent" in house.faults
        assert not any(s.is_on for s in house.sent)
        assert driver.reading() is None


async def test_a_pulled_cable_ends_in_silence_and_comes_back() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        house.bus.plugged = False
        await house.charge(driver, 1000.0, 10.0)
        assert "charger_silent" in house.faults
        house.bus.plugged = True
        await house.charge(driver, 1000.0, 20.0)
        assert house.faults.keys() == {"charger_no_contactor"}
        assert twin.power.amps > 15.0


async def test_two_modules_on_one_bus_do_not_mind_each_other() -> None:
    async with bench() as house:
        twins = [house.twin(0), house.twin(1)]
        first, second = house.driver("one"), house.driver("two", module=1)
        house.start(first)
        house.start(second)
        both = asyncio.gather(house.charge(first, 600.0, 30.0), house.charge(second, 1500.0, 30.0))
        await both
        volts = house.world.battery_v
        assert twins[0].power.amps == pytest.approx(600 * 0.955 / volts, abs=0.3)
        assert twins[1].power.amps == pytest.approx(1500 * 0.955 / volts, abs=0.3)
        twins[0].silent = True
        await asyncio.gather(house.charge(first, 600.0, 8.0), house.charge(second, 1500.0, 8.0))
        assert state(first) is ConverterState.FAULT
        assert state(second) is ConverterState.RUNNING
        assert {s.module for s in house.sent} == {0, 1}


async def test_more_current_than_told_trips_and_locks_for_a_minute() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 500.0, 20.0)
        twin.power.stuck_at_a = 20.0
        stuck_s = house.clock.now_s()
        await house.charge(driver, 500.0, 9.0)
        assert "charger_over_setpoint" in house.faults
        assert state(driver) is ConverterState.FAULT
        off_s = next(s.at_s for s in house.since(stuck_s) if s.is_off)
        assert stuck_s + 3.0 < off_s < stuck_s + 8.0
        twin.power.stuck_at_a = None
        await house.charge(driver, 500.0, 50.0)
        assert not any(s.is_on for s in house.since(off_s))
        await house.charge(driver, 500.0, 30.0)
        assert "charger_over_setpoint" not in house.faults
        assert state(driver) is ConverterState.RUNNING


async def test_current_while_off_trips_as_well() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 0.0, 5.0)
        twin.power.stuck_at_a = 30.0
        await house.charge(driver, 0.0, 6.0)
        assert "charger_over_setpoint" in house.faults


async def test_more_voltage_than_told_trips_only_while_current_flows() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 500.0, 20.0)
        house.world.open_circuit_v = 46.0
        await house.charge(driver, 500.0, 10.0, max_dc_v=45.0)
        assert state(driver) is ConverterState.RUNNING  # the unit gives nothing: nothing to trip
        assert twin.power.amps == 0.0
        twin.power.stuck_at_a = 8.0
        await house.charge(driver, 500.0, 6.0, max_dc_v=45.0)
        assert "charger_over_setpoint" in house.faults


async def test_constant_voltage_takes_over_near_the_limit() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver(max_v=46.0)
        house.start(driver)
        house.world.open_circuit_v = 45.8
        await house.charge(driver, 2000.0, 40.0)
        assert house.world.battery_v == pytest.approx(46.0, abs=0.05)
        assert twin.power.amps == pytest.approx(0.2 / 0.02, abs=1.0)
        assert "charger_over_setpoint" not in house.faults


async def test_a_battery_above_the_limit_is_not_charged() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.world.open_circuit_v = 49.8
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        assert state(driver) is ConverterState.OFF
        assert not any(s.is_on for s in house.sent)


async def test_a_refused_set_point_ends_the_charge_until_one_is_accepted() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        twin.refuse = {0x21}
        await house.charge(driver, 1000.0, 8.0)
        assert house.faults["charger_refused"] == "0x21: invalid data"
        assert state(driver) is ConverterState.FAULT
        assert twin.power.amps == 0.0
        twin.refuse = set()
        await house.charge(driver, 1000.0, 20.0)
        assert "charger_refused" not in house.faults
        assert state(driver) is ConverterState.RUNNING


async def test_a_limit_that_reads_back_wrong_prevents_the_start() -> None:
    async with bench() as house:
        twin = house.twin()
        twin.registers.lowest_fraction = 0.10
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        assert "reads back 0.100, not 0.020" in house.faults["charger_refused"]
        assert not any(s.is_on for s in house.sent)
        older = house.driver("older", module=0, min_fraction=0.10)
        await cancelled(house.tasks[0])
        house.start(older)
        await house.charge(older, 1000.0, 20.0)
        assert state(older) is ConverterState.RUNNING


async def test_alarm_bits_are_told_by_name() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 500.0, 20.0)
        twin.alarm_word = STATUS_BITS["fan_failure"] | STATUS_BITS["overtemperature"]
        await house.charge(driver, 500.0, 5.0)
        assert house.faults["charger_alarm"] == "fan_failure, overtemperature"
        reading = driver.reading()
        assert reading is not None
        assert reading.alarms == ("fan_failure", "overtemperature")
        twin.alarm_word = 0
        await house.charge(driver, 500.0, 5.0)
        assert "charger_alarm" not in house.faults


async def test_values_of_a_module_in_doubt_count_as_silence() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 500.0, 15.0)
        twin._identifying_until_s = 1e9
        await house.charge(driver, 500.0, 7.5)
        assert "charger_silent" in house.faults
        assert state(driver) is ConverterState.FAULT


async def test_stop_leaves_it_quiet_and_off_within_six_seconds() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        task = house.start(driver)
        await house.charge(driver, 2000.0, 25.0)
        await cancelled(task)
        begun_s = house.clock.now_s()
        await driver.stop()
        assert house.clock.now_s() - begun_s < 6.0
        await asyncio.sleep(0)
        assert twin.power.amps == 0.0
        last = house.sent[-2:]
        assert last[0].is_limit
        assert last[0].number == pytest.approx(SMALLEST)
        assert last[1].is_off
        sent = house.since(begun_s)
        assert sent[0].is_limit
        assert "30 s" in house.faults["charger_no_contactor"]
        assert state(driver) is ConverterState.OFF
        assert house.ledger[-1][1] == 0.0
        driver.command(Setpoint(power_w=1000.0, until_s=1e9))
        await house.wait(5.0)
        assert house.sent[-1] is last[1]


@pytest.mark.parametrize("silent", [True, False])
async def test_stop_is_bounded_even_if_nobody_answers_or_obeys(silent: bool) -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        task = house.start(driver)
        await house.charge(driver, 1000.0, 15.0)
        twin.silent = silent
        twin.deaf = not silent
        await cancelled(task)
        begun_s = house.clock.now_s()
        await driver.stop()
        assert house.clock.now_s() - begun_s < 6.0
        await asyncio.sleep(0)
        assert house.sent[-1].is_off
        assert ("charger_over_setpoint" in house.faults) is not silent


async def test_stop_without_run_and_with_a_dead_bus_does_no_harm() -> None:
    async with bench() as house:
        driver = house.driver()
        house.bus.plugged = False
        await driver.stop()
        assert house.clock.now_s() < 6.0
        assert state(driver) is ConverterState.UNKNOWN
        assert house.links.can("charger").health.tx_failed > 0


async def test_a_killed_driver_leaves_the_unit_to_its_stored_values() -> None:
    """Hazard: silence is not off. This is why there has to be a contactor."""
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        task = house.start(driver)
        await house.charge(driver, 500.0, 20.0)
        await cancelled(task)
        driver.command(Setpoint(power_w=2000.0, until_s=1e9))
        told = len(house.sent)
        await house.wait(25.0)
        assert len(house.sent) == told
        assert not is_offline(twin)
        assert twin.power.amps == pytest.approx(500 * 0.955 / 44.2, abs=0.5)
        await house.wait(10.0)
        assert is_offline(twin)
        assert twin.power.amps > 50.0


async def test_a_unit_that_was_held_off_switches_itself_on_when_it_is_forgotten() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        task = house.start(driver)
        await house.charge(driver, 0.0, 10.0)
        await cancelled(task)
        await house.wait(35.0)
        assert twin.power.amps == 0.0
        await house.wait(15.0)
        assert twin.power.amps > 20.0


async def test_the_contactor_closes_late_and_opens_last() -> None:
    async with bench() as house:
        twin = house.twin()
        switch = FakeSwitch(house.clock)
        driver = house.driver(contactor=switch)
        task = house.start(driver)
        await house.charge(driver, 0.0, 5.0)
        assert driver.contactor is switch
        assert not switch.is_closed()
        await house.charge(driver, 1000.0, 20.0)
        assert switch.is_closed()
        assert state(driver) is ConverterState.RUNNING
        await house.charge(driver, 0.0, 20.0)
        assert switch.is_closed()  # a pause is not the end: it is held off and watched
        await house.charge(driver, 1000.0, 15.0)
        await cancelled(task)
        await driver.stop()
        assert not switch.is_closed()
        assert switch.opened == 1
        assert twin.power.amps == 0.0
        assert "charger_no_contactor" not in house.faults


async def test_the_contactor_opens_after_fifteen_seconds_of_silence() -> None:
    async with bench() as house:
        twin = house.twin()
        switch = FakeSwitch(house.clock)
        driver = house.driver(contactor=switch)
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        twin.silent = True
        await house.charge(driver, 1000.0, 13.0)
        assert switch.is_closed()
        await house.charge(driver, 1000.0, 4.0)
        assert not switch.is_closed()
        twin.silent = False
        await house.charge(driver, 1000.0, 15.0)
        assert switch.is_closed()


async def test_the_contactor_opens_when_control_is_gone_or_the_driver_is() -> None:
    async with bench() as house:
        house.twin()
        switch = FakeSwitch(house.clock)
        driver = house.driver(contactor=switch)
        task = house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        await house.wait(19.0)
        assert not switch.is_closed()
        await house.charge(driver, 1000.0, 5.0)
        assert switch.is_closed()
        await cancelled(task)
        await house.wait(3.5)
        assert not switch.is_closed()


async def test_a_contactor_that_does_not_close_keeps_the_rectifier_off() -> None:
    async with bench() as house:
        house.twin()
        switch = FakeSwitch(house.clock)
        switch.stuck_open = True
        driver = house.driver(contactor=switch)
        house.start(driver)
        await house.charge(driver, 1000.0, 10.0)
        assert state(driver) is ConverterState.STARTING
        assert not any(s.is_on for s in house.sent)
        switch.stuck_open = False
        await house.charge(driver, 1000.0, 15.0)
        assert state(driver) is ConverterState.RUNNING
        switch.stuck_open = True
        await house.charge(driver, 1000.0, 1.0)
        assert state(driver) is not ConverterState.RUNNING


async def test_old_identifiers_can_be_used_to_read() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver(compat_read_ids=True)
        house.start(driver)
        await house.charge(driver, 1000.0, 20.0)
        reads = {s.frame.can_id for s in house.sent if s.frame.data[0] == 0x01}
        assert reads == {0x06000783}
        assert state(driver) is ConverterState.RUNNING


async def test_a_lost_answer_is_asked_for_again_twice() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 500.0, 20.0)
        twin.silent = True
        silent_s = house.clock.now_s()
        await house.charge(driver, 500.0, 3.0)
        twin.silent = False
        reads = [s.frame.data[3] for s in house.since(silent_s) if s.frame.data[0] == 0x01]
        assert reads[0] == reads[1] == reads[2] != reads[3]
        await house.charge(driver, 500.0, 5.0)
        assert ("charger_silent", True) not in house.history


async def test_the_ac_limit_is_not_written_at_every_recovery() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver(ac_limit_a=8.0)
        house.start(driver)

        def writes() -> int:
            return sum(s.frame.data[:4] == b"\x03\xf0\0\x1a" for s in house.sent)

        for _ in range(3):
            await house.charge(driver, 0.0, 8.0)
            twin.silent = True
            await house.charge(driver, 0.0, 8.0)
            twin.silent = False
        assert writes() == 1
        await house.charge(driver, 0.0, 60.0)
        assert writes() == 2


async def test_a_refused_ac_limit_is_tried_again_and_keeps_it_off() -> None:
    async with bench() as house:
        twin = house.twin()
        twin.refuse = {0x1A}
        driver = house.driver(ac_limit_a=8.0)
        house.start(driver)
        await house.charge(driver, 500.0, 12.0)
        assert house.faults["charger_refused"] == "0x1a: invalid data"
        assert not any(s.is_on for s in house.sent)
        twin.refuse = set()
        await house.charge(driver, 500.0, 15.0)
        assert state(driver) is ConverterState.RUNNING


async def test_the_serial_number_is_remembered_when_a_module_tells_it() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.bus.attach().send(identify_start())
        await house.wait(0.1)
        assert driver.identity == twin.identity


async def test_the_control_path_never_writes_to_memory_that_wears() -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver(ac_limit_a=8.0, contactor=FakeSwitch(house.clock))
        task = house.start(driver)
        await house.charge(driver, 1500.0, 30.0, max_dc_a=20.0)
        twin.silent = True
        await house.charge(driver, 1500.0, 20.0)
        twin.silent = False
        await house.charge(driver, 1500.0, 20.0)
        await cancelled(task)
        await driver.stop()
        written = {s.frame.data[3] for s in house.sent if s.frame.data[0] == 0x03}
        assert written == {0x21, 0x22, 0x1A}
        assert twin.registers.stored_writes == 0
        assert not any(s.frame.data[:1] in (b"\x04", b"\x20") for s in house.sent)


@pytest.mark.parametrize("part", CONTROL_PATH)
def test_the_control_path_does_not_even_know_the_stored_writes(part: str) -> None:
    folder = Path(gridzero_drivers.vertiv_r48.__file__).parent
    text = (folder / f"{part}.py").read_text()
    for word in ("stored", "commissioning", "OFFLINE", "0x24", "0x19"):
        lines = [line for line in text.splitlines() if word in line and "import" in line]
        assert lines == []
    assert "OFFLINE" not in text


async def test_noise_on_the_bus_changes_nothing(fuzz_frames: int) -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 800.0, 20.0)
        chance = random.Random(7)
        end = house.bus.attach()
        others = [can_id for can_id, (_, module, _) in KNOWN_SENDERS.items() if module != 0]
        for count in range(fuzz_frames):
            own = count % 4 == 0
            can_id = answer_id(0, more=chance.random() < 0.5) if own else chance.choice(others)
            data = chance.randbytes(chance.randrange(9))
            if own:
                data = b"\x00" + data[:7]  # no answer type: must be counted and skipped
            end.send(CanFrame(can_id, data, True))
            if count % 1000 == 0:
                await house.charge(driver, 800.0, 0.1)
        await house.charge(driver, 800.0, 5.0)
        assert state(driver) is ConverterState.RUNNING
        assert twin.power.amps == pytest.approx(800 * 0.955 / house.world.battery_v, abs=0.3)
        skipped = house.links.can("charger").health.skipped
        assert skipped["r48 frame that does not fit"] >= fuzz_frames / 4


async def test_noise_in_its_own_name_never_raises_and_never_charges_too_much(
    fuzz_frames: int,
) -> None:
    async with bench() as house:
        twin = house.twin()
        driver = house.driver()
        house.start(driver)
        chance = random.Random(11)
        end = house.bus.attach()
        highest = 0.0
        for count in range(fuzz_frames):
            kind = chance.choice([0x41, 0x43, 0xC1, 0xC3, chance.randrange(256)])
            head = bytes(
                [kind, chance.choice([0xF0, 0xF4]), 0, chance.choice([1, 2, 3, 0x21, 0x40])]
            )
            end.send(CanFrame(answer_id(0), head + chance.randbytes(4), True))
            if count % 500 == 0:
                await house.charge(driver, 800.0, 0.5, max_dc_a=15.0)
                highest = max(highest, *(s.number for s in house.sent[-5:] if s.is_limit), 0.0)
        assert highest * 62.5 / 1.21 <= 15.0
        assert not house.tasks[0].done()
        house.bus.ends.remove(end)
        await house.charge(driver, 800.0, 90.0, max_dc_a=15.0)
        assert state(driver) is ConverterState.RUNNING
        assert twin.power.amps <= 15.0


async def test_impossible_values_are_no_measurement() -> None:
    async with bench() as house:
        house.twin()
        driver = house.driver()
        house.start(driver)
        await house.charge(driver, 800.0, 5.0)
        end = house.bus.attach()
        end.send(encode(Value(0, False, 1, 0xF0, 3.0e8)))
        end.send(encode(Value(0, False, 2, 0xF0, -4.0e4)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reading = driver.reading()
        assert reading is not None
        assert reading.dc_v == pytest.approx(44.0, abs=0.5)
        assert house.links.can("charger").health.skipped["r48 value that cannot be"] == 2
