"""The battery as a whole, through every wire: known, kept level, and remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scenario import Story, house

from gridzero.domain.charge import BatteryCharge
from gridzero.domain.condition import Condition
from gridzero.runtime.stores import MemoryStore

SMALL = Path(__file__).parents[1] / "harm" / "small.yaml"


def condition(story: Story) -> Condition:
    last = story.site.app.site.last
    assert last is not None
    return last[0].condition


def charge(story: Story) -> BatteryCharge:
    found = condition(story).charge
    assert found is not None
    return found


def true_soc(story: Story) -> float:
    return story.site.house.pack.soc


def cell_socs(story: Story) -> list[float]:
    return [cell.soc for module in charge(story).modules.values() for cell in module.cells]


def last_heard(story: Story, topic: str) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    client = story.site.links.broker.attach()
    client.subscribe(f"gridzero/{topic}", lambda message: heard.append(json.loads(message.payload)))
    return heard


@pytest.mark.parametrize("soc", [0.25, pytest.param(0.8, marks=pytest.mark.long)])
@pytest.mark.slow
async def test_the_state_of_charge_is_found_within_what_it_says_and_then_counted(
    soc: float,
) -> None:
    async with house(load_w=600, soc=soc, config=SMALL) as story:
        await story.until(60)
        first = charge(story)
        mean = sum(cell_socs(story)) / 36
        assert mean == pytest.approx(true_soc(story), abs=0.08)
        assert abs(mean - true_soc(story)) <= 3 * first.sigma + 0.02
        await story.until(660)
        gone = true_soc(story) - soc
        counted = sum(cell_socs(story)) / 36 - mean
        assert counted == pytest.approx(gone, abs=0.015)
        assert first.out_ah - charge(story).out_ah == pytest.approx(-gone * 75, abs=2.5)


async def test_what_is_known_of_the_battery_survives_a_restart() -> None:
    memory = MemoryStore()
    async with house(load_w=500, soc=0.6, config=SMALL, memory=memory) as story:
        await story.until(300)
        before = charge(story)
    assert memory.values["battery"]["charge"]["modules"].keys() == {"a3", "b1", "b2"}
    async with house(load_w=500, soc=0.6, config=SMALL, memory=memory) as story:
        await story.until(story.now_s + 10)
        after = charge(story)
        assert after.soc == pytest.approx(before.soc, abs=0.03)
        assert story.site.app.site.battery.health().days > 300 / 86400
        assert not story.site.app.faults.stands("battery_memory_lost")


async def test_a_memory_of_a_newer_version_is_told_and_starts_from_voltage() -> None:
    memory = MemoryStore()
    memory.save({"version": 99, "battery": {"charge": "of another kind"}})
    async with house(load_w=500, soc=0.6, config=SMALL, memory=memory) as story:
        await story.until(30)
        assert story.site.app.faults.stands("battery_memory_lost")
        assert sum(cell_socs(story)) / 36 == pytest.approx(true_soc(story), abs=0.08)


async def test_the_battery_is_told_to_everybody() -> None:
    async with house(load_w=300, config=SMALL) as story:
        states, batteries = last_heard(story, "state"), last_heard(story, "battery")
        healths = last_heard(story, "health")
        await story.until(45)
    known = charge(story)
    assert states[-2]["battery"]["soc_pct"] == pytest.approx(100 * known.soc, abs=1)
    assert states[-2]["battery"]["soc_sigma_pct"] > 0
    battery = batteries[-1]
    assert battery["modules"].keys() == {"a3", "b1", "b2"}
    assert battery["balancing"]["modules"]["a3"]["reason_text"]
    assert battery["thermal"]["charge_factor"] == 1.0
    assert battery["alarms"] == []
    assert battery["trust"]["cells"] == []
    assert healths[0]["maintenance"] == []


@pytest.mark.slow
async def test_cells_that_hold_more_are_bled_and_only_those() -> None:
    async with house(load_w=0, soc=0.8, config=SMALL) as story:
        pack = story.site.house.pack
        for cell in range(1, 13):
            pack.set_cell_soc("a3", cell, 0.80)
        pack.set_cell_soc("a3", 4, 0.92)
        pack.set_cell_soc("a3", 9, 0.90)
        await story.until(1500)
        bled = pack.bleeding("a3")
        assert bled in {1 << 3, 1 << 8, 1 << 3 | 1 << 8}, f"{bled:b}"
        balancing = condition(story).balancing
        assert balancing is not None
        assert balancing.modules["a3"].ah_left > 1.0
        assert balancing.hours_left is not None
        assert balancing.hours_left > 5
    assert story.site.house.pack.bleeding("a3") == 0, "stop frames on the way out"


@pytest.mark.slow
async def test_a_trip_survives_a_restart_and_ends_by_a_person() -> None:
    latched = MemoryStore()
    async with house(load_w=300, config=SMALL, latched=latched) as story:
        await story.until(30)
        story.site.house.pack.set_cell_soc("a3", 5, -0.35)
        await story.until(90)
        assert condition(story).alarms[0].code in {"cell_under", "cell_deep", "cell_rate"}
        codes = {fault.code for fault in story.site.app.faults.active if fault.latches}
        assert "cell_under" in codes
        assert abs(story.at(88).battery_w) < 5
    async with house(load_w=300, config=SMALL, latched=latched) as story:
        await story.until(story.now_s + 40)
        assert story.moments[-1].because == "tripped"
        assert abs(story.moments[-1].battery_w) < 5
        story.site.links.broker.attach().publish("gridzero/acknowledge/set", "all")
        await story.until(story.now_s + 5)
        assert story.told("acknowledge_refused", active=False), "the cause is not over for long"
        await story.until(story.now_s + 330)
        story.site.links.broker.attach().publish("gridzero/acknowledge/set", "all")
        await story.until(story.now_s + 50)
        assert not [fault for fault in story.site.app.faults.active if fault.latches]
        assert story.moments[-1].battery_w > 200


async def test_a_latch_that_only_the_fault_book_knows_refuses_all_power() -> None:
    """The latch is stored at once, what the thermal part knows only every few minutes."""
    async with house(load_w=300, config=SMALL) as story:
        await story.until(30)
        story.site.app.faults.set("self_heating", "b1", "it warms")
        story.site.app.faults.set("self_heating", "b1", None)
        await story.until(60)
        assert story.moments[-1].because == "fault_latched"
        assert abs(story.moments[-1].battery_w) < 5


async def test_a_person_may_ask_to_balance_now() -> None:
    async with house(load_w=0, soc=0.55, config=SMALL) as story:
        client = story.site.links.broker.attach()
        await story.until(20)
        client.publish("gridzero/balance/set", "now")
        await story.until(25)
        balancing = condition(story).balancing
        assert balancing is not None
        assert balancing.forced_until_s is not None
        client.publish("gridzero/balance/set", "stop")
        client.publish("gridzero/balance/set", "perhaps")
        await story.until(30)
        after = condition(story).balancing
        assert after is not None
        assert after.forced_until_s is None
        assert story.told("setting_refused", active=False)
