"""Heater and fan through their pins: on when the battery needs it, off when nobody decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario import DEMO, Story, house

HEATED = """
  heater: {driver: gpio_switch, link: pins, line: 5}
  fan: {driver: gpio_switch, link: pins, line: 6}
"""


@pytest.fixture
def heated(tmp_path: Path) -> Path:
    """The house with contactors, and a heater and a fan on two more pins."""
    text = (DEMO.with_name("contactor.yaml")).read_text()
    path = tmp_path / "heated.yaml"
    path.write_text(
        text.replace("\ndevices:\n", f"\ndevices:{HEATED}", 1)
        + "\nthermal: {heater: heater, fan: fan}\n"
    )
    return path


def is_on(story: Story, name: str) -> bool:
    closed: bool = story.twin[name].is_closed
    return closed


async def test_a_cold_battery_is_warmed_when_there_is_sun_and_not_without(heated: Path) -> None:
    async with house(load_w=300.0, sun_w=1500.0, temp_c=4.0, config=heated) as story:
        await story.until(60)
        assert is_on(story, "heater")
        assert not is_on(story, "fan")
        assert abs(story.at(59).battery_w) < 50.0, "no charge in the cold"
    assert not is_on(story, "heater"), "off with the end of the process"
    async with house(load_w=300.0, temp_c=4.0, config=heated) as story:
        await story.until(story.now_s + 60)
        assert not is_on(story, "heater")


async def test_a_battery_is_not_warmed_for_a_charge_that_a_setting_forbids(heated: Path) -> None:
    async with house(load_w=300.0, sun_w=1500.0, temp_c=4.0, config=heated) as story:
        ask = story.site.links.broker.attach().publish
        ask("gridzero/max_soc_pct/set", "20")
        await story.until(60)
        assert not is_on(story, "heater"), "it is fuller than that already"
        ask("gridzero/max_soc_pct/set", "100")
        await story.until(120)
        assert is_on(story, "heater")


async def test_a_warm_battery_is_fanned(heated: Path) -> None:
    async with house(load_w=300.0, temp_c=38.0, config=heated) as story:
        await story.until(60)
        assert is_on(story, "fan")
        assert not is_on(story, "heater")


async def test_a_heater_goes_off_when_nobody_decides(heated: Path) -> None:
    async with house(load_w=300.0, sun_w=1500.0, temp_c=4.0, config=heated) as story:
        await story.until(60)
        assert is_on(story, "heater")
        story.site.app.site.stopping()
        story.site.app.site.tick = lambda: None  # type: ignore[method-assign,assignment,return-value]  # hung
        await story.until(64)
        assert is_on(story, "heater"), "its lease holds"
        await story.until(70)
        assert not is_on(story, "heater")
