"""The site: every tick looks, decides, commands with a lease, and says what it did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from runtime_fakes import RULES, FakeConverter, FakeHouse, now_s

from gridzero.domain.decision import Decision
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.readings import ConverterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot


@asynccontextmanager
async def protected(house: FakeHouse, load_w: float | None = None) -> AsyncIterator[FakeHouse]:
    """The protect timer runs; the meter sees what the converters leave of a load, twice a second.

    load_w: net of the sun, None = the meter says nothing.
    """

    async def speak() -> None:
        while True:
            if load_w is not None:
                house.meter.say(load_w - house.inverter.commanded_w + house.charger.commanded_w)
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(house.site.protect()), asyncio.create_task(speak())]
    try:
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def because(house: FakeHouse) -> Because:
    assert house.site.last is not None
    return house.site.last[1].because


async def test_without_a_meter_reading_it_ticks_and_commands_nothing() -> None:
    async with protected(FakeHouse()) as house:
        await asyncio.sleep(10.0)
    assert len(house.inverter.setpoints) == pytest.approx(40, abs=1)
    assert all(s.power_w == 0.0 for _, s in house.inverter.setpoints + house.charger.setpoints)
    assert because(house) is Because.METER_UNKNOWN


async def test_import_discharges_and_surplus_charges() -> None:
    async with protected(FakeHouse(), load_w=300.0) as house:
        await asyncio.sleep(60.0)
    assert house.inverter.commanded_w > 200.0
    assert house.charger.commanded_w == 0.0
    async with protected(FakeHouse(), load_w=-600.0) as house:
        await asyncio.sleep(60.0)
    assert house.charger.commanded_w > 200.0
    assert house.inverter.commanded_w == 0.0


async def test_each_meter_reading_is_a_tick_of_its_own() -> None:
    house = FakeHouse()
    for _ in range(5):
        house.meter.say(100.0)
        await asyncio.sleep(0.01)
    assert len(house.inverter.setpoints) == 5
    assert house.site.ticked_s == pytest.approx(now_s(), abs=0.02)


async def test_every_command_carries_a_lease_and_what_the_battery_bears() -> None:
    async with protected(FakeHouse(rules=replace(RULES, lease_s=2.0)), load_w=300.0) as house:
        await asyncio.sleep(60.0)
    for at_s, setpoint in house.inverter.setpoints + house.charger.setpoints:
        assert setpoint.until_s == pytest.approx(at_s + 2.0)
        assert setpoint.max_dc_a is not None
        assert 0.0 <= setpoint.max_dc_a <= 50.0
        assert setpoint.max_dc_v == RULES.profile.max_cell_v * 12
    assert house.charger.setpoints[-1][1].max_dc_a == pytest.approx(50.0)


async def test_without_cells_nothing_is_commanded_whatever_the_meter_says() -> None:
    house = FakeHouse()
    house.parts.cells = None
    async with protected(house, load_w=800.0):
        await asyncio.sleep(30.0)
    assert all(s.power_w == 0.0 for _, s in house.inverter.setpoints)
    assert because(house) is Because.BATTERY_UNKNOWN


async def test_listeners_hear_each_tick() -> None:
    house = FakeHouse()
    heard: list[tuple[Snapshot, Decision]] = []
    house.site.on_decision(lambda now, decision: heard.append((now, decision)))
    decision = house.site.tick()
    assert [d for _, d in heard] == [decision]
    assert house.site.last == heard[0]


async def test_the_target_topic_holds_for_a_while_and_can_be_ended() -> None:
    async with protected(FakeHouse(), load_w=0.0) as house:
        await asyncio.sleep(40.0)
        house.site.ask_to_charge(500.0)
        await asyncio.sleep(14.0)
        assert because(house) is Because.TARGET_TOPIC
        assert house.charger.commanded_w == pytest.approx(500.0, abs=1.0)
        await asyncio.sleep(2.0)
        assert because(house) is not Because.TARGET_TOPIC
        await asyncio.sleep(120.0)  # a charger rests between two starts
        house.site.ask_to_charge(500.0)
        await asyncio.sleep(1.0)
        assert because(house) is Because.TARGET_TOPIC
        house.site.ask_to_charge(0.0)
        await asyncio.sleep(1.0)
        assert because(house) is not Because.TARGET_TOPIC


async def test_modes_act_with_the_next_tick() -> None:
    async with protected(FakeHouse(), load_w=300.0) as house:
        await asyncio.sleep(60.0)
        assert house.inverter.commanded_w > 200.0
        house.settings.change(mode="hold")
        await asyncio.sleep(0.3)
        assert house.inverter.commanded_w == 0.0
        assert because(house) is Because.MODE_HOLD
        house.settings.change(mode="discharge", power_w=150)
        await asyncio.sleep(5.0)
        assert house.inverter.commanded_w == pytest.approx(150.0, abs=1.0)


async def test_a_module_that_nobody_configured_blocks_everything() -> None:
    async with protected(FakeHouse(), load_w=300.0) as house:
        await asyncio.sleep(60.0)
        house.faults.set("unexpected_module", "cells.a9", "a9 answers")
        await asyncio.sleep(0.3)
        assert house.inverter.commanded_w == 0.0
        assert because(house) is Because.UNEXPECTED_MODULE
        house.faults.set("unexpected_module", "cells.a9", None)
        await asyncio.sleep(60.0)
        assert house.inverter.commanded_w > 200.0


async def test_a_converter_that_should_answer_and_does_not_is_silent() -> None:
    house = FakeHouse()
    house.parts.chargers = [FakeConverter("charger", house.diary, sign=-1.0, telemetry=True)]
    charger = house.parts.chargers[0]
    assert isinstance(charger, FakeConverter)

    def is_silent() -> bool:
        house.site.tick()
        assert house.site.last is not None
        return house.site.last[0].chargers[0].silent

    assert is_silent(), "before its first word"
    charger.newest = ConverterReading(at_s=now_s(), ac_w=-100.0)
    assert not is_silent()
    await asyncio.sleep(4.9)
    assert not is_silent()
    await asyncio.sleep(0.2)
    assert is_silent()
    house.site.tick()
    assert house.site.last is not None
    assert not house.site.last[0].inverters[0].silent, "this one never answers, by its nature"


async def test_balancing_orders_are_leased_once_a_second_and_end_with_the_mode() -> None:
    async with protected(FakeHouse(wanted=Wanted(mode=Mode.AUTO)), load_w=0.0) as house:
        await asyncio.sleep(30.0)
    times = [at_s for at_s, _, _ in house.cells.bled]
    assert len(times) == pytest.approx(30, abs=2)
    assert all(until_s - at_s == pytest.approx(5.0) for at_s, _, until_s in house.cells.bled)
    off = FakeHouse(wanted=Wanted(mode=Mode.OFF))
    async with protected(off, load_w=0.0):
        await asyncio.sleep(10.0)
    assert off.cells.bled
    assert all(cells == {} for _, cells, _ in off.cells.bled)


async def test_stopping_is_the_last_word() -> None:
    house = FakeHouse()
    house.site.tick()
    house.site.stopping()
    commands = len(house.inverter.setpoints)
    house.meter.say(800.0)
    assert because(house) is Because.STOPPING
    assert len(house.inverter.setpoints) == commands, "a meter that speaks on changes nothing"


async def test_stopping_before_the_first_tick_says_nothing() -> None:
    house = FakeHouse()
    house.site.stopping()
    assert house.site.last is None


async def test_limits_follow_the_battery_while_it_is_switched_off() -> None:
    """A limit that stands still while nothing flows would be an old one when power is back."""
    async with protected(FakeHouse(), load_w=-600.0) as house:
        await asyncio.sleep(60.0)
        house.site.settings.change(mode=Mode.OFF)
        house.cells.volts = 4.07
        await asyncio.sleep(1.0)
        assert house.site.last is not None
        full = house.site.last[0].limits
        house.cells.volts = 3.15
        await asyncio.sleep(1.0)
        empty = house.site.last[0].limits
    assert full is not None
    assert empty is not None
    assert (full.charge_a, full.charge_because) == (0.0, Because.CELL_FULL)
    assert (empty.discharge_a, empty.discharge_because) == (0.0, Because.CELL_EMPTY)
