"""Converters that do not do what they are told, and meters that do not show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenario import SMALL_DEMO, Story, house

from gridzero.domain.reasons import Because
from gridzero.sim.sources import steps

_WITH_REPORT = "    read_status: true\n    status_period_s: 2.0\n"


def _config(
    tmp_path: Path, *, shunt: bool = True, report: bool = False, second: bool = False
) -> Path:
    """The demo's house with other inverters, or without its shunt."""
    text = SMALL_DEMO
    if not shunt:
        text = text.replace("  shunt:\n    driver: ads1115_shunt\n    link: sensors\n", "")
    inverter = text[text.index("  inverter:\n    driver") : text.index("control:")].rstrip() + "\n"
    units = inverter + (_WITH_REPORT if report else "")
    if second:
        other = inverter.replace("  inverter:", "  other:").replace("link: inverter", "link: other")
        units += other
        link = "  inverter: {type: serial, port: pty}\n"
        other_link = "  other: {type: serial, port: /dev/ttyUSB1}\n"
        text = text.replace(link, link + other_link)
    path = tmp_path / "house.yaml"
    path.write_text(text.replace(inverter, units))
    return path


def _lost_s(story: Story, code: str, subject: str, since_s: float) -> float:
    told = [e for e in story.told(code) if e.subject == subject and e.at_s >= since_s]
    assert told, f"{code} of {subject} was not told; {story.events}"
    return told[0].at_s - since_s


def _exported_wh(story: Story, from_s: float, to_s: float) -> float:
    return sum(-m.grid_w for m in story.between(from_s, to_s) if m.grid_w < 0) * 0.1 / 3600


async def test_a_silent_inverter_without_a_shunt_is_found_by_the_meter_alone(
    tmp_path: Path,
) -> None:
    async with house(load_w=500.0, config=_config(tmp_path, shunt=False)) as story:
        await story.until(60)
        story.twin["inverter"].off_mains = True
        await story.until(120)
        asked = [m.set_w for m in story.between(75, 120)]
        story.twin["inverter"].off_mains = False
        await story.until(260)
    assert _lost_s(story, "converter_suspect", "inverter", 60.0) < 5.0
    assert _lost_s(story, "inverter_not_following", "inverter", 60.0) < 15.0
    assert max(asked) <= 300.0, "only a try now and then"
    assert story.at(100).because is Because.NOT_FOLLOWING
    assert story.told("inverter_not_following", active=False)
    assert _exported_wh(story, 120, 260) < 0.1
    assert abs(story.at(259).grid_w) < 20.0


@pytest.mark.parametrize("report", [False, True])
async def test_an_inverter_that_gives_nothing_is_left_out_and_comes_back(
    tmp_path: Path, report: bool
) -> None:
    async with house(
        load_w=500.0, config=_config(tmp_path, shunt=not report, report=report)
    ) as story:
        await story.until(60)
        story.twin["inverter"].off_mains = True
        await story.until(90)
        story.twin["inverter"].off_mains = False
        await story.until(200)
    assert _lost_s(story, "converter_suspect", "inverter", 60.0) < 8.0
    assert 14.0 < _lost_s(story, "inverter_not_following", "inverter", 60.0) < 20.0
    assert story.told("inverter_not_following", active=False)
    assert _exported_wh(story, 90, 200) < 0.1
    assert abs(story.at(199).grid_w) < 20.0


async def test_half_of_the_power_is_told_but_goes_on_being_used(tmp_path: Path) -> None:
    async with house(load_w=500.0, config=_config(tmp_path)) as story:
        await story.until(60)
        story.twin["inverter"]._gain = 0.48
        await story.until(120)
    told = story.told("inverter_not_following")
    assert "%" in told[0].text
    assert story.at(119).inverter_w > 200.0


