"""Readings that lie, through bytes and drivers of the reference house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scenario import Story, house

from gridzero.domain.decision import Decision
from gridzero.domain.snapshot import Snapshot
from gridzero.domain.trust import Blame, Oddity, Trust
from gridzero_drivers.ads1115_shunt.twin import ShuntTwin
from gridzero_drivers.vw_gte.twin import GteBusTwin

REFERENCE = Path(__file__).parents[2] / "configs" / "reference-house.yaml"


@dataclass
class Watched:
    """A running house and what is believed in it at each tick."""

    story: Story
    seen: list[tuple[float, Trust]] = field(default_factory=list)

    def look(self, now: Snapshot, _decision: Decision) -> None:
        self.seen.append((now.now_s, now.condition.trust))

    @property
    def trust(self) -> Trust:
        return self.seen[-1][1]

    def bus(self, key: str) -> GteBusTwin:
        ends: Any = self.story.site.twins["battery"].can
        return ends[f"battery_{key}"]  # type: ignore[no-any-return]  # as the configuration says

    @property
    def shunt(self) -> ShuntTwin:
        return self.story.twin["shunt"]  # type: ignore[no-any-return]  # as the configuration says

    def excused(self) -> set[str]:
        return {
            name
            for _, trust in self.seen
            for name, doubt in trust.cells.items()
            if doubt.blame is Blame.SENSOR
        }


@asynccontextmanager
async def watched(load_w: float = 600.0, **given: Any) -> AsyncIterator[Watched]:
    async with house(load_w=load_w, config=REFERENCE, **given) as story:
        seen = Watched(story)
        story.site.app.site.on_decision(seen.look)
        yield seen


async def test_the_picture_of_the_reference_house_is_a_sensor_fault_within_ten_seconds() -> None:
    async with watched(soc=0.4) as seen:
        seen.bus("a").misread[3, 5] = 2.58
        await seen.story.until(30)
        truth_v = seen.story.site.house.cell_v("a3")[4]
    whole = next(at_s for at_s, trust in seen.seen if trust.common_v is not None)
    first = next(at_s for at_s, trust in seen.seen if trust.misread("a3", 5))
    assert first - whole < 10.0
    assert all(trust.misread("a3", 5) for at_s, trust in seen.seen if at_s >= first)
    assert seen.excused() == {"a3.5"}
    doubt = seen.trust.cells["a3.5"]
    assert doubt.reading_v == 2.58
    assert doubt.estimate_v == pytest.approx(truth_v, abs=doubt.within_v)
    assert seen.trust.common_v == pytest.approx(43.7, abs=0.4)


async def test_a_true_low_cell_of_the_reference_house_is_never_excused() -> None:
    async with watched(soc=0.4) as seen:
        await seen.story.until(30)
        seen.story.site.house.pack.set_cell_soc("a3", 5, -0.09)
        await seen.story.until(60)
        assert 2.4 < seen.story.site.house.cell_v("a3")[4] < 2.8
    assert seen.excused() == set()
    assert seen.trust.cells["a3.5"].blame is Blame.CELL
    assert seen.story.first(30.0, lambda m: m.set_w == 0.0) < 2.5
    assert "a3.5" in seen.story.told("cell_under")[0].text


async def test_a_healthy_house_is_believed() -> None:
    async with watched() as seen:
        await seen.story.until(120)
    assert all(
        not (t.cells or t.apart or t.frozen or t.odd_temps or t.shunt_sign_wrong or t.shunt_stuck)
        for _, t in seen.seen
    )


async def test_exchanged_sense_wires_are_named_through_the_driver() -> None:
    async with watched() as seen:
        seen.bus("b").swapped.add((2, 4))
        await seen.story.until(20)
    assert set(seen.trust.cells) == {"b2.4", "b2.5", "b2.6"}
    assert {doubt.oddity for doubt in seen.trust.cells.values()} == {Oddity.SWAPPED}
    assert seen.excused() == set()


async def test_a_jumping_cell_is_named_through_the_driver() -> None:
    async with watched() as seen:
        seen.bus("b").jumping[2, 4] = -0.3
        await seen.story.until(20)
    assert {d.name: d.oddity for d in seen.trust.cells.values()} == {"b2.4": Oddity.JUMPING}


async def test_a_shunt_with_exchanged_wires_is_noticed_while_it_matters() -> None:
    async with watched() as seen:
        await seen.story.until(5)
        seen.shunt.reversed = True
        await seen.story.until(60)
        assert seen.trust.shunt_sign_wrong


async def test_a_shunt_that_was_reversed_for_a_minute_does_not_stop_the_house_for_ever() -> None:
    async with watched() as seen:
        await seen.story.until(30)
        seen.shunt.reversed = True
        await seen.story.until(90)
        seen.shunt.reversed = False
        assert seen.trust.shunt_sign_wrong
        await seen.story.until(240)
        assert not seen.trust.shunt_sign_wrong
        assert not seen.story.site.app.faults.stands("shunt_sign")
    assert all(abs(moment.grid_w) < 50.0 for moment in seen.story.between(220, 240))


async def test_the_shunt_offset_of_a_resting_house_is_learned() -> None:
    async with watched(load_w=0.0) as seen:
        seen.shunt.extra_a = 0.3
        await seen.story.until(180)
        truth_a = seen.story.site.house.battery_a
    assert seen.trust.shunt_offset_a == pytest.approx(truth_a + 0.3, abs=0.05)
