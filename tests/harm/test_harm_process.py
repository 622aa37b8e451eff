"""The process dies, hangs or forgets: what the devices do then, by their own time-outs."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from harm_catalogue import TROUBLES
from harm_draw import Dice
from harm_play import Plan, Turn, Verdict, play
from harm_truth import CHARGES_A, DISCHARGES_A, FEEDS_S, INVERTER_FORGETS_S, RECTIFIER_FORGETS_S
from harm_world import Start, World, living

from gridzero.domain.modes import Mode
from gridzero.runtime.stores import FileStore

pytestmark = pytest.mark.slow

CHARGING = {"load_w": 200.0, "sun_w": 1300.0}
DISCHARGING = {"load_w": 600.0}
AT_S = 36.0
_FADES_S = 1.5
MAX_V = 49.2


class AtOnce(FileStore):
    """The real file, written without a worker thread: simulated time waits for none."""

    def _write_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._write(self._newest):
            self._confirm(self._newest)
        else:
            self._retry_later(loop)


@asynccontextmanager
async def restarted_with_settings(folder: Path, content: bytes) -> AsyncIterator[World]:
    """A minute after a house that discharged was killed and found this in its settings."""
    file = folder / "settings.json"
    file.write_bytes(content)
    async with living(Start(**DISCHARGING)) as world:
        await world.until(10.0)
        world.kill()
        world.stores["settings"] = AtOnce(file)
        world.restart()
        await world.until(60.0)
        assert not world.bugs
        yield world


def everything(folder: Path) -> set[bytes]:
    return {found.read_bytes() for found in folder.iterdir()}


def killed(for_s: float, **start: Any) -> Verdict:
    """Killed while charging or discharging, and not started again for so long."""
    return play(Plan(Start(**start), (Turn("killed", AT_S, for_s),)), patient=False)


def last_s(verdict: Verdict, place: int, over_a: float) -> float:
    """When this current (1 = rectifier, 2 = inverter) last flowed before the restart."""
    ends_s = AT_S + verdict.plan.turns[0].for_s
    return max((f[0] for f in verdict.flows if f[0] <= ends_s and f[place] > over_a), default=0.0)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))]
)
def test_an_inverter_without_a_process_stops_by_its_own_time_out(seed: int) -> None:
    verdict = killed(20.0, **DISCHARGING, seed=seed)
    assert not verdict.violations
    assert AT_S < last_s(verdict, 2, DISCHARGES_A) <= AT_S + INVERTER_FORGETS_S + _FADES_S


def test_a_rectifier_behind_a_contactor_is_cut_off_within_the_lease() -> None:
    verdict = killed(90.0, **CHARGING, stored="factory", contactor=True)
    assert not verdict.violations
    assert last_s(verdict, 1, 0.0) <= AT_S + FEEDS_S + 0.5


def test_harmless_stored_values_end_the_charge_when_the_set_points_lapse() -> None:
    verdict = killed(90.0, **CHARGING, stored="nothing")
    assert not verdict.violations
    ended_s = last_s(verdict, 1, CHARGES_A)
    assert AT_S + RECTIFIER_FORGETS_S - 3.0 < ended_s <= AT_S + RECTIFIER_FORGETS_S + _FADES_S


async def test_without_a_contactor_a_rectifier_charges_on_at_121_percent_up_to_its_voltage() -> (
    None
):
    """The hazard that docs/faults.md warns of; what is stored in the unit bounds the harm."""
    async with living(Start(**CHARGING, stored="max_v", soc=0.8)) as world:
        await world.until(AT_S)
        world.kill()
        await world.until(AT_S + 29.0)
        before_a = world.charger_a
        await world.until(AT_S + 60.0)
        after_a = world.charger_a
        world.house.pack.set_soc(0.87)
        await world.until(AT_S + 400.0)
        cell_v = max(v for name in world.modules for v in world.house.pack.cell_v(name))
        assert world.house.battery_v <= MAX_V + 0.05
    assert before_a < 40.0, "for 30 s the last set-point goes on"
    assert after_a > 60.0, "then 62.5 A, more than these three modules may take"
    assert cell_v < 4.20, "a fair pack stays below its hard limit at 4.10 V a cell"


async def test_factory_values_without_a_contactor_overcharge_the_battery() -> None:
    """Why docs/faults.md asks for a contactor: 53.5 V are 4.46 V a cell."""
    async with living(Start(**CHARGING, stored="factory", soc=0.9)) as world:
        await world.until(AT_S)
        world.kill()
        await world.until(AT_S + 45.0)
        world.house.pack.set_soc(1.0)
        await world.until(AT_S + 90.0)
        assert max(world.house.pack.cell_v("a3")) > 4.2
        assert world.charger_a > 30.0


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_time_and_started_again_it_is_as_after_a_boot(seed: int) -> None:
    dice = Dice(seed)
    scene = dice.one_of((CHARGING, DISCHARGING))
    at_s, for_s = dice.between(1.0, 60.0), dice.between(0.5, 50.0)
    start = Start(**scene, contactor=dice.one_of((True, False)), seed=seed)
    verdict = play(Plan(start, (Turn("killed", at_s, for_s),)))
    assert not verdict.violations
    assert verdict.back_s is not None
    assert verdict.back_s <= 100.0


async def test_settings_survive_a_kill() -> None:
    async with living(Start(**DISCHARGING)) as world:
        await world.until(20.0)
        world.life.app.site.settings.change(mode="hold")
        world.kill()
        await world.until(40.0)
        world.restart()
        await world.until(60.0)
        assert world.life.app.site.settings.wanted.mode is Mode.HOLD
        assert world.inverter_a == 0.0


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[1, 2]", b'{"mode": {"value": "auto"', b"null", b"9" * 100_000],
)
async def test_a_damaged_settings_file_lets_the_battery_rest_and_is_told(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    async with living(Start(**DISCHARGING)) as world:
        await world.until(20.0)
        world.kill()
        file.write_bytes(content)
        world.stores["settings"] = AtOnce(file)
        await world.until(35.0)
        world.restart()
        await world.until(60.0)
        assert world.inverter_a == 0.0
        assert world.life.app.site.settings.lost
        assert content in everything(tmp_path), "it is still there for a person to look at"


@pytest.mark.parametrize(
    "content",
    [
        b'{"power_w": {"value": 1e999, "default": 0.0}, "new_in_version_9": [1, {"x": null}]}',
        b'{"target_w": {"value": "NaN", "default": 0.0}}',
        b"{}",
    ],
)
async def test_a_settings_file_of_another_version_costs_only_what_is_unknown(
    content: bytes, tmp_path: Path
) -> None:
    async with restarted_with_settings(tmp_path, content) as world:
        assert world.inverter_a > 10.0


@pytest.mark.parametrize(
    "content",
    [
        b'{"mode": {"value": "warp", "default": "auto"}}',
        b'{"target_w": {"value": 10.0, "default": 0.0}, "mode": 7}',
        b'{"maintenance": {"value": "perhaps", "default": false}}',
    ],
)
async def test_a_stored_mode_that_nobody_understands_rests_the_battery(
    content: bytes, tmp_path: Path
) -> None:
    """It may have been "off"."""
    async with restarted_with_settings(tmp_path, content) as world:
        assert world.inverter_a == 0.0
        assert world.life.app.site.settings.lost


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"units": 3}', b'{"version": 99}'])
async def test_damaged_learned_dynamics_and_outlook_change_nothing_of_the_protection(
    content: bytes, tmp_path: Path
) -> None:
    async with living(Start(**DISCHARGING)) as world:
        await world.until(10.0)
        world.kill()
        for name in ("learned", "outlook"):
            (tmp_path / name).with_suffix(".json").write_bytes(content)
            world.stores[name] = AtOnce(tmp_path / f"{name}.json")
        world.restart()
        await world.until(60.0)
        assert not world.bugs
        assert not world.endings
        assert world.inverter_a > 10.0


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
async def test_a_disk_that_takes_nothing_stops_nothing_and_keeps_the_old_file(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_fd: int) -> None:
        raise OSError(error, os.strerror(error))

    file = tmp_path / "settings.json"
    async with living(Start(**DISCHARGING)) as world:
        await world.until(10.0)
        world.kill()
        for name in world.stores:
            world.stores[name] = AtOnce(tmp_path / f"{name}.json")
        world.restart()
        world.life.app.site.settings.change(power_w=700.0)
        kept = file.read_bytes()
        monkeypatch.setattr(os, "fsync", refuse)
        await world.until(50.0)
        world.life.app.site.settings.change(power_w=300.0)
        world.life.app.learning.save()
        await world.until(60.0)
        assert world.inverter_a > 10.0
        assert not world.bugs
        assert file.read_bytes() == kept


def _blocks_at_every_phase(world: World) -> None:
    world.block(1.0)


async def test_a_loop_that_stands_still_again_and_again_holds_no_old_power() -> None:
    async with living(Start(**DISCHARGING)) as world:
        await world.until(40.0)
        for second in range(10):
            world.loop.call_later(0.1 * second, _blocks_at_every_phase, world)
        await world.until(62.0)
        world.house.load = type(world.house.load)(0.0)
        await world.until(75.0)
        assert not world.bugs
        assert world.inverter_a == 0.0


def test_the_catalogue_knows_every_way_to_die() -> None:
    names = {row.name for row in TROUBLES}
    assert {"killed", "blocked_1_s", "blocked_5_s", "blocked_20_s", "control_hangs"} <= names
    assert {"disk_full", "clock_jumps", "bug_in_a_task"} <= names
