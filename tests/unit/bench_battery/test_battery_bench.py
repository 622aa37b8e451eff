"""The command that measures how well the battery is known."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gridzero.battery.cells.catalogue import NCA
from gridzero.bench.battery.errors import Point, cells, errors
from gridzero.bench.battery.records import cycles
from gridzero.bench.battery.soc import CASES, drive_section, estimated
from gridzero.bench.battery.twin import drive, own_curve
from gridzero.cli import main
from gridzero.errors import ConfigError

Capture = pytest.CaptureFixture[str]


def drive_file(folder: Path, seconds: int = 1500) -> Path:
    """A made-up drive of the bench's own cell, in the shape of the published files."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    soc, slow_v, rows = 1.0, 0.0, []
    for time_s in range(seconds):
        current_a = 3.0 if time_s // 30 % 3 == 1 else 0.2
        soc -= current_a / 3600.0 / NCA.capacity_ah
        factor = NCA.at(soc).ohm_factor
        slow_v += (current_a * NCA.slow_ohm(25.0) * factor - slow_v) / NCA.slow_s
        volts = NCA.open_v(soc) - current_a * NCA.ohmic_ohm(25.0) * factor - slow_v
        row = {"time_s": time_s, "voltage_v": round(volts, 3), "current_a": -current_a}
        rows.append({**row, "temp_c": 25.0, "soc_true": soc, "ah": None})
    rows[7]["voltage_v"] = None
    file = folder / "panasonic_pf_25degC_Made_1s.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), file)
    return file


def test_a_drive_is_measured_with_all_that_is_wrong(tmp_path: Path) -> None:
    drive_file(tmp_path)
    section = drive_section(tmp_path)
    assert [row[1] for row in section.rows] == [case.name for case in CASES]
    for case in CASES:
        figures = section.figures[f"25degC_Made, {case.name}"]
        assert figures["late_rms"] < 2.0
        assert figures["most"] >= figures["late_most"]


def test_rows_with_holes_are_left_out_and_signs_are_turned(tmp_path: Path) -> None:
    drive_file(tmp_path, 50)
    (cycle,) = cycles(tmp_path)
    assert (cycle.name, cycle.note, cycle.goal) == ("25degC_Made", "", 1.5)
    assert len(cycle.samples) == 49
    assert min(sample.current_a for sample in cycle.samples) == 0.2


def test_an_aged_cell_is_measured_with_its_own_capacity_too(tmp_path: Path) -> None:
    drive_file(tmp_path, 1300).rename(tmp_path / "panasonic_pf_10degC_trise_Cycle1_1s.parquet")
    section = drive_section(tmp_path, quick=True)
    names = ["10degC_trise_Cycle1", "10degC_trise_Cycle1, 2.80 Ah"]
    assert [row[0] for row in section.rows] == [name for name in names for _ in range(2)]
    (cycle,) = cycles(tmp_path)
    again = cycle.counted_with(NCA.capacity_ah / 2, NCA.capacity_ah)
    assert 1.0 - again.samples[-1].soc == pytest.approx(2.0 * (1.0 - cycle.samples[-1].soc))


def test_a_folder_above_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "battery").mkdir()
    drive_file(tmp_path / "battery", 20)
    assert [cycle.name for cycle in cycles(tmp_path, seconds=9)] == ["25degC_Made"]


def test_a_wrong_start_shows_in_the_first_point(tmp_path: Path) -> None:
    drive_file(tmp_path, 30)
    (cycle,) = cycles(tmp_path)
    points = estimated(cycle.samples, CASES[1])
    assert points[0].error < -0.05
    assert abs(points[-1].error) < abs(points[0].error)


def test_errors_are_percent_of_all_and_of_what_is_late() -> None:
    found = errors([Point(0.0, -0.2, 0.1), Point(599.0, 0.2, 0.1), Point(600.0, 0.01, 0.1)])
    assert found.most == pytest.approx(20.0)
    assert found.late_rms == found.late_most == pytest.approx(1.0)
    assert found.within == pytest.approx(1 / 3)
    assert errors([Point(0.0, 0.1, 0.1)]).late_rms is None
    assert cells(errors([Point(0.0, 0.1, 0.1)]))[2] == "-"


def test_the_twin_is_known_within_its_goal_where_the_curve_is() -> None:
    points = drive(own_curve(), 25.0, CASES[1], 1200.0)
    assert errors(points).late_rms < 1.0
    assert errors(points).within > 0.9


def test_a_short_run_prints_json(capsys: Capture) -> None:
    assert main(["bench", "battery", "--quick", "--only", "twin,speed", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    twin, speed = document["sections"]
    assert len(twin["figures"]) == 3
    assert 0.0 < speed["figures"]["core_share"] < 1.0


def test_a_short_run_prints_tables(capsys: Capture, tmp_path: Path) -> None:
    drive_file(tmp_path, 700)
    call = ["bench", "battery", "--quick", "--only", "soc,speed", "--data", str(tmp_path)]
    assert main(call) == 0
    assert "25degC_Made" in capsys.readouterr().out
    assert main([*call, "--markdown"]) == 0
    assert "| 25degC_Made" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--only", "magic"], "There are: soc, twin, speed, capacity, whole"),
        (["--data", "/none/such"], "no such folder"),
        (["--only", "soc", "--data", "."], "holds no drive cycles"),
    ],
)
def test_wrong_calls_are_told(capsys: Capture, argv: list[str], says: str) -> None:
    assert main(["bench", "battery", *argv]) == 2
    assert says in capsys.readouterr().err


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "panasonic_pf_25degC_Made_1s.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"gridzero\[parquet\]"):
        list(cycles(tmp_path))


def test_a_file_that_is_no_parquet_is_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "panasonic_pf_25degC_Made_1s.parquet").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="cannot be used"):
        list(cycles(tmp_path))
