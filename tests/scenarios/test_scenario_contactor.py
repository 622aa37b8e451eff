"""A house with contactors: they close for a reason, and open before a rectifier does harm."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from scenario import DEMO, Story, house

from gridzero.domain.alarms import Level
from gridzero.domain.reasons import Because
from gridzero.runtime.stores import MemoryStore
from gridzero.sim.sources import Constant

CONTACTOR = DEMO.with_name("contactor.yaml")
SUN_W = 1500.0


def sunny(
    config: Path = CONTACTOR, latched: MemoryStore | None = None
) -> AbstractAsyncContextManager[Story]:
    """A house that charges with about a kilowatt."""
    return house(load_w=400.0, sun_w=SUN_W, config=config, latched=latched)


def say(story: Story, topic: str, text: str) -> None:
    """A message of a person."""
    story.site.links.broker.attach().publish(topic, text)


def trip(story: Story, text: str | None) -> None:
    """A fault that asks for the battery to be cut off."""
    story.site.app.faults.set("unexpected_module", "battery.b5", text, level=Level.TRIP)


def charge_a(story: Story) -> float:
    return -story.site.house.battery_a


def latched(story: Story) -> list[str]:
    return [fault.code for fault in story.site.app.faults.active if fault.is_latched]


async def test_a_house_with_contactors_charges_and_discharges_through_them() -> None:
    async with sunny() as story:
        await story.until(60)
        assert story.twin["rectifier_contactor"].is_closed
        assert story.twin["battery_contactor"].is_closed
        assert charge_a(story) > 15.0
        story.site.house.sun = Constant(0.0)
        await story.until(120)
        assert story.site.house.battery_a > 5.0
        assert {e.code for e in story.events if e.active} == set()
    assert not story.twin["rectifier_contactor"].is_closed
    assert not story.twin["battery_contactor"].is_closed


async def test_on_the_way_out_the_contactors_open_behind_a_rectifier_at_rest() -> None:
    broken_a: dict[str, float] = {}
    async with sunny() as story:
        await story.until(60)
        closed = {name: story.twin[name] for name in ("rectifier_contactor", "battery_contactor")}
        step, before_a = story.site.bench.step, charge_a(story)

        def watched() -> None:
            nonlocal before_a
            step()
            for name, relay in closed.items():
                if not relay.is_closed:
                    broken_a.setdefault(name, before_a)
            before_a = charge_a(story)

        story.site.bench.step = watched  # type: ignore[method-assign]  # to look, not to change
        assert before_a > 15.0
    for name in closed:
        broken_a.setdefault(name, before_a)  # after the last step of the house
    assert not any(relay.is_closed for relay in closed.values())
    assert set(broken_a) == {"rectifier_contactor", "battery_contactor"}
    assert max(broken_a.values()) < 2.0, "no current was broken"
    assert list(broken_a) == ["rectifier_contactor", "battery_contactor"]


@pytest.mark.parametrize("config", [CONTACTOR, DEMO], ids=["with_contactor", "without"])
async def test_a_rectifier_that_cannot_be_reached_is_cut_off_before_it_forgets(
    config: Path,
) -> None:
    """The same cable pulled, with a contactor and without one: why it is not a luxury."""
    async with sunny(config) as story:
        await story.until(60)
        story.site.links.can_bus("charger").plugged = False
        await story.until(79)
        if config is CONTACTOR:
            assert not story.twin["rectifier_contactor"].is_closed, "15 s after its last word"
        story.site.house.pack.set_soc(0.2)
        await story.until(120)
        assert story.twin["rectifier"].offline
        assert story.twin["rectifier"].power.on, "at its stored values, full current"
        assert charge_a(story) == 0.0 if config is CONTACTOR else charge_a(story) > 40.0


async def test_a_pi_that_dies_lets_the_contactors_fall_before_the_rectifier_forgets() -> None:
    """As after kill -9: nothing is sent any more, and the kernel lets the lines go."""
    async with sunny() as story:
        await story.until(60)
        for device in (*story.site.app.site.parts.all(),):
            device._coil = DeadLine()  # type: ignore[attr-defined]  # nobody drives it any more
        story.site.links.can_bus("charger").plugged = False
        story.site.links.gpio("pins").process_died()
        await story.until(61)
        assert not story.twin["rectifier_contactor"].is_closed
        assert charge_a(story) == 0.0
        await story.until(110)
        assert story.twin["rectifier"].power.on
        assert charge_a(story) == 0.0


class DeadLine:
    """A line whose process is gone."""

    def drive(self, *, active: bool) -> None:
        """Nothing comes of it."""


async def test_a_welded_contactor_refuses_all_power_until_it_is_acknowledged() -> None:
    async with sunny() as story:
        await story.until(60)
        story.twin["rectifier_contactor"].welded = True
        story.twin["rectifier"].power.stuck_at_a = 60.0  # it is locked, and its contactor opened
        await story.until(75)
        story.twin["rectifier"].power.stuck_at_a = None
        (told,) = story.told("contactor_welded")
        assert told.subject == "rectifier_contactor"
        assert "fuse" in told.remedy
        assert story.at(75).because is Because.FAULT_LATCHED
        assert all(m.set_w == 0.0 for m in story.between(told.at_s + 0.5, 75))
        assert not story.twin["battery_contactor"].is_closed, "what can still part them, does"
        say(story, "gridzero/acknowledge/set", "all")
        await story.until(80)
        assert story.site.app.faults.stands("contactor_welded"), "its cause is still there"
        story.twin["rectifier_contactor"].welded = False
        await story.until(140)
        assert "contactor_welded" in latched(story)
        assert story.at(140).set_w == 0.0
        say(story, "gridzero/acknowledge/set", "contactor_welded rectifier_contactor")
        say(story, "gridzero/acknowledge/set", "contactor_under_load")
        await story.until(220)
        assert latched(story) == []
        assert charge_a(story) > 15.0


async def test_a_contactor_that_does_not_close_is_told_and_nothing_is_charged() -> None:
    async with sunny() as story:
        story.twin["rectifier_contactor"].stuck = True
        await story.until(60)
        (told,) = story.told("contactor_stuck_open")
        assert told.subject == "rectifier_contactor"
        assert charge_a(story) == 0.0
        story.twin["rectifier_contactor"].stuck = False
        await story.until(120)
        assert story.told("contactor_stuck_open", active=False)
        assert charge_a(story) > 15.0


async def test_a_trip_waits_for_the_current_and_breaks_none() -> None:
    async with sunny() as story:
        await story.until(60)
        trip(story, "a module that nobody watches")
        await story.until(66)
        assert not story.twin["battery_contactor"].is_closed
        assert charge_a(story) == 0.0


async def test_a_trip_waits_for_an_inverter_on_its_way_down() -> None:
    async with house(load_w=860.0, config=CONTACTOR) as story:
        await story.until(60)
        assert story.site.house.battery_a > 15.0
        trip(story, "a module that nobody watches")
        await story.until(75)
        assert not story.twin["battery_contactor"].is_closed
        assert not story.told("contactor_under_load")


async def test_a_trip_with_current_that_goes_on_opens_under_load() -> None:
    async with sunny() as story:
        await story.until(60)
        story.twin["rectifier"].power.stuck_at_a = 40.0
        story.twin["rectifier_contactor"].welded = True  # else it would save the battery's
        trip(story, "a module that nobody watches")
        await story.until(66)
        told, waits = story.told("contactor_under_load")
        assert "acknowledged" in waits.text
        assert 63.9 < told.at_s < 65.0
        assert "A flowed" in told.text
        assert not story.twin["battery_contactor"].is_closed
        assert charge_a(story) == 0.0
        story.twin["rectifier"].power.stuck_at_a = None
        story.twin["rectifier_contactor"].welded = False
        trip(story, None)
        await story.until(180)
        assert story.at(180).set_w == 0.0, "a person has to look at the contacts"
        say(story, "gridzero/acknowledge/set", "all")
        await story.until(260)
        assert charge_a(story) > 15.0


async def test_a_latched_fault_survives_a_restart_and_keeps_the_battery_at_rest() -> None:
    store = MemoryStore()
    async with sunny(latched=store) as story:
        await story.until(30)
        story.site.app.faults.set("contactor_under_load", "battery", "opened while 40 A flowed")
        kept: dict[str, Any] = dict(store.values)
    after_a_power_cut = MemoryStore()
    after_a_power_cut.values = kept
    heard = list[bytes]()
    async with sunny(latched=after_a_power_cut) as story:
        story.site.links.broker.attach().subscribe(
            "gridzero/state", lambda m: heard.append(m.payload)
        )
        began_s = story.now_s
        await asyncio.sleep(60.0)
        assert all(m.set_w == 0.0 for m in story.between(began_s + 1.0, began_s + 60.0))
        assert (
            b'"code":"contactor_under_load","subject":"battery","level":null,"is_latched":true'
            in (heard[-1])
        )
        say(story, "gridzero/acknowledge/set", "nonsense")
        await asyncio.sleep(1.0)
        assert story.told("acknowledge_refused", active=False)
        say(story, "gridzero/acknowledge/set", "contactor_under_load")
        await asyncio.sleep(80.0)
        assert charge_a(story) > 15.0
