"""The soak of the bench: a short one holds, and what must not be is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gridzero.bench.soak import soak as bench_soak
from gridzero.bench.soak.command import judged
from gridzero.bench.soak.disk import Disk, DiskStore
from gridzero.bench.soak.growth import resident_kb, slope
from gridzero.bench.soak.soak import Midnight, Soak
from gridzero.bench.soak.troubles import TROUBLES
from gridzero.cli import main
from gridzero.domain.converters import Setpoint
from gridzero.domain.decision import Decision
from gridzero.domain.snapshot import Snapshot
from gridzero.runtime.site import Site
from gridzero.sim.loop import run_simulated


def _soak(folder: Path, wrong: list[str], heard: list[Midnight], **more: float) -> Soak:
    return Soak(
        **{"days": 1.0, "hours": 0.15, **more},
        modules=2,
        meter_s=2.0,
        a_day=480,
        seed=1,
        folder=folder,
        heard=heard.append,
        wrong=wrong.append,
    )


def test_a_short_day_holds_and_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    order = ("--days", "1", "--hours", "0.12", "--troubles", "600", "--json")
    assert main(["bench", "soak", *order]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not found["violations"]
    assert len(found["days"]) == 1
    assert sum(found["drawn"].values()) >= 1
    true_kwh, counted_kwh = found["counters"]["battery_discharged_kwh"]
    assert true_kwh > 0.01
    assert 0.0 < counted_kwh <= 1.02 * true_kwh, "a killed process loses what it had not stored"
    lost_kwh = found["lost_kwh"]["battery_discharged_kwh"]
    assert lost_kwh >= -1e-6
    assert counted_kwh + lost_kwh == pytest.approx(true_kwh, rel=0.1), "and nothing else is lost"
    assert found["days"][-1]["history_mb"] > 0.1


@pytest.mark.slow
def test_troubles_pass_and_nothing_grows_without_end(tmp_path: Path) -> None:
    wrong: list[str] = []
    heard: list[Midnight] = []
    soak = _soak(tmp_path, wrong, heard, days=4.0, hours=0.12)
    run_simulated(soak.live())
    assert not wrong
    assert len(soak.drawn) >= 5
    assert heard[-1].sample.tasks <= heard[2].sample.tasks + 2
    assert {verdict.what for verdict in judged(soak)} >= {"history", "tasks", "descriptors"}


def _commands_whatever_is_known(site: Site, now: Snapshot, _decision: Decision) -> None:
    """A control loop without limits, as its last word to the drivers."""
    for unit in site.parts.inverters:
        until_s = now.now_s + 3.0
        unit.command(Setpoint(power_w=500.0, until_s=until_s, max_dc_a=40.0, max_dc_v=52.0))


def test_limits_that_are_not_kept_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = next(row for row in TROUBLES if row.name == "bus_silent")
    monkeypatch.setattr(bench_soak, "TROUBLES", (lost,))
    monkeypatch.setattr(bench_soak, "_SHORTEST_S", 18.0)
    monkeypatch.setattr(Site, "_command", _commands_whatever_is_known)
    wrong: list[str] = []
    soak = _soak(tmp_path, wrong, [])
    run_simulated(soak.live())
    assert soak.drawn["bus_silent"]
    assert any("old_cells_discharge" in text for text in wrong)
    assert not next(judged(soak)).holds


@pytest.mark.parametrize(
    "wrong",
    [
        ("--days", "0"),
        ("--days", "nan"),
        ("--hours", "25"),
        ("--from-hour", "24"),
        ("--modules", "1"),
        ("--meter-s", "9"),
        ("--troubles", "0"),
    ],
)
def test_what_cannot_be_lived_is_refused(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "soak", *wrong]) != 0
    assert wrong[0] in capsys.readouterr().err


def test_a_slope_knows_its_error() -> None:
    days = [float(day) for day in range(10)]
    exact = slope(days, [3.0 + 2.0 * day for day in days])
    assert exact.per_day == pytest.approx(2.0)
    assert exact.error == pytest.approx(0.0, abs=1e-9)
    assert exact.grows
    noisy = slope(days, [5.0, -5.0] * 5)
    assert not noisy.grows
    assert noisy.error > 0.5
    assert not slope([1.0, 2.0], [1.0, 9.0]).grows, "two points say nothing"
    assert resident_kb() > 1000.0


def test_a_dead_process_and_a_full_disk_leave_the_file_as_it_is() -> None:
    disk, confirmed = Disk(), list[object]()
    store = DiskStore(disk, "energy")
    store.on_stored(confirmed.append)
    assert store.load() == {}
    store.save({"kwh": 1.0})
    disk.is_full = True
    store.save({"kwh": 2.0})
    disk.is_full = False
    store.is_cut = True
    store.save({"kwh": 3.0})
    assert DiskStore(disk, "energy").load() == {"kwh": 1.0}
    assert confirmed == [{"kwh": 1.0}]
    assert disk.refused == 1
