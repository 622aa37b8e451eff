"""A simulated house whose configuration is read again, and one that went back to its last good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenario import SMALL_DEMO, Story, house

from gridzero.app import App
from gridzero.commands.reload import reload
from gridzero.configured.checked import check_text
from gridzero.configured.reloading import LOOK_S, PAUSE_S, TRIAL_S, Reloader
from gridzero.configured.rollback import Chosen, choose
from gridzero.domain.reasons import Because
from gridzero.outputs.feed import Feed
from gridzero.plugins import find_plugins
from gridzero.runtime.config_keep import ConfigKeep
from gridzero.runtime.exit_codes import ExitCode
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.stores import MemoryStore

FOUND = find_plugins()


class Edited:
    """A running house and its file. ``heard``: what it says of its configuration."""

    def __init__(self, story: Story, file: Path, reloader: Reloader) -> None:
        self.story, self.file, self.reloader = story, file, reloader
        self.app: App = story.site.app

    def edit(self, **sections: Any) -> None:
        values = yaml.safe_load(self.file.read_text())
        for name, section in sections.items():
            values[name] = {**values.get(name, {}), **section} if section else section
            if section is None:
                del values[name]
        self.file.write_text(yaml.safe_dump(values))

    async def reload(self) -> str:
        return await self.reloader.ask()


@asynccontextmanager
async def editable(folder: Path, chosen: Chosen | None = None, **kw: Any) -> AsyncIterator[Edited]:
    file = folder / "house.yaml"
    if not file.exists():
        begun(folder)
    if chosen is None:
        checked = await elsewhere(check_text, file.read_text(), file, FOUND)
        keep = ConfigKeep(folder / "state", file)
        chosen = Chosen(file, checked.text, checked.loaded, keep)
    async with house(
        config=file if chosen.rolled_back is None else folder / "good.yaml", **kw
    ) as s:
        reloader = Reloader(chosen, FOUND, s.site.app, None, elsewhere)
        task = asyncio.create_task(reloader.run())
        try:
            yield Edited(s, file, reloader)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def elsewhere(do: Callable[..., Any], *arguments: Any) -> Any:
    """In another thread, for which simulated time stands still."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do, *arguments).result()


def begun(folder: Path) -> Path:
    values = yaml.safe_load(SMALL_DEMO)
    values["site"]["state_dir"] = str(folder / "state")
    values["prices"] = {"import_ct": 30.0, "export_ct": 8.0}
    file = folder / "house.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


async def test_a_reload_takes_what_is_live_without_a_bump_in_power(tmp_path: Path) -> None:
    async with editable(tmp_path, load_w=600.0) as run:
        await run.story.until(60)
        run.edit(
            control={
                "lease_s": 4.0,
                "protect_period_s": 0.2,
                "meter_lost_s": 12.0,
                "meter_hold_s": 2.0,
                "min_discharge_w": 40.0,
            },
            prices={"import_ct": 31.0},
            site={"name": "Another", "log": {"level": "warning"}},
        )
        said = await run.reload()
        at_s = run.story.now_s
        await run.story.until(90)
        assert "control.lease_s (3 -> 4)" in said
        assert "prices.import_ct (30 -> 31)" in said
        rules = run.app.site.rules
        assert (rules.lease_s, rules.protect_period_s) == (4.0, 0.2)
        assert (rules.tuning.meter_hold_s, rules.tuning.meter_lost_s) == (2.0, 12.0)
        assert run.app.market is not None
        assert run.app.market.prices().import_ct == 31.0
        around = run.story.between(at_s - 15, at_s + 25)
        assert max(m.battery_w for m in around) - min(m.battery_w for m in around) < 60.0
        assert all(abs(m.grid_w) < 60.0 for m in around)
        told = run.reloader.told()
        assert told["waits"] == []
        assert told["file_differs"] is False


async def test_a_new_default_is_followed_at_once_and_a_persons_value_stays(tmp_path: Path) -> None:
    async with editable(tmp_path, load_w=600.0) as run:
        await run.story.until(40)
        run.app.site.settings.change(peak_w=3000.0)
        run.edit(control={"target_w": 100.0})
        await run.reload()
        await run.story.until(80)
        wanted = run.app.site.settings.wanted
        assert (wanted.target_w, wanted.peak_w) == (100.0, 3000.0)
        assert abs(run.story.at(80).grid_w - 100.0) < 30.0


async def test_what_needs_a_restart_is_said_key_by_key_and_not_done(tmp_path: Path) -> None:
    async with editable(tmp_path) as run:
        await run.story.until(20)
        before = run.app.site.battery, run.app.site.rules.ratings
        run.edit(battery={"max_charge_a": 20.0}, control={"target_w": 30.0}, alerts={})
        said = await run.reload()
        assert "taken: control.target_w (0 -> 30)" in said
        assert "waits for a restart: battery.max_charge_a (50 -> 20), alerts (added)" in said
        assert (run.app.site.battery, run.app.site.rules.ratings) == before
        assert run.reloader.told()["waits"] == ["battery.max_charge_a", "alerts"]
        assert run.reloader.told()["file_differs"] is True
        run.edit(battery={"max_charge_a": 50.0}, alerts=None)
        assert await run.reload() == "nothing differs"
        assert run.reloader.told()["waits"] == []


