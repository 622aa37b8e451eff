"""What the whole house counts on its wires, against what really flowed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scenario import SMALL_DEMO, Story, house

from gridzero.domain.energy import Counted
from gridzero.runtime.stores import MemoryStore
from gridzero.sim.sources import Samples

PRICES = "\nprices: {import_ct: 30, export_ct: 8}\n"
COUNTERS = """
    path: power
    import_kwh_path: total.in
    export_kwh_path: total.out
"""
SUN = Samples([0.0, 119.0, 120.0, 400.0], [0.0, 0.0, 2000.0, 2000.0])
"""Two minutes of discharging, then a surplus."""

REPORT_WH = 1500.0 * 2.0 / 3600.0
"""While the rectifier rises, what it last reported stands: at most 2 s of its full power are late."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The demo's house with prices, and a meter that tells its counters."""
    text = SMALL_DEMO.replace("    topic: meterbox/grid\n", f"    topic: meterbox/grid{COUNTERS}")
    assert "total.in" in text
    path = tmp_path / "counted.yaml"
    path.write_text(text + PRICES)
    return path


class Truth:
    """True energy of each side of the converters, Wh, and what was told of it."""

    def __init__(self, story: Story) -> None:
        self.given_wh = self.taken_wh = 0.0
        self.told: list[dict[str, Any]] = []
        self._story, step = story, story.site.bench.step
        link = story.site.links.broker.attach()
        link.subscribe("gridzero/energy", lambda m: self.told.append(json.loads(m.payload)))

        def counted_step() -> None:
            step()
            self._look()

        story.site.bench.step = counted_step  # type: ignore[method-assign]  # to look only

    def _look(self) -> None:
        converters = self._story.site.house.converters
        self.given_wh += converters["inverter"].ac_w * 0.1 / 3600.0
        rectifier = converters["rectifier"]
        if abs(rectifier.dc_a) > 0.2:  # what it draws at rest is the house's
            self.taken_wh -= rectifier.ac_w * 0.1 / 3600.0


async def test_what_is_counted_is_what_flowed(config: Path) -> None:
    async with house(load_w=500.0, sun_w=SUN, config=config) as story:
        truth = Truth(story)
        await story.until(250.0)
        books, counted = replace(story.site.house.books), dict(story.site.app.site.energy.sums)
        given_wh, taken_wh = truth.given_wh, truth.taken_wh
    assert given_wh > 10.0
    assert taken_wh > 30.0
    assert counted[Counted.DISCHARGED] * 1000.0 == pytest.approx(given_wh, rel=0.01)
    assert counted[Counted.CHARGED] * 1000.0 == pytest.approx(taken_wh, abs=REPORT_WH)
    assert counted[Counted.DC_OUT] * 1000.0 == pytest.approx(books.pack_out_wh, rel=0.01)
    assert counted[Counted.DC_IN] * 1000.0 == pytest.approx(books.pack_in_wh, abs=REPORT_WH)
    assert counted[Counted.GRID_IMPORT] * 1000.0 == pytest.approx(books.import_wh, abs=0.15)
    assert counted[Counted.GRID_EXPORT] * 1000.0 == pytest.approx(books.export_wh, abs=0.15)
    assert counted[Counted.HOUSE] * 1000.0 == pytest.approx(500.0 * 120.0 / 3600.0, rel=0.05)
    assert len(truth.told) >= 8
    last = truth.told[-1]
    assert last["savings_ct"] is not None
    assert last["converters"]["inverter"]["starts"] >= 1
    assert last["today"]["starts"] == sum(one["starts"] for one in last["converters"].values())


async def test_what_the_panels_tell_is_shown_and_counted() -> None:
    async with house(load_w=500.0, sun_w=400.0) as story:
        states: list[dict[str, Any]] = []
        person = story.site.links.broker.attach()
        person.subscribe("gridzero/state", lambda m: states.append(json.loads(m.payload)))
        truth = Truth(story)
        await story.until(130.0)
        books = story.site.house.books
    assert states[-1]["pv_w"] == 400.0
    last = truth.told[-1]
    assert last["produced_kwh"] * 1000.0 == pytest.approx(books.pv_wh, abs=1.0)
    assert last["consumed_kwh"] * 1000.0 == pytest.approx(books.load_wh, abs=1.0)
    assert last["today"]["self_consumption_pct"] > 90.0


async def test_a_restart_goes_on_where_it_was(config: Path) -> None:
    store = MemoryStore()
    told: list[dict[str, Any]] = []
    for _ in range(3):
        async with house(load_w=500.0, config=config, energy=store) as story:
            truth = Truth(story)
            await story.until(story.now_s + 65.0)
        assert truth.told[0]["house_kwh"] == (told[-1]["house_kwh"] if told else 0.0)
        told += truth.told
    for key in ("house_kwh", "battery_discharged_kwh", "grid_import_kwh", "known_h"):
        values = [one[key] for one in told]
        assert values == sorted(values)
    assert told[-1]["house_kwh"] == pytest.approx(3 * 0.5 * 60.0 / 3600.0, rel=0.1)
