"""What breaks: noticed by when, power becomes what, who is told what."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scenario import DEMO, Story, house

from gridzero.domain.reasons import Because
from gridzero.ports.links import CanFilter, CanFrame
from gridzero.runtime.exit_codes import ExitCode


def no_power(story: Story, from_s: float, to_s: float) -> bool:
    return all(-5.0 <= m.battery_w <= 0.0 for m in story.between(from_s, to_s))


async def test_a_lost_meter_is_held_decays_and_is_lost_then_comes_back() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        story.twin["meter"].silent = True
        await story.until(90)
        story.twin["meter"].silent = False
        await story.until(120)
    assert all(m.set_w > 590.0 for m in story.between(60, 60.9)), "held for 1.5 s after the last"
    assert 200.0 < story.at(65.8).set_w < 400.0, "half way down"
    assert story.at(65.8).because is Because.METER_LATE
    assert 9.0 < story.first(60.0, lambda m: m.set_w == 0.0) < 10.5
    assert no_power(story, 71, 90)
    lost = story.told("meter_lost")
    assert [e.subject for e in lost] == ["meter"]
    assert 69.4 < lost[0].at_s < 70.8
    assert "topic" in lost[0].remedy or "broker" in lost[0].remedy
    assert story.told("meter_lost", active=False)
    assert story.first(90.0, lambda m: abs(m.grid_w) < 25.0) < 15.0


@pytest.mark.parametrize("payload", [b"unavailable", b'{"x": 1}', b"NaN", b"[]", b"\xff\xfe"])
async def test_a_meter_that_sends_no_number_is_no_meter(payload: bytes) -> None:
    async with house(load_w=600.0) as story:
        await story.until(40)
        story.twin["meter"].garbage = payload
        await story.until(60)
    assert story.told("meter_garbage")
    assert story.told("meter_lost")
    assert no_power(story, 51.5, 60)


async def test_one_silent_module_stops_the_battery_within_five_seconds() -> None:
    async with house(load_w=600.0, config=DEMO) as story:
        await story.until(60)
        story.twin["battery"].silent.add(3)
        await story.until(80)
        story.twin["battery"].silent.clear()
        await story.until(120)
    assert 3.5 < story.first(60.0, lambda m: m.set_w == 0.0) < 5.0
    assert story.at(66).because is Because.BATTERY_STALE
    assert no_power(story, 66.5, 80)
    assert [e.subject for e in story.told("module_silent")] == ["a3"]
    assert story.told("module_silent", active=False)
    assert abs(story.at(119).grid_w) < 25.0, "it came back, slowly"


async def test_one_silent_bus_is_told_as_a_bus() -> None:
    async with house(load_w=600.0, config=DEMO) as story:
        await story.until(60)
        story.site.links.can_bus("battery_b").plugged = False
        await story.until(80)
        story.site.links.can_bus("battery_b").plugged = True
        await story.until(120)
    assert story.first(60.0, lambda m: m.set_w == 0.0) < 5.8
    assert no_power(story, 66.5, 80)
    assert [e.subject for e in story.told("bus_silent")] == ["battery.b"]
    assert {e.subject for e in story.told("module_silent")} == {"b1", "b2", "b3", "b4", "b6", "b7"}
    assert story.told("bus_silent", active=False)
    assert abs(story.at(119).grid_w) < 25.0


async def test_a_silent_rectifier_is_told_to_stop_though_it_does_not_answer() -> None:
    async with house(load_w=200.0, sun_w=1500.0) as story:
        await story.until(60)
        story.twin["rectifier"].silent = True
        await story.until(90)
        story.twin["rectifier"].silent = False
        await story.until(180)
    assert story.at(59).charger_w < -1200.0
    assert story.first(60.0, lambda m: m.set_w == 0.0) < 6.5
    assert story.at(70).because is Because.CHARGER_SILENT
    assert all(m.charger_w > -130.0 for m in story.between(75, 90))
    assert "contactor" in story.told("charger_silent")[0].remedy
    assert story.told("charger_silent", active=False)
    assert story.at(179).charger_w < -1200.0, "it went through its start again"


async def test_discharge_waits_while_a_silent_rectifier_charges_on_its_own() -> None:
    async with house(load_w=400.0) as story:
        await story.until(60)
        rectifier = story.twin["rectifier"]
        rectifier.silent = True
        await story.until(75)
        resting = story.at(74)
        rectifier.power.stuck_at_a = 8.0
        await story.until(200)
    assert resting.battery_w > 380.0, "the shunt shows that nothing charges"
    assert story.at(85).because is Because.CHARGER_ACTIVE
    both = [m for m in story.between(75, 200) if m.inverter_w > 60.0 and m.charger_w < -60.0]
    assert len(both) < 60, "6 s at most in two minutes, though the inverter hides the charge"


async def test_no_inverter_runs_against_a_rectifier_that_is_stuck() -> None:
    async with house(load_w=400.0, sun_w=1500.0) as story:
        await story.until(60)
        story.twin["rectifier"].power.stuck_at_a = 20.0
        story.site.house.sun = type(story.site.house.sun)(0.0)
        await story.until(150)
    assert story.at(149).charger_w < -800.0
    assert max(m.inverter_w for m in story.between(62, 150)) == 0.0
    assert story.at(100).because is Because.CHARGER_ACTIVE
    assert story.told("charging_untold"), "and who charges is a question to a person"


async def test_a_rectifier_without_its_bus_is_not_believed_to_charge_on() -> None:
    async with house(load_w=200.0, sun_w=1500.0) as story:
        await story.until(60)
        story.site.links.can_bus("charger").plugged = False
        story.twin["rectifier"].power.stuck_at_a = 0.0
        story.site.house.sun = type(story.site.house.sun)(0.0)
        await story.until(150)
    assert abs(story.at(149).grid_w) < 25.0, "the inverter covers the house"


async def test_a_meter_with_the_wrong_sign_does_not_run_away_for_long() -> None:
    async with house(load_w=300.0, sun_w=500.0) as story:
        meter = story.twin["meter"]
        publish = meter.advance
        meter.advance = lambda seconds: [  # type: ignore[method-assign]  # turned around
            (topic, b"%d" % -float(payload)) for topic, payload in publish(seconds)
        ]
        await story.until(240)
    told = story.told("meter_wrong")
    assert told
    assert told[0].at_s < 120.0
    assert "sign" in told[0].text
    assert story.at(239).because is Because.METER_WRONG
    assert story.at(239).battery_w > -5.0


async def test_a_device_that_cannot_be_served_is_told_once_and_cleared_when_it_serves() -> None:
    async with house(load_w=300.0) as story:
        await story.until(30)
        story.twin["shunt"].unplugged = True
        await story.until(60)
        story.twin["shunt"].unplugged = False
        await story.until(100)
    assert [e.subject for e in story.told("device_lost")] == ["shunt"]
    assert [e.subject for e in story.told("device_lost", active=False)] == ["shunt"]


async def test_a_rectifier_that_gives_more_than_told_is_stopped() -> None:
    async with house(load_w=200.0, sun_w=1000.0) as story:
        await story.until(60)
        story.twin["rectifier"].power.stuck_at_a = 40.0
        await story.until(80)
    told = story.told("charger_over_setpoint")
    assert told
    assert told[0].at_s < 66.0


async def test_a_refused_command_is_told() -> None:
    async with house(load_w=200.0, sun_w=1000.0) as story:
        story.twin["rectifier"].refuse.add(0x22)
        await story.until(60)
    assert story.told("charger_refused")
    assert all(m.charger_w > -130.0 for m in story.between(30, 60))


async def test_an_alarm_of_the_rectifier_is_told_by_name() -> None:
    async with house(load_w=200.0, sun_w=1000.0) as story:
        await story.until(40)
        story.twin["rectifier"].alarm_word = 0x08000000
        await story.until(60)
    assert "fan" in story.told("charger_alarm")[0].text


async def test_a_shunt_that_falls_off_the_bus_stops_the_battery() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        story.twin["shunt"].unplugged = True
        await story.until(80)
        story.twin["shunt"].unplugged = False
        await story.until(120)
    assert story.first(60.0, lambda m: m.set_w == 0.0) < 5.8
    assert story.at(70).because is Because.SHUNT_STALE
    assert story.told("shunt_silent")
    assert abs(story.at(119).grid_w) < 25.0


async def test_an_adc_at_the_end_of_its_range_is_no_reading() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        twin = story.twin["shunt"]
        twin._input_v = lambda: 1.0
        await story.until(75)
    assert story.told("shunt_saturated")
    assert story.at(74).because is Because.SHUNT_STALE


@pytest.mark.parametrize(("current_a", "comes_back"), [(62.0, True), (85.0, False)])
async def test_more_current_than_allowed_trips_and_rests(
    current_a: float, comes_back: bool
) -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        truth = type(story.site.house).battery_a
        type(story.site.house).battery_a = property(lambda self: current_a)  # type: ignore[method-assign,assignment]  # an unknown load
        try:
            await story.until(66)
        finally:
            type(story.site.house).battery_a = truth  # type: ignore[method-assign]  # as it was
        await story.until(135)
    assert 1.9 < story.told("over_current")[0].at_s - 60.0 < 4.0
    assert story.at(66).set_w == 0.0
    assert (story.at(134).set_w > 500.0) is comes_back
    assert (story.at(134).because is Because.TRIPPED) is not comes_back


async def test_a_cell_that_is_really_empty_stops_discharge_at_once() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        story.site.house.pack.set_cell_soc("a3", 5, -0.07)
        await story.until(80)
    assert story.first(60.0, lambda m: m.set_w == 0.0) < 2.5
    assert "a3.5" in story.told("cell_under")[0].text
    assert not [m for m in story.between(64, 80) if m.set_w]


async def test_a_cell_above_its_hard_limit_stops_charge_but_not_discharge() -> None:
    async with house(load_w=200.0, sun_w=1500.0, soc=0.86, config=DEMO) as story:
        story.site.house.pack.set_cell_soc("a7", 2, 1.02)
        await story.until(75)
        charge = story.at(74)
        story.site.house.sun = type(story.site.house.sun)(0.0)
        await story.until(100)
    assert charge.set_w == 0.0
    assert charge.because is Because.CELL_OVER
    assert "a7.2" in story.told("cell_over")[0].text
    assert story.at(99).battery_w > 180.0


async def test_a_cell_that_reads_what_cannot_be_refuses_both() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        story.twin["battery"].misread[3, 5] = 1.2
        await story.until(75)
    assert story.at(74).set_w == 0.0
    assert [e.subject for e in story.told("cell_implausible")] == ["a3.5"]


async def test_a_module_without_a_temperature_stops_the_battery() -> None:
    async with house(load_w=600.0, config=DEMO) as story:
        await story.until(60)
        story.twin["battery"].no_temperature.add(8)
        await story.until(100)
    assert {e.subject for e in story.told("temp_missing")} == {"a8"}
    assert 69.0 < story.told("temp_missing")[0].at_s < 73.0
    assert story.at(99).set_w == 0.0
    assert story.at(99).because is Because.TEMPERATURE_UNKNOWN


@pytest.mark.parametrize(
    ("temp_c", "load_w", "sun_w", "code"),
    [(1.0, 100.0, 1500.0, "too_cold"), (60.0, 600.0, 0.0, "too_hot")],
)
async def test_cold_and_heat_are_told(
    temp_c: float, load_w: float, sun_w: float, code: str
) -> None:
    async with house(load_w=load_w, sun_w=sun_w, temp_c=temp_c) as story:
        await story.until(40)
    assert story.told(code)
    assert story.at(39).set_w == 0.0


async def test_a_module_that_nobody_configured_stops_the_battery() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        stranger = story.site.links.can_bus("battery_a").attach()
        for second in range(60, 70):
            stranger.send(CanFrame(0x1C0, bytes.fromhex("00C0A88CCAA88C0A")))
            await story.until(second + 1)
        await story.until(110)
    assert story.at(65).because is Because.UNEXPECTED_MODULE
    assert story.at(65).set_w == 0.0
    assert (
        "5" in story.told("unexpected_module")[0].text + story.told("unexpected_module")[0].subject
    )
    assert story.at(109).set_w > 100.0


async def test_bleeding_that_nobody_asked_for_is_ended_at_once() -> None:
    bled: list[int] = []
    async with house(load_w=300.0, config=DEMO) as story:
        await story.until(30)
        another_master = story.site.links.can_bus("battery_a").attach()
        another_master.send(CanFrame(0x1A555416, b"\x08" + bytes(7), is_extended=True))
        for tenth in range(50):
            await story.until(30.0 + 0.1 * tenth)
            bled.append(story.site.house.pack.bleeding("a7"))
    assert 1 in bled
    assert bled[-1] == 0, "the modules would bleed on for 16 minutes by themselves"


async def test_a_module_that_does_not_bleed_as_asked_is_told_and_left_alone() -> None:
    async with house(load_w=100.0, soc=0.85) as story:
        story.site.house.pack.set_cell_soc("a3", 4, 0.97)
        another = story.site.twins["battery"].can["battery_a"]
        another.receive = _without_requests(another.receive)  # type: ignore[method-assign]  # wrong variant
        await story.until(120)
        asked = story.told("bleed_mismatch")
        await story.until(240)
    assert "battery.a3" in [e.subject for e in asked]
    assert "variant" in asked[0].remedy
    assert len(story.told("bleed_mismatch")) == len(asked), "not asked again for ten minutes"


def _without_requests(receive: Any) -> Any:
    """A module that listens to other request ids than the configured ones."""
    return lambda frame: None if frame.is_extended else receive(frame)


async def test_an_inverter_port_that_is_unplugged_is_told_and_comes_back() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        story.site.links.wire("inverter").plugged = False
        await story.until(75)
        story.site.links.wire("inverter").plugged = True
        await story.until(100)
    assert story.told("link_down")[0].subject == "inverter"
    assert story.at(74).inverter_w == 0.0, "the inverter stopped by its own time-out"
    assert abs(story.at(99).grid_w) < 25.0


async def test_an_inverter_that_stops_by_itself_is_told_and_does_not_wind_up() -> None:
    async with house(load_w=400.0) as story:
        await story.until(60)
        story.twin["inverter"].off_mains = True
        await story.until(90)
        asked_w = story.at(89).set_w
        story.twin["inverter"].off_mains = False
        await story.until(130)
    told = story.told("inverter_not_following")
    assert 74.0 < told[0].at_s < 78.0
    assert asked_w < 520.0, "not the whole 864 W"
    assert story.at(89).because is Because.NOT_FOLLOWING
    assert story.told("inverter_not_following", active=False)
    assert min(m.grid_w for m in story.between(90, 130)) > -80.0, "no export spike"
    assert abs(story.at(129).grid_w) < 20.0


async def test_a_hung_control_task_ends_in_zero_power_by_the_leases() -> None:
    async with house(load_w=600.0) as story:
        await story.until(60)
        story.site.app.site.tick = lambda: None  # type: ignore[method-assign,assignment,return-value]  # hangs
        await story.until(90)
    zero_s = story.first(60.0, lambda m: m.inverter_w == 0.0)
    assert zero_s < 3.9, "3 s of lease and the inverter's own dead time"
    assert {e.subject for e in story.told("lease_expired")} >= {"inverter"}
    assert 64.9 < story.told("control_hung")[0].at_s < 66.1
    assert story.ending is not None
    assert story.ending.code is ExitCode.HUNG


async def test_a_hung_control_task_closes_a_running_charger() -> None:
    async with house(load_w=200.0, sun_w=1500.0) as story:
        await story.until(60)
        story.site.app.site.tick = lambda: None  # type: ignore[method-assign,assignment,return-value]  # hangs
        await story.until(90)
    assert story.first(60.0, lambda m: m.charger_w > -130.0) < 4.5
    assert {e.subject for e in story.told("lease_expired")} >= {"rectifier"}
    assert story.twin["rectifier"].ac_w > -5.0


@pytest.mark.parametrize("sun_w", [0.0, 1500.0])
async def test_a_bug_in_any_task_leaves_through_the_stop_sequences(sun_w: float) -> None:
    class Broken(Exception):
        pass

    async def crash() -> None:
        raise Broken("a bug")

    async with house(load_w=500.0, sun_w=sun_w) as story:
        await story.until(60)
        story.site.app.site.protect = crash  # type: ignore[method-assign]  # for the next start
        tasks = [t for t in asyncio.all_tasks() if t.get_name() == "meter"]
        story.site.app.site.parts.meter.run = crash  # type: ignore[method-assign]  # when asked again
        tasks[0].cancel()
        await story.until(80)
    assert story.ending is not None
    assert story.ending.code is ExitCode.CRASHED
    assert story.told("task_crashed")
    assert story.at(75).inverter_w == 0.0
    assert story.at(75).charger_w > -5.0


async def test_the_way_out_while_charging_closes_everything_in_order() -> None:
    heard: list[tuple[str, float, CanFrame]] = []
    zeros: list[tuple[float, bytes]] = []

    def listen(bus: str) -> Any:
        return lambda frame: heard.append((bus, story.now_s, frame))

    async with house(load_w=200.0, sun_w=1500.0) as story:
        await story.until(60)
        assert story.at(59).charger_w < -1200.0
        for bus in ("battery_a", "battery_b", "charger"):
            end = story.site.links.can_bus(bus).attach()
            end.listen(listen(bus), [CanFilter(0, 0, True)])
        story.site.links.wire("inverter").device.listen(lambda d: zeros.append((story.now_s, d)))
    assert story.ending is not None
    assert story.ending.code is ExitCode.ASKED
    assert bytes.fromhex("2456002100008008") in {data for _, data in zeros}
    ends = {(bus, f.can_id) for bus, _, f in heard if f.data == bytes(8)}
    assert {("battery_a", 0x1A55541E), ("battery_b", 0x1A55540A)} <= ends
    control = [f.data for bus, _, f in heard if bus == "charger" and f.data[:2] == b"\x00\xf0"]
    assert control[-1][2] & 0x84 == 0x84, "AC off and DC off were the last word"
    assert story.twin["rectifier"].ac_w > -5.0
    assert story.site.house.battery_w > -5.0