async def test_a_storm_of_reloads_reads_the_file_now_and_then(tmp_path: Path) -> None:
    async with editable(tmp_path) as edited:
        clock, refused, begun_s = edited.app.clock, 0, edited.app.clock.now_s()
        answers: list[str] = []

        async def ask() -> None:
            nonlocal refused
            try:
                answers.append(await edited.reload())
            except SettingRefused:
                refused += 1

        asked = []
        while clock.now_s() < begun_s + 12.0:
            asked.append(asyncio.create_task(ask()))
            await clock.sleep_s(0.1)
        await asyncio.gather(*asked)
        assert len(answers) <= 12.0 / PAUSE_S + 1
        assert refused + len(answers) == len(asked)
        assert answers.count("nothing differs") == len(answers) >= 5


async def test_whoever_edits_a_copy_of_the_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with editable(tmp_path) as edited:
        feed = Feed(edited.app.links.mqtt(), edited.app.clock, "gridzero")
        await edited.story.until(5)
        copy = tmp_path / "copy.yaml"
        copy.write_text(edited.file.read_text())
        assert await reload(feed, copy, restart=False) == ExitCode.ASKED
        copy.write_text(copy.read_text().replace("max_charge_a: 50", "max_charge_a: 10") + "\n#")
        assert await reload(feed, copy, restart=False) == ExitCode.FINDINGS
        assert f"gridzero reads {edited.file}, and that is not what" in capsys.readouterr().out


async def test_what_is_said_of_many_changes_is_short(tmp_path: Path) -> None:
    async with editable(tmp_path) as edited:
        edited.edit(links={f"more{n}": {"type": "serial", "port": f"/dev/x{n}"} for n in range(40)})
        said = await edited.reload()
        assert said.endswith("and 32 more")
        assert len(edited.reloader.told()["waits"]) == 40


async def test_a_bad_file_changes_nothing_and_is_told_with_its_lines(tmp_path: Path) -> None:
    async with editable(tmp_path) as run:
        await run.story.until(20)
        run.edit(control={"target_w": 50.0, "lease_s": 99.0, "leese": 1})
        with pytest.raises(SettingRefused, match=r"nothing was changed.*lease_s.*gridzero check"):
            await run.reload()
        assert run.app.site.settings.wanted.target_w == 0.0
        run.edit(battery={"overrides": {"no_such": 1.0}})
        run.file.write_text("site: [")
        with pytest.raises(SettingRefused, match="nothing was changed"):
            await run.reload()
        run.file.unlink()
        with pytest.raises(SettingRefused, match="cannot be read"):
            await run.reload()


LIVE_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "target_w": st.sampled_from([0.0, 40.0]),
        "meter_lost_s": st.sampled_from([8.0, 20.0]),
        "lease_s": st.sampled_from([2.0, 5.0]),
        "min_discharge_w": st.sampled_from([30.0, 60.0]),
        "target_topic": st.sampled_from(["a/b", "c/d"]),
    },
)
SPOILT = st.sampled_from(
    [
        {},
        {"control": {"lease_s": 0.0}},
        {"control": {"meter_hold_s": 20.0}},
        {"battery": {"overrides": {"nothing": 1.0}}},
        {"links": {"x": {"type": "can"}}},
        {"nonsense": {"a": 1}},
    ]
)


@pytest.mark.slow
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(live=LIVE_CHANGES, spoilt=SPOILT)
async def test_a_reload_is_all_or_nothing(
    tmp_path: Path, live: dict[str, Any], spoilt: dict[str, Any]
) -> None:
    begun(tmp_path)
    async with editable(tmp_path) as run:
        await run.story.until(3)
        before = _state_of(run.app)
        sections: dict[str, Any] = {"control": dict(live)}
        for name, section in spoilt.items():
            sections[name] = {**sections.get(name, {}), **section}
        run.edit(**sections)
        if spoilt:
            with pytest.raises(SettingRefused, match="nothing was changed"):
                await run.reload()
            assert _state_of(run.app) == before
        else:
            await run.reload()
            rules = run.app.site.rules
            assert run.app.site.settings.wanted.target_w == live.get("target_w", 0.0)
            assert rules.lease_s == live.get("lease_s", 3.0)
            assert rules.tuning.meter_lost_s == live.get("meter_lost_s", 10.0)
            assert rules.tuning.min_discharge_w == live.get("min_discharge_w", 30.0)


def _state_of(app: App) -> tuple[Any, ...]:
    return app.site.rules, app.site.settings.wanted, app.site.production, app.site.settings.default


