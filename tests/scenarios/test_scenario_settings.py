"""What each setting does to a whole house on its wires, and what the house says of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from scenario import SMALL_DEMO, Moment, Story, house

from gridzero.domain.modes import Mode
from gridzero.domain.reasons import Because
from gridzero.ports.links import MqttLink
from gridzero.runtime.stores import MemoryStore
from gridzero.sim.sources import Constant

PRICES = "\nprices: {import_ct: 30, export_ct: 8, stored_topic: plan/stored}\n"


class Person:
    """Somebody at the broker."""

    def __init__(self, story: Story) -> None:
        self._story, self._number = story, 0
        self.link: MqttLink = story.site.links.broker.attach()
        self.answers: dict[str, dict[str, Any]] = {}
        self.link.subscribe("gridzero/answer", self._hear)

    def _hear(self, message: Any) -> None:
        answer = json.loads(message.payload)
        self.answers[answer["id"]] = answer

    async def ask(self, what: str, value: object = "") -> tuple[bool, str]:
        self._number += 1
        number = str(self._number)
        wish = {"id": number, "what": what, "value": value, "by": "test"}
        self.link.publish("gridzero/ask", json.dumps(wish))
        await asyncio.sleep(0.05)
        answer = self.answers[number]
        return answer["ok"], answer["text"]

    async def set(self, what: str, value: object, wait_s: float = 15.0) -> Moment:
        """Change a setting; returns what the house does a while later."""
        ok, text = await self.ask(what, value)
        assert ok, text
        await asyncio.sleep(wait_s)
        return self._story.moments[-1]


async def test_every_bound_on_discharging_acts_on_the_inverters_and_says_so() -> None:
    async with house(load_w=400.0) as story:
        person = Person(story)
        await story.until(20)
        assert story.at(20).battery_w == pytest.approx(400, abs=15)
        for key, value, usual, because in (
            ("allow_discharge", "off", "on", Because.DISCHARGE_NOT_ALLOWED),
            ("ev_hold", "on", "off", Because.EV_HOLD),
            ("min_soc_pct", 60, 0, Because.MIN_SOC),
            ("reserve_soc_pct", 60, 0, Because.RESERVE_SOC),
            ("maintenance", "on", "off", Because.MAINTENANCE),
        ):
            held = await person.set(key, value, 6.0)
            assert held.because is because, key
            assert held.battery_w == pytest.approx(0, abs=6), key
            freed = await person.set(key, usual, 10.0)
            assert freed.battery_w == pytest.approx(400, abs=15), key
        capped = await person.set("max_discharge_w", 250)
        assert capped.because is Because.MAX_DISCHARGE
        assert capped.battery_w == pytest.approx(250, abs=5)
        freed = await person.set("max_discharge_w", 860)
        assert freed.battery_w == pytest.approx(400, abs=15)
        guarded = await person.set("export_guard_w", 60)
        assert guarded.grid_w == pytest.approx(60, abs=8)
        person.link.publish("gridzero/power_w/set", "300")
        await person.set("reserve_soc_pct", 60, 1.0)
        used = await person.set("mode", "discharge", 8.0)
        assert used.battery_w == pytest.approx(300, abs=10), "a person may use the reserve"
        assert (await person.set("automatic", "off", 2.0)).because is Because.MODE_HOLD


async def test_every_bound_on_charging_acts_on_the_charger_and_says_so() -> None:
    async with house(load_w=200.0, sun_w=1600.0) as story:
        person = Person(story)
        await story.until(60)
        assert story.at(60).charger_w == pytest.approx(-1400, abs=40)
        capped = await person.set("max_charge_w", 600)
        assert capped.because is Because.MAX_CHARGE
        assert capped.charger_w == pytest.approx(-600, abs=30)
        for key, value, usual, because in (
            ("allow_charge", "off", "on", Because.CHARGE_NOT_ALLOWED),
            ("max_soc_pct", 40, 100, Because.MAX_SOC),
        ):
            held = await person.set(key, value)
            assert held.because is because, key
            assert held.charger_w == pytest.approx(0, abs=6), key
            freed = await person.set(key, usual, 40.0)
            assert freed.charger_w == pytest.approx(-600, abs=30), key
        held = await person.set("max_soc_pct", 40)
        assert held.because is Because.MAX_SOC
        ok, text = await person.ask("full_charge", "start")
        assert ok, text
        await asyncio.sleep(40)
        full = story.moments[-1]
        assert full.charger_w == pytest.approx(-600, abs=30), "within the cap, beyond the bound"
        assert (await person.ask("full_charge", "stop"))[0]
        await asyncio.sleep(8)
        assert story.moments[-1].because is Because.MAX_SOC


async def test_nothing_is_bought_where_that_is_not_allowed() -> None:
    async with house(load_w=300.0, sun_w=100.0) as story:
        person = Person(story)
        await story.until(5)
        await person.set("allow_grid_charge", "off", 1.0)
        await person.set("power_w", 800, 1.0)
        held = await person.set("mode", "charge", 40.0)
        assert held.because is Because.GRID_CHARGE_NOT_ALLOWED
        assert held.charger_w == pytest.approx(0, abs=6)
        await person.set("mode", "auto", 1.0)
        assert (await person.ask("full_charge", "start"))[0]
        await asyncio.sleep(20)
        full = story.moments[-1]
        assert full.because is Because.GRID_CHARGE_NOT_ALLOWED
        assert full.battery_w == pytest.approx(0, abs=6)
        bought = await person.set("allow_grid_charge", "on", 40.0)
        assert bought.because is Because.CURRENT_LIMIT, "with all that the battery bears"
        assert bought.charger_w < -1000
        await person.set("maintenance", "on", 3.0)
        assert story.site.app.site.full_charge.is_on is False


async def test_power_rises_along_the_ramp_and_falls_at_once() -> None:
    async with house(load_w=20.0) as story:
        person = Person(story)
        await person.set("ramp_w_per_s", 20, 10.0)
        begun_s, story.site.house.load = story.now_s, Constant(600.0)
        await story.until(begun_s + 60)
        rising = [m for m in story.between(begun_s, begun_s + 28) if m.because is Because.RAMP]
        assert len(rising) > 50
        for moment in rising:
            assert moment.set_w <= 20.0 * (moment.at_s - begun_s) + 30.0
        settled = story.between(begun_s + 45, begun_s + 60)
        assert all(abs(m.grid_w) < 15 for m in settled), "and it does not swing"
        story.site.house.load = Constant(20.0)
        await story.until(begun_s + 65)
        assert story.at(begun_s + 63).battery_w < 60


async def test_only_what_exceeds_the_peak_is_shaved() -> None:
    async with house(load_w=1000.0) as story:
        person = Person(story)
        await person.set("peak_w", 700, 1.0)
        shaved = await person.set("strategy", "peak_shave", 20.0)
        assert shaved.because is Because.PEAK_SHAVING
        assert shaved.battery_w == pytest.approx(300, abs=15)
        assert shaved.grid_w == pytest.approx(700, abs=15)
        below = await person.set("peak_w", 1500, 10.0)
        assert below.because is Because.BELOW_PEAK
        assert below.battery_w == pytest.approx(0, abs=6)
        filled = await person.set("reserve_soc_pct", 60, 330.0)
        assert filled.because is Because.PEAK_RESERVE
        assert filled.charger_w == pytest.approx(-250, abs=40), "half of what is left"


async def test_prices_decide_what_stored_energy_is_for(tmp_path: Path) -> None:
    config = tmp_path / "priced.yaml"
    config.write_text(SMALL_DEMO + PRICES)
    async with house(load_w=400.0, config=config) as story:
        person = Person(story)
        unknown = await person.set("strategy", "tariff", 20.0)
        assert unknown.because is Because.COVERING_LOAD, "as self_use"
        assert (await _state(story))["plan"] == "tariff_unknown"
        person.link.publish("plan/stored", "35")
        await asyncio.sleep(5)
        assert story.moments[-1].because is Because.TARIFF_WAITS
        assert story.moments[-1].battery_w == pytest.approx(0, abs=6)
        person.link.publish("plan/stored", "60")
        await asyncio.sleep(40)
        assert (await _state(story))["plan"] == "tariff_buys"
        assert story.moments[-1].charger_w < -1000
        person.link.publish("plan/stored", "20")
        await asyncio.sleep(15)
        assert story.moments[-1].battery_w == pytest.approx(400, abs=20)


async def test_without_prices_the_tariff_is_refused_and_all_stays() -> None:
    async with house() as story:
        person = Person(story)
        await story.until(3)
        before = story.site.app.site.settings.wanted
        for what, value in (
            ("strategy", "tariff"),
            ("strategy", "greed"),
            ("min_soc_pct", 100),
            ("max_charge_w", 999_999),
            ("ramp_w_per_s", "nan"),
            ("ev_hold", "perhaps"),
            ("override_until", "soon"),
            ("override_until", "2001-01-01"),
            ("soc_full", ""),
            ("clear_full", ""),
            ("full_charge", "now"),
        ):
            ok, text = await person.ask(what, value)
            assert not ok, (what, value)
            assert len(text) > 10
            await asyncio.sleep(1.0)
        assert story.site.app.site.settings.wanted == before
    assert len(story.told("setting_refused", active=False)) >= 10


async def test_an_override_ends_by_itself_also_after_a_restart() -> None:
    store = MemoryStore()
    async with house(load_w=400.0, settings=store) as story:
        settings, person = story.site.app.site.settings, Person(story)
        settings.utc_s = lambda: 1.8e9 + story.now_s
        await person.set("mode", "hold", 1.0)
        await person.set("override_note", "the meter is being changed", 1.0)
        await person.set("override_until", "2027-01-15T08:01:00Z", 1.0)
        assert settings.wanted.mode is Mode.HOLD
    async with house(load_w=400.0, settings=store) as story:
        settings = story.site.app.site.settings
        assert settings.wanted.override_until == "2027-01-15T08:01:00Z"
        settings.utc_s = lambda: 1.8e9 + 50.0 + story.now_s
        await story.until(5)
        assert story.at(5).because is Because.MODE_HOLD
        await story.until(30)
        assert story.at(30).battery_w == pytest.approx(400, abs=15)
    assert settings.wanted.override_note == ""


async def test_a_full_battery_is_told_so_and_charged_again_when_asked(
    tmp_path: Path,
) -> None:
    config = tmp_path / "unbalanced.yaml"  # cells that are bled count as higher than they read
    config.write_text(SMALL_DEMO + "\nbattery: {balancing: false}\n")
    async with house(load_w=200.0, sun_w=1500.0, soc=0.86, config=config) as story:
        person = Person(story)
        await story.until(5)
        assert (await person.ask("full_charge", "start"))[0]
        await story.until(240)
        site = story.site.app.site
        assert site.full_charge.is_on is False, "it ends when the battery is full"
        ok, text = await person.ask("full_charge", "start")
        assert (ok, "full" in text) == (False, True)
        assert (await person.ask("soc_full"))[0]
        assert not (await person.ask("clear_full"))[0], "its highest cell is still full"
        story.site.house.sun, story.site.house.load = Constant(0.0), Constant(800.0)
        await story.until(300)
        story.site.house.sun = Constant(2000.0)
        await story.until(330)
        assert story.at(330).because is Because.CELL_FULL, "it waits until the cells come down"
        ok, text = await person.ask("clear_full")
        assert ok, text
        await story.until(335)
        assert site.last[1].charge_because is not Because.CELL_FULL  # type: ignore[index]  # it ticked
        assert await _battery(story) == (0.0, False)


async def test_the_count_can_begin_anew_and_the_shunt_be_turned_at_rest() -> None:
    async with house(load_w=400.0) as story:
        site, person = story.site.app.site, Person(story)
        await story.until(20)
        ok, text = await person.ask("flip_shunt")
        assert not ok
        assert "converter" in text
        await person.set("mode", "hold", 20.0)
        before_a = site.last[0].shunt.current_a  # type: ignore[index,union-attr]  # it ticked
        assert (await person.ask("flip_shunt"))[0]
        await asyncio.sleep(2)
        after_a = site.last[0].shunt.current_a  # type: ignore[index,union-attr]
        assert after_a == pytest.approx(-before_a, abs=0.3)
        assert (await person.ask("flip_shunt"))[0]
        charge = site.last[0].condition.charge  # type: ignore[index]
        assert charge is not None
        assert (await person.ask("soc_from_voltage"))[0]
        await asyncio.sleep(3)
        again = site.last[0].condition.charge  # type: ignore[index]
        assert again is not None
        assert again.soc == pytest.approx(charge.soc, abs=0.1)


async def _battery(story: Story) -> tuple[float, bool]:
    """Whole hours since it was full, and whether a full charge is due."""
    charge = (await _state(story, "battery", 11.0))["charge"]
    return charge["full_ago_h"] // 1, charge["full_charge_due"]


async def _state(story: Story, topic: str = "state", wait_s: float = 1.5) -> dict[str, Any]:
    heard: list[bytes] = []
    link = story.site.links.broker.attach()
    link.subscribe(f"gridzero/{topic}", lambda message: heard.append(message.payload))
    await asyncio.sleep(wait_s)
    found: dict[str, Any] = json.loads(heard[-1])
    return found