async def test_a_rectifier_that_ignores_its_set_points_is_told_and_left_out() -> None:
    async with house(load_w=200.0, sun_w=1700.0) as story:
        await story.until(60)
        story.twin["rectifier"].power.stuck_at_a = 0.5
        await story.until(100)
        left_out = story.at(99)
        story.twin["rectifier"].power.stuck_at_a = None
        await story.until(260)
    assert _lost_s(story, "charger_not_following", "rectifier", 60.0) < 22.0
    assert left_out.because is Because.NOT_FOLLOWING
    assert story.told("charger_not_following", active=False)
    assert abs(story.at(259).grid_w) < 60.0


@pytest.mark.parametrize("shunt", [True, False])
@pytest.mark.slow
async def test_of_two_inverters_the_dead_one_is_named_and_the_other_goes_on(
    tmp_path: Path, shunt: bool
) -> None:
    load = steps((0.0, 1200.0), (400.0, 700.0))
    async with house(load_w=load, config=_config(tmp_path, shunt=shunt, second=True)) as story:
        await story.until(90)
        story.twin["other"].off_mains = True
        await story.until(160)
        alone = story.at(159)
        story.twin["other"].off_mains = False
        await story.until(400)
    assert _lost_s(story, "inverter_not_following", "other", 90.0) < 30.0
    assert not [e for e in story.told("inverter_not_following") if e.subject == "inverter"]
    assert alone.inverter_w > 800.0, "carries what it can"
    assert story.told("inverter_not_following", active=False)
    assert abs(story.at(399).grid_w) < 30.0


async def test_a_meter_that_freezes_is_told_and_heard_again_when_it_moves(tmp_path: Path) -> None:
    async with house(load_w=500.0, config=_config(tmp_path, shunt=False)) as story:
        await story.until(60)
        story.twin["meter"].frozen = True
        await story.until(150)
        frozen = story.at(149)
        story.twin["meter"].frozen = False
        await story.until(180)
    assert _lost_s(story, "meter_wrong", "meter", 60.0) < 50.0
    assert "repeats itself" in story.told("meter_wrong")[0].text
    assert frozen.set_w == 0.0
    assert not story.told("inverter_not_following")
    assert story.told("meter_wrong", active=False)
    assert abs(story.at(179).grid_w) < 20.0


async def test_a_meter_that_freezes_at_a_load_does_not_drive_the_battery(tmp_path: Path) -> None:
    """Frozen at an import, it would wind the inverter up to its maximum."""
    load = steps((0.0, 100.0), (60.0, 500.0))
    async with house(load_w=load, config=_config(tmp_path, shunt=False)) as story:
        await story.until(61)
        story.twin["meter"].frozen = True
        await story.until(120)
    assert _lost_s(story, "meter_wrong", "meter", 61.0) < 15.0
    assert story.at(119).set_w == 0.0
    assert not story.told("inverter_not_following")


async def test_a_wrong_sign_is_not_blamed_on_the_inverter(tmp_path: Path) -> None:
    async with house(sun_w=150.0, load_w=0.0, config=_config(tmp_path, shunt=False)) as story:
        meter = story.twin["meter"]
        publish = meter.advance
        meter.advance = lambda seconds: [  # type: ignore[method-assign]  # turned around
            (topic, b"%d" % -float(payload)) for topic, payload in publish(seconds)
        ]
        await story.until(200)
    assert "sign" in story.told("meter_wrong")[0].text
    assert _lost_s(story, "meter_wrong", "meter", 0.0) < 120.0
    assert not story.told("inverter_not_following")


async def test_messages_that_come_twice_change_nothing() -> None:
    async with house(load_w=steps((0.0, 200.0), (60.0, 500.0))) as story:
        meter = story.twin["meter"]
        publish = meter.advance
        meter.advance = lambda seconds: _twice(publish(seconds))  # type: ignore[method-assign]  # a broker's habit
        await story.until(90)
    assert abs(story.at(89).grid_w) < 20.0
    assert min(m.grid_w for m in story.between(60, 90)) > -60.0


def _twice(messages: Any) -> Any:
    return [message for message in messages for _ in range(2)]
