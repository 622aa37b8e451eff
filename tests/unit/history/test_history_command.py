"""gridzero history: info, export, backup and restore, as people type them."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from history_house import NOON_DS, NOON_S, rows_in, samples, store_with

from gridzero.cli import main
from gridzero.errors import ConfigError
from gridzero.outputs.history.moments import iso_utc, moment_s
from gridzero.outputs.history.opening import only_recorder
from gridzero.outputs.history.samples import Batch, Record, Sample
from gridzero.outputs.history.store import Store

CET = timezone(timedelta(hours=1))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "history.sqlite"
    store_with(file, samples(1000))
    store = Store.open(file)
    cells = Sample(NOON_DS, 0, {"cell.a3.1": 3761, "cell.a3.12": 3770, "temp.a3.1": 35})
    told = Record(NOON_S + 5.0, "event", "meter_lost", "meter", "fault", True, "ä;\n'x'", "look")
    store.write(Batch(cells=[cells], records=[told]))
    store.close()
    return file


def test_info_says_how_much_and_how_fast_it_grows(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", "info", "--file", str(file)]) == 0
    words = capsys.readouterr().out
    assert main(["history", "info", "--json", "--file", str(file)]) == 0
    plain = json.loads(capsys.readouterr().out)
    raw = plain["parts"][0]
    assert (raw["table"], raw["rows"]) == ("raw", 34)
    assert raw["per_day"] == pytest.approx(raw["bytes"] * 86_400 / 999.9, rel=0.01)
    events = plain["parts"][-1]
    assert (events["table"], events["rows"]) == ("record", 1)
    assert events["per_day"] == pytest.approx(events["bytes"] * 86_400 / 999.9, rel=0.01)
    assert f"a day adds about {plain['per_day'] / 1000:.0f} kB" in words


def test_raw_values_as_csv_are_what_was_said(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "raw.csv"
    call = ["history", "export", "--file", str(file), "--what", "raw", "-o", str(out)]
    assert main(call) == 0
    with out.open(newline="") as text:
        rows = list(csv.DictReader(text))
    said = samples(1000)
    assert [row["at_utc"] for row in rows] == [iso_utc(s.at_ds / 10) for s in said]
    assert [float(row["grid_w"]) for row in rows] == [s.values["grid_w"] for s in said]
    assert [row["because"] for row in rows] == [s.values["because"] for s in said]
    assert rows[0]["inverter.soyo.ac_w"] == "", "unknown is empty, never 0"


@pytest.mark.parametrize("what", ["raw", "minute", "hour", "cells", "events"])
def test_parquet_and_csv_hold_the_same(file: Path, tmp_path: Path, what: str) -> None:
    table, text = tmp_path / "out.parquet", tmp_path / "out.csv"
    for out in (table, text):
        call = ["history", "export", "--file", str(file), "--what", what, "-o", str(out)]
        assert main(call) == 0
    columns = parquet.read_table(table).to_pydict()
    with text.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(columns) == list(rows[0])
    assert [iso_utc(at.timestamp()) for at in columns["at_utc"]] == [row["at_utc"] for row in rows]
    name = list(columns)[-1]
    assert [plain(value) for value in columns[name]] == [plain(row[name]) for row in rows]


def plain(value: object) -> str:
    text = "" if value is None else str(value)
    return text.removesuffix(".0")


def test_a_span_of_time_is_cut(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin, end = iso_utc(NOON_S + 100), iso_utc(NOON_S + 200)
    call = ["history", "export", "--file", str(file), "--from", begin, "--to", end]
    assert main([*call, "--what", "raw", "-o", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 101


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-11-21", False, datetime(2026, 11, 21, tzinfo=CET)),
        ("2026-11-21", True, datetime(2026, 11, 22, tzinfo=CET)),
        ("2026-11-21T18:00", True, datetime(2026, 11, 21, 18, tzinfo=CET)),
        ("2026-11-21T17:00Z", False, datetime(2026, 11, 21, 17, tzinfo=UTC)),
        ("21.11.2026", False, datetime(2026, 11, 21, tzinfo=CET)),
        ("1.2.2026 07:30", False, datetime(2026, 2, 1, 7, 30, tzinfo=CET)),
    ],
)
def test_times_as_people_write_them(text: str, end: bool, expected: datetime) -> None:
    assert moment_s(text, end_of_day=end, zone=CET) == expected.timestamp()


@pytest.mark.parametrize("text", ["", "yesterday", "31.2.2026", "2026-13-01", "9999999999-1-1"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no time"):
        moment_s(text)


def test_parquet_without_pyarrow_says_what_to_install(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = tmp_path / "out.parquet"
    assert main(["history", "export", "--file", str(file), "-o", str(out)]) == 2
    assert "pip install 'gridzero[parquet]'" in capsys.readouterr().err
    assert not out.exists()


def test_no_history_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "info", "--file", str(tmp_path / "none")]) == 2
    assert "there is no history here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_backup_while_it_is_written_is_whole(file: Path, tmp_path: Path) -> None:
    store = Store.open(file)
    store.write(Batch(samples=samples(60, NOON_DS + 20_000)))
    target = tmp_path / "backup.sqlite"
    assert main(["history", "backup", "--file", str(file), str(target)]) == 0
    store.write(Batch(samples=samples(60, NOON_DS + 30_000)))
    store.close()
    assert (rows_in(target), rows_in(file)) == (1060, 1120)
    assert not target.with_name("backup.sqlite-wal").exists(), "one file"


def test_a_restore_keeps_the_old_one(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.sqlite"
    main(["history", "backup", "--file", str(file), str(target)])
    store_with(file, samples(60, NOON_DS + 20_000))
    assert main(["history", "restore", "--file", str(file), str(target)]) == 0
    assert rows_in(file) == 1000
    assert rows_in(tmp_path / "history.sqlite.before-restore-1") == 1060
    store_with(file, samples(60, NOON_DS + 20_000))
    assert rows_in(file) == 1060, "a recorder goes on with it"


def test_nothing_is_restored_under_a_running_recorder(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "backup.sqlite"
    main(["history", "backup", "--file", str(file), str(target)])
    before = file.read_bytes()
    with only_recorder(file):
        assert main(["history", "restore", "--file", str(file), str(target)]) == 2
    assert "another gridzero records" in capsys.readouterr().err
    assert file.read_bytes() == before


@pytest.mark.parametrize("kind", ["text", "cut", "other", "none"])
def test_what_is_no_backup_is_not_restored(
    file: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, before = tmp_path / "source", file.read_bytes()
    if kind == "text":
        source.write_text("dear diary" * 1000)
    elif kind == "cut":
        source.write_bytes(before[: len(before) // 2])
    elif kind == "other":
        with sqlite3.connect(source) as other:
            other.execute("CREATE TABLE recipe (name TEXT)")
        other.close()
    assert main(["history", "restore", "--file", str(file), str(source)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert file.read_bytes() == before


def test_a_configuration_says_where_the_history_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Path(__file__).parents[3] / "configs" / "demo.yaml"
    monkeypatch.chdir(tmp_path)
    assert main(["history", "info", "--config", str(demo)]) == 2
    assert "history.sqlite" in capsys.readouterr().err
