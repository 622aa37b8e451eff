"""Converters that are not what the configuration says: learned while the house runs, or tested."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from scenario import Story, house

from gridzero.commands.identify import Watcher
from gridzero.control.learned import Learned
from gridzero.domain.reasons import Because
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.stores import MemoryStore
from gridzero.sim.sources import Samples


def kettle() -> Samples:
    """200 and 600 W in turn, long enough apart for each to be settled on."""
    return Samples([43.0 * n for n in range(40)], [200.0 if n % 2 else 600.0 for n in range(40)])


def learned(story: Story, name: str = "inverter") -> Learned:
    return story.site.app.learning.learned[name]


@pytest.mark.slow
async def test_a_slower_inverter_is_learned_while_the_house_runs_as_always() -> None:
    async with house(load_w=kettle()) as story:
        story.twin["inverter"].slew_scale = 0.5
        story.twin["inverter"].dead_time_s = 1.0
        await story.until(900)
        found = learned(story)
    assert 30.0 < found.rise_w_per_s < 48.0, "it really climbs 37.5 W/s, not 75"
    assert 0.7 < found.dead_time_s < 1.6
    assert 0.9 < found.gain < 1.1
    assert found.sure > 0.2


@pytest.mark.long
async def test_an_inverter_that_is_as_configured_stays_as_configured() -> None:
    async with house(load_w=kettle()) as story:
        await story.until(600)
        found = learned(story)
    assert 60.0 < found.rise_w_per_s < 95.0
    assert found.gain == 1.0
    assert found.dead_time_s < 0.8
    assert not story.told("actuator_changed")


@pytest.mark.slow
async def test_an_inverter_that_has_become_late_is_told() -> None:
    async with house(load_w=kettle()) as story:
        story.twin["inverter"].dead_time_s = 3.6
        await story.until(1300)
        found = learned(story)
    assert found.dead_time_s > 3.0
    told = story.told("actuator_changed")
    assert [event.subject for event in told] == ["inverter"]
    assert "dead time" in told[0].text


async def test_a_test_learns_an_inverter_in_two_minutes_and_tells_the_result() -> None:
    async with house(load_w=400.0) as story:
        story.twin["inverter"].slew_scale = 0.5
        await story.until(60)
        ask(story, "inverter")
        await story.until(80)
        running = (await state(story))["identify"]
        await story.until(200)
        found, ended = learned(story), (await state(story))["identify"]
    assert running["unit"] == "inverter"
    assert story.at(90).because is Because.IDENTIFYING
    steps = [m.set_w for m in story.between(80, 120)]
    assert 550.0 <= max(steps) <= 700.0
    assert 100.0 <= min(steps) <= 260.0
    assert 30.0 < found.rise_w_per_s < 48.0
    assert 38.0 < found.fall_w_per_s < 65.0
    assert ended["unit"] is None
    assert ended["done"]["inverter"]["moves"] >= 4
    assert [e.subject for e in story.told("identified", active=False)] == ["inverter"]
    assert "W/s" in story.told("identified", active=False)[0].text
    assert story.told("identify_ended", active=False)
    assert abs(story.at(199).grid_w) < 25.0, "the house is run as always again"


async def test_a_test_is_refused_with_the_reason_and_ends_when_the_mode_changes() -> None:
    async with house(load_w=400.0) as story:
        await story.until(40)
        ask(story, "toaster")
        await story.until(41)  # an order is on its way before it is heard
        story.site.app.site.settings.change(mode="hold")
        await story.until(45)
        ask(story, "inverter")
        await story.until(46)
        story.site.app.site.settings.change(mode="auto")
        await story.until(60)
        ask(story, "all")
        await story.until(70)
        story.site.app.site.settings.change(mode="hold")
        await story.until(75)
    refused = [e.text for e in story.told("setting_refused", active=False)]
    assert "toaster" in refused[0]
    assert "hold" in refused[1]
    assert len(refused) == 2
    assert "rest" in story.told("identify_ended", active=False)[0].text
    assert story.at(74).set_w == 0.0


async def test_a_test_of_everything_ends_with_the_meter() -> None:
    async with house(load_w=400.0) as story:
        await story.until(40)
        ask(story, "all")
        await story.until(70)
        story.twin["meter"].silent = True
        await story.until(90)
    assert story.told("identify_ended", active=False)[0].at_s < 72.5
    assert story.at(89).set_w == 0.0


async def test_a_charger_is_tested_too() -> None:
    async with house(load_w=200.0, sun_w=1500.0) as story:
        await story.until(60)
        ask(story, "rectifier")
        await story.until(260)
        found = learned(story, "rectifier")
    assert story.told("identified", active=False)
    assert found.moves >= 4
    assert 0.9 < found.gain < 1.1


async def test_all_means_those_that_can_be_tested_now() -> None:
    async with house(load_w=200.0, sun_w=1500.0) as story:
        await story.until(60)
        ask(story, "inverter")
        await story.until(62)
        ask(story, "all")
        await story.until(64)
        progress = (await state(story))["identify"]
    assert "rectifier still charges" in story.told("setting_refused", active=False)[0].text
    assert (progress["unit"], progress["waiting"]) == ("rectifier", [])


async def test_what_was_learned_survives_a_restart() -> None:
    store = MemoryStore()
    async with house(load_w=400.0, learned=store) as story:
        story.twin["inverter"].slew_scale = 0.5
        await story.until(60)
        ask(story, "inverter")
        await story.until(200)
        before = learned(story)
    async with house(load_w=400.0, learned=store) as story:
        await story.until(20)
        after = learned(story)
    assert abs(after.rise_w_per_s - before.rise_w_per_s) < 0.1
    assert after.moves == before.moves


async def test_the_command_asks_shows_progress_and_the_result() -> None:
    lines: list[str] = []
    async with house(load_w=400.0) as story:
        person = story.site.links.broker.attach()
        await story.until(40)
        code = await Watcher(person, "gridzero", lines.append).test("inverter")
        again = await Watcher(person, "gridzero", lines.append).test("toaster")
    assert (code, again) == (ExitCode.ASKED, ExitCode.FINDINGS)
    assert [line.split(",")[0] for line in lines[:3]] == [
        "inverter: settling",
        "inverter: stepping",
        "inverter: evaluating",
    ]
    assert "W/s" in lines[3]
    assert "toaster" in lines[-1]


async def test_a_command_that_is_interrupted_cancels_the_test() -> None:
    async with house(load_w=400.0) as story:
        person = story.site.links.broker.attach()
        await story.until(40)
        task = asyncio.create_task(Watcher(person, "gridzero", str).test("inverter"))
        await story.until(70)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await story.until(72)
        progress = (await state(story))["identify"]
    assert (progress["unit"], progress["ended"]) == (None, "it was cancelled")


def ask(story: Story, what: str) -> None:
    story.site.links.broker.attach().publish("gridzero/identify/set", what)


async def state(story: Story) -> dict[str, Any]:
    """What the state topic would say now, as somebody at the broker reads it."""
    heard: list[bytes] = []
    person = story.site.links.broker.attach()
    person.subscribe("gridzero/state", lambda message: heard.append(message.payload))
    story.site.app.output.publish()
    await asyncio.sleep(0.01)
    found: dict[str, Any] = json.loads(heard[-1])
    return found
