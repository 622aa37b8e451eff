"""Prices, and where the battery is heading: the whole house on its wires."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest
from scenario import SMALL_DEMO, Story, house

from gridzero.domain.value import Lean, Outlook
from gridzero.runtime.stores import MemoryStore

PRICES = "\nprices: {import_ct: 30, export_ct: 8, import_topic: tariff/now}\n"


@pytest.fixture
def priced(tmp_path: Path) -> Path:
    """The demo's house with prices."""
    path = tmp_path / "priced.yaml"
    path.write_text(SMALL_DEMO + PRICES)
    return path


def say(story: Story, topic: str, payload: str, *, retain: bool = False) -> None:
    story.site.links.broker.attach().publish(topic, payload, retain=retain)


async def value(story: Story) -> dict[str, Any]:
    """What the state topic says of prices and bias."""
    heard: list[bytes] = []
    link = story.site.links.broker.attach()
    link.subscribe("gridzero/state", lambda message: heard.append(message.payload))
    await asyncio.sleep(1.5)
    found: dict[str, Any] = json.loads(heard[-1])["value"]
    return found


@pytest.mark.slow
async def test_a_battery_that_will_run_empty_rather_buys(priced: Path) -> None:
    async with house(load_w=400.0, config=priced) as story:
        await story.until(120)
        before = await value(story)
        say(story, "gridzero/outlook/set", "emptying")
        await story.until(900)
        after = await value(story)
        grid_w = [moment.grid_w for moment in story.between(700, 900)]
    assert (before["bias_w"], before["because"]) == (0.0, "outlook_unknown")
    assert after["because"] == "emptying"
    assert "empty" in after["because_text"]
    assert after["bias_w"] > 0.5
    assert fmean(grid_w) == pytest.approx(after["bias_w"], abs=2.0), "the deviation is the bias"
    assert pstdev(grid_w) < 3.0, "and nothing swings"


async def test_an_empty_battery_is_an_outlook_that_survives_a_restart(priced: Path) -> None:
    store = MemoryStore()
    async with house(load_w=400.0, soc=0.0, config=priced, outlook=store) as story:
        await story.until(60)
        assert (await value(story))["outlook"] == "emptying"
    async with house(load_w=400.0, soc=0.5, config=priced, outlook=store) as story:
        await story.until(30)
        assert (await value(story))["outlook"] == "emptying"


async def test_a_full_battery_is_one_too(priced: Path) -> None:
    async with house(load_w=200.0, sun_w=1500.0, soc=1.0, config=priced) as story:
        await story.until(60)
        assert story.site.app.site.last is not None
        now, decision = story.site.app.site.last
    assert now.outlook is Outlook.FILLING
    assert decision.bias_because is Lean.FILLING


async def test_a_live_price_holds_and_a_retained_one_does_not(priced: Path) -> None:
    async with house(config=priced) as story:
        say(story, "tariff/now", "45.5")
        await story.until(10)
        live = await value(story)
        say(story, "tariff/now", "x")
        await story.until(20)
        fixed = await value(story)
    assert (live["import_ct"], live["export_ct"]) == (45.5, 8.0)
    assert fixed["import_ct"] == 30.0


async def test_without_prices_nobody_listens_and_nothing_leans() -> None:
    async with house(load_w=400.0) as story:
        say(story, "gridzero/outlook/set", "emptying")
        await story.until(300)
        found = await value(story)
    assert found == {
        "bias_w": 0.0,
        "because": "no_prices",
        "because_text": found["because_text"],
        "outlook": "unknown",
        "import_ct": None,
        "export_ct": None,
        "stored_ct": None,
    }