async def test_topics_may_be_exchanged_and_the_old_ones_count_no_more(tmp_path: Path) -> None:
    async with editable(tmp_path) as run:
        run.edit(production={"topic": "pv/one"}, prices={"import_topic": "price/one"})
        await run.reload()
        run.edit(production={"topic": "pv/two"}, prices={"import_topic": "price/two"})
        await run.reload()
        await run.story.until(5)
        link = run.story.site.links.mqtt()
        for topic, text in (("pv/one", "700"), ("price/one", "70")):
            link.publish(topic, text)
        await run.story.until(7)
        production, market = run.app.site.production, run.app.market
        assert production is not None
        assert market is not None
        assert production.power_w() is None
        assert market.prices().import_ct == 30.0
        for topic, text in (("pv/two", "700"), ("price/two", "70")):
            link.publish(topic, text)
        await run.story.until(9)
        assert production.power_w() == 700.0
        assert market.prices().import_ct == 70.0
        run.edit(production=None)
        await run.reload()
        assert run.app.site.production is None


@pytest.mark.slow
async def test_a_configuration_proves_itself_by_commands_that_leave(tmp_path: Path) -> None:
    async with editable(tmp_path, load_w=300.0) as run:
        keep = ConfigKeep(tmp_path / "state", run.file)
        await run.story.until(TRIAL_S - LOOK_S)
        assert keep.good() is None
        await run.story.until(TRIAL_S + 3 * LOOK_S)
        good = keep.good()
        assert good is not None
        assert good.text == run.file.read_text()
        assert run.reloader.told()["is_good"] is True


@pytest.mark.slow
async def test_a_pulled_cable_proves_nothing(tmp_path: Path) -> None:
    async with editable(tmp_path, load_w=300.0) as run:
        await run.story.until(20)
        run.story.site.links.can_bus("charger").plugged = False
        await run.story.until(TRIAL_S + 3 * LOOK_S)
        assert ConfigKeep(tmp_path / "state", run.file).good() is None


async def gone_back(folder: Path, **broken: Any) -> Chosen:
    """A house whose file was spoilt after it had proved itself."""
    file = begun(folder)
    ConfigKeep(folder / "state", file).save_good(file.read_text())
    (folder / "good.yaml").write_text(file.read_text())
    values = yaml.safe_load(file.read_text())
    for name, section in broken.items():
        values[name] = {**values.get(name, {}), **section}
    file.write_text(yaml.safe_dump(values))
    return await elsewhere(choose, file, FOUND)


async def test_a_mistake_that_bears_on_no_power_goes_back_and_works_on(tmp_path: Path) -> None:
    chosen = await gone_back(tmp_path, alerts={"leest": "fault"})
    async with editable(tmp_path, chosen, load_w=600.0) as run:
        await run.story.until(60)
        assert run.story.at(60).battery_w > 500.0
        codes = {fault.code: fault.text for fault in run.app.faults.active}
        assert "alerts.leest" in codes["config_rolled_back"]
        assert "limits_rolled_back" not in codes
        run.edit(alerts={"least": "fault"})
        run.file.write_text(run.file.read_text().replace("leest: fault\n", "remind_h: 12\n"))
        assert "alerts (added)" in await run.reload()
        assert not run.app.faults.stands("config_rolled_back")
        assert run.reloader.told()["rolled_back"] is None


async def test_a_mistake_near_limits_rests_until_a_person_agrees(tmp_path: Path) -> None:
    """The owner may have wanted less: the old limits must not come back unasked."""
    chosen = await gone_back(tmp_path, battery={"max_charge_a": 5.0, "max_discharg_a": 5.0})
    latched = MemoryStore()
    async with editable(tmp_path, chosen, load_w=600.0, latched=latched) as run:
        await run.story.until(60)
        assert {m.set_w for m in run.story.between(1, 60)} == {0.0}
        assert run.story.at(60).because is Because.FAULT_LATCHED
        assert run.app.faults.acknowledge("limits_rolled_back")
        await run.story.until(120)
        assert run.story.at(120).battery_w > 500.0
        assert run.app.faults.stands("config_rolled_back")
    again = await elsewhere(choose, tmp_path / "house.yaml", FOUND)
    assert again.rolled_back is not None
    assert not again.rolled_back.rests, "the person has agreed to this very file"


async def test_a_good_file_ends_the_rest(tmp_path: Path) -> None:
    chosen = await gone_back(tmp_path, control={"target_ww": 5.0})
    async with editable(tmp_path, chosen, load_w=600.0) as run:
        await run.story.until(20)
        assert run.app.faults.stands("limits_rolled_back")
        run.file.write_text(run.file.read_text().replace("target_ww: 5.0", "target_w: 5.0"))
        await run.reload()
        assert not run.app.faults.stands("limits_rolled_back")
        await run.story.until(80)
        assert run.story.at(80).battery_w > 500.0
        assert json.dumps(run.reloader.told())
