"""The live score against the truth of the simulated house, bytes and all.

The meter of the demo speaks every half second and rounds to watts; the twins' powers are the truth.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from scenario import Story, house

from gridzero.control.score import HOUR_MIN
from gridzero.control.score_figures import Figures
from gridzero.domain.causes import Cause
from gridzero.sim.sources import Samples, steps


def score(story: Story) -> Figures:
    found = story.site.app.site.score.figures(HOUR_MIN)
    assert sum(found.causes_ws.values()) == pytest.approx(found.error_ws)
    return found


def kettle(low_w: float, high_w: float, every_s: float = 45.0) -> Samples:
    times_s = [every_s * n for n in range(40)]
    return Samples(times_s, [high_w if n % 2 else low_w for n in range(40)])


@pytest.mark.slow
async def test_figures_agree_with_the_truth_while_a_load_comes_and_goes() -> None:
    async with house(load_w=kettle(200.0, 600.0)) as story:
        await story.until(900)
        found, books = score(story), story.site.house.books
        moments = story.between(0, 900)
    assert found.known_s == pytest.approx(900, abs=3)
    assert found.mean_w == pytest.approx(books.mean_avoidable_w, rel=0.08)
    assert found.rms_w == pytest.approx(books.rms_grid_w, rel=0.08)
    assert found.total_import_wh == pytest.approx(books.import_wh, rel=0.1)
    assert found.total_export_wh == pytest.approx(books.export_wh, abs=0.5)
    assert found.starts == sum(books.starts.values())
    assert found.travel_kw_h is not None
    way_w = sum(abs(b.battery_w - a.battery_w) for a, b in pairwise(moments))
    assert found.travel_kw_h == pytest.approx(way_w / 1000 / 0.25, rel=0.1)
    explained_ws = found.causes_ws[Cause.DEAD_TIME] + found.causes_ws[Cause.SLEW]
    assert explained_ws > 0.8 * found.error_ws
    assert found.causes_ws.get(Cause.UNEXPLAINED, 0.0) < 0.02 * found.error_ws


@pytest.mark.long
async def test_settling_times_are_those_of_the_true_grid() -> None:
    async with house(load_w=kettle(200.0, 600.0)) as story:
        await story.until(585)
        found = score(story)
    true_s = [_settled(story, 45.0 * n, 45.0) for n in range(1, 12)]
    assert found.steps == len(true_s) + 1
    assert found.unsettled == 0
    assert found.settle_s == pytest.approx(sum(true_s) / len(true_s), abs=0.7)
    assert found.settle_max_s == pytest.approx(max(true_s), abs=1.2)


async def test_what_the_inverter_cannot_give_is_no_bad_regulation() -> None:
    async with house(load_w=steps((0.0, 1500.0))) as story:
        await story.until(300)
        found, books = score(story), story.site.house.books
    beyond_ws = found.causes_ws[Cause.INVERTER_MAXIMUM]
    assert beyond_ws == pytest.approx(sum(_beyond(story)), rel=0.05)
    assert found.limited_s > 280
    assert found.mean_w is not None
    assert found.mean_w < 20.0
    assert books.mean_abs_grid_w is not None
    assert books.mean_abs_grid_w > 600.0


async def test_a_charger_that_starts_and_a_rest_between_directions_are_named() -> None:
    async with house(load_w=300.0, sun_w=steps((0.0, 0.0), (60.0, 1500.0), (150.0, 0.0))) as story:
        await story.until(240)
        found = score(story)
    starting_s = sum(0.1 for m in story.between(62, 80) if m.set_w < -100 and m.charger_w > -150)
    assert found.causes_ws[Cause.STARTING] / 1150 == pytest.approx(starting_s, abs=2.0)
    assert found.causes_ws[Cause.STARTING] > 0.4 * found.error_ws
    assert Cause.ZERO_CROSS_HOLD in found.causes_ws
    assert found.causes_ws.get(Cause.UNEXPLAINED, 0.0) < 0.03 * found.error_ws


async def test_a_silent_meter_is_unknown_time_and_what_it_leaves_is_its_own() -> None:
    async with house(load_w=500.0) as story:
        await story.until(60)
        before = score(story)
        story.twin["meter"].silent = True
        await story.until(90)
        story.twin["meter"].silent = False
        await story.until(120)
        after = score(story)
    assert before.unknown_s < 2.0
    assert after.unknown_s - before.unknown_s == pytest.approx(30.0 - 1.5, abs=1.0)
    true_ws = sum(abs(m.grid_w) * 0.1 for m in story.between(89, 110))
    assert after.causes_ws[Cause.STALE_METER] == pytest.approx(true_ws, rel=0.15), (
        "the first reading stands for the second and a half before it"
    )
    assert after.known_s + after.unknown_s == pytest.approx(120, abs=2.0)


async def test_a_mode_is_counted_as_a_mode() -> None:
    async with house(load_w=500.0) as story:
        await story.until(60)
        story.site.app.site.settings.change(mode="hold")
        await story.until(120)
        story.site.app.site.settings.change(mode="auto")
        await story.until(150)
        found = score(story)
    assert found.auto == pytest.approx(90 / 150, abs=0.01)
    assert found.causes_ws[Cause.MODE] == pytest.approx(500 * 61, rel=0.08)
    assert found.mean_w is not None
    assert found.mean_w < 60.0


async def test_an_empty_battery_is_the_cells_and_not_the_law() -> None:
    async with house(load_w=500.0, soc=0.0) as story:
        await story.until(120)
        found = score(story)
    assert found.causes_ws[Cause.CELL_EMPTY] > 0.9 * found.error_ws
    assert found.mean_w is not None
    assert found.mean_w < 5.0
    assert found.limited_wh > 0.9 * found.total_import_wh


async def test_a_steady_load_shows_the_stationary_deviation() -> None:
    async with house(load_w=420.0) as story:
        await story.until(240)
        found = score(story)
    true_w = [abs(m.grid_w) for m in story.between(60, 240)]
    assert found.still_w == pytest.approx(sum(true_w) / len(true_w), abs=2.0), "and the meter's own"
    assert found.causes_ws.get(Cause.UNEXPLAINED, 0.0) < 200.0


async def test_the_score_is_published_each_minute_and_its_headline_each_second() -> None:
    async with house(load_w=kettle(200.0, 600.0)) as story:
        person = story.site.links.broker.attach()
        scores, states = _heard(person.subscribe, "score"), _heard(person.subscribe, "state")
        await story.until(200)
        await asyncio.sleep(0.01)
    assert len(scores) == 3
    hour, day = scores[-1]["hour"], scores[-1]["day"]
    assert hour == day, "three minutes after the start"
    assert hour["known_s"] == pytest.approx(180, abs=3)
    assert sum(hour["causes_ws"].values()) == pytest.approx(hour["error_ws"], abs=10)
    assert list(hour["causes_ws"].values()) == sorted(hour["causes_ws"].values(), reverse=True)
    assert (scores[-1]["import_ct"], scores[-1]["export_ct"]) == (30.0, 8.0)
    headline = states[-1]["score"]
    assert headline["worst_cause"] in hour["causes_ws"]
    assert headline["mean_w"] == pytest.approx(hour["mean_w"], rel=0.3)
    assert len(json.dumps(headline)) < 200


def _heard(subscribe: Callable[..., None], what: str) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    subscribe(f"gridzero/{what}", lambda message: heard.append(json.loads(message.payload)))
    return heard


def _settled(story: Story, at_s: float, every_s: float) -> float:
    """Seconds until the true grid power stays within 25 W."""
    late = [m.at_s for m in story.between(at_s, at_s + every_s - 1) if abs(m.grid_w) >= 25.0]
    return max(late) - at_s


def _beyond(story: Story) -> list[float]:
    """W s of each step of the house that 900 W do not cover, after the first seconds."""
    return [(1500.0 - 900.0) * 0.1 for m in story.moments if m.at_s > 5.0]
