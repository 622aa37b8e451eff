"""Several converters on the wire: who works, who takes over, and that the grid does not see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario import DEMO, SMALL_DEMO, Story, house

from gridzero.domain.readings import ConverterState
from gridzero.domain.reasons import Because, WhyNot
from gridzero.sim.sources import steps

PAIR = DEMO.with_name("two-inverters.yaml")


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """The two inverters with some lines different."""
    text = PAIR.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "house.yaml"
    file.write_text(text)
    return file


def equal(tmp_path: Path) -> Path:
    """Both inverters of the kind that works at any voltage, both answering."""
    tall = ("    system_v: 48\n    stop_v: 43 # what its display shows as shutdown voltage\n"
            "    start_v: 44\n")  # fmt: skip
    return changed(tmp_path, (tall, "    system_v: 36\n"), ("max_w: 900", "read_status: true"))


def worker_of(story: Story) -> str:
    last = story.site.app.site.last
    assert last is not None
    return max(("tall", "small"), key=lambda name: last[1].units[name])


def why_not(story: Story, name: str) -> WhyNot | None:
    last = story.site.app.site.last
    assert last is not None
    return last[1].work[name].why_not


@pytest.mark.slow
async def test_the_48_v_unit_hands_over_to_the_36_v_unit_and_the_grid_does_not_see_it() -> None:
    async with house(load_w=600.0, soc=0.335, config=PAIR) as story:
        await story.until(60)
        assert worker_of(story) == "tall"
        while worker_of(story) == "tall" and story.now_s < 3600:
            await story.until(story.now_s + 5)
        handed_s = story.now_s
        await story.until(handed_s + 120)
        assert story.site.house.battery_v > 43.1, "before it stops by itself"
        assert why_not(story, "tall") is WhyNot.DC_LOW
        assert story.twin["tall"].ac_w == 0.0
    assert max(abs(m.grid_w) for m in story.between(handed_s - 60, handed_s + 120)) < 60.0
    quiet = story.between(handed_s + 30, handed_s + 120)
    assert abs(sum(m.grid_w for m in quiet) / len(quiet)) < 3.0


async def test_below_the_window_only_the_36_v_unit_is_asked() -> None:
    async with house(load_w=400.0, soc=0.2, config=PAIR) as story:
        await story.until(90)
        assert story.site.house.battery_v < 43.0
        assert story.twin["tall"].demand_w == 0
    assert max(abs(m.grid_w) for m in story.between(60, 90)) < 20.0


async def test_a_lone_unit_that_has_stopped_by_itself_is_left_out_and_not_accused(
    tmp_path: Path,
) -> None:
    """Its display says 43 and 45 V, and it stopped before gridzero began."""
    (kind,) = (line for line in SMALL_DEMO.splitlines() if "system_v: 36" in line)
    file = tmp_path / "house.yaml"
    file.write_text(SMALL_DEMO.replace(kind, "    stop_v: 43\n    start_v: 45"))
    async with house(load_w=600.0, soc=0.45, config=file) as story:
        story.twin["inverter"].stopped_by_itself()
        await story.until(60)
        last = story.site.app.site.last
        assert last is not None
        assert why_not(story, "inverter") is WhyNot.DC_LOW
        assert last[1].because is Because.DC_WINDOW
        assert story.twin["inverter"].demand_w == 0
    assert story.told("inverter_not_following") == []


@pytest.mark.slow
async def test_a_kettle_is_climbed_by_both_and_then_left_to_as_few_as_can() -> None:
    load = steps((0.0, 150.0), (60.0, 800.0))
    async with house(load_w=load, config=PAIR) as story:
        await story.until(300)
        last = story.site.app.site.last
        assert last is not None
        assert sorted(w > 0 for w in last[1].units.values()) == [False, False, True]
    climbed_s = story.first(60.0, lambda m: m.battery_w > 770.0)
    assert climbed_s < 6.5, "one unit alone needs 9 s"
    assert max(abs(m.grid_w) for m in story.between(75, 300)) < 60.0


async def test_an_inverter_that_says_it_gives_nothing_is_replaced(tmp_path: Path) -> None:
    async with house(load_w=500.0, config=equal(tmp_path)) as story:
        await story.until(60)
        dead = worker_of(story)
        story.twin[dead].off_mains = True
        await story.until(120)
        assert worker_of(story) != dead
        assert why_not(story, dead) is WhyNot.FAULT
        told = story.told("inverter_fault")
        assert [e.subject for e in told] == [dead]
    assert story.first(60.0, lambda m: m.grid_w > 400.0) < 1.0
    assert max(abs(m.grid_w) for m in story.between(80, 120)) < 25.0


@pytest.mark.long
async def test_equal_inverters_share_the_hours(tmp_path: Path) -> None:
    on_off = [(100.0 * i, 300.0 if i % 2 == 0 else 0.0) for i in range(8)]
    async with house(load_w=steps(*on_off), soc=0.6, config=equal(tmp_path)) as story:
        await story.until(800)
        last = story.site.app.site.last
        assert last is not None
        work = last[1].work
    assert abs(work["tall"].hours - work["small"].hours) < 0.02
    assert work["tall"].hours > 0.05
    assert work["tall"].starts == work["small"].starts == 2


def two_rectifiers(tmp_path: Path) -> Path:
    second = """  second:
    driver: vertiv_r48
    link: charger
    module: 1
    model: R48-2000e3
    max_w: 1800
  # Of two"""
    limits = "battery:\n  max_charge_a: 100\n\nlinks:"
    return changed(tmp_path, ("  # Of two", second), ("links:", limits))


async def test_two_rectifiers_share_a_large_surplus(tmp_path: Path) -> None:
    config = two_rectifiers(tmp_path)
    async with house(load_w=300.0, sun_w=4200.0, soc=0.4, config=config) as story:
        await story.until(150)
        powers = {n: c.ac_w for n, c in story.site.house.converters.items()}
    assert powers["rectifier"] < -1500.0
    assert powers["second"] < -900.0
    assert max(abs(m.grid_w) for m in story.between(120, 150)) < 60.0


async def test_a_rectifier_that_falls_silent_leaves_its_work_to_the_other(tmp_path: Path) -> None:
    config = two_rectifiers(tmp_path)
    async with house(load_w=300.0, sun_w=1500.0, soc=0.4, config=config) as story:
        await story.until(90)
        units = {u.name: u for u in story.site.app.site.parts.chargers}
        running = next(n for n, u in units.items() if u.state is ConverterState.RUNNING)
        other = "second" if running == "rectifier" else "rectifier"
        twin = story.twin[running]
        twin.silent = True
        await story.until(150)
        assert why_not(story, running) is WhyNot.SILENT
        assert story.site.house.converters[other].ac_w < -900.0
