"""Recorders as processes: killed at any moment, on a disk that is full."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from history_house import NOON_DS, NOON_S, rows_in

from gridzero.outputs.history.reader import HistoryReader, Level
from gridzero.outputs.history.store import Store

pytestmark = pytest.mark.real_time

CHILD = Path(__file__).with_name("history_child.py")
KILLS = 8
BATCH = 30


def written_until_killed(file: Path, begin: int, writes: int) -> int:
    """How many samples the child had said to be written when it was killed."""
    command = [sys.executable, str(CHILD), "write", str(file), str(begin)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = begin
        for _ in range(writes):
            said = int(child.stdout.readline())
        child.kill()
        rest = child.stdout.read().splitlines()  # what it still said before it died
    return int(rest[-1]) if rest else said


@pytest.mark.slow
def test_killed_at_any_moment_it_loses_no_more_than_a_batch_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    file, chance, count = tmp_path / "h.sqlite", random.Random(5), 0
    for _ in range(KILLS):
        said = written_until_killed(file, count, chance.randrange(1, 60))
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        count = rows_in(file)
        assert count - said in {0, BATCH}, "all that was said, and at most what was under way"
    Store.open(file).close()
    with HistoryReader(file) as reader:
        raw = reader.series(["grid_w"], NOON_S - 10, NOON_S + count + 10, 10**7, Level.RAW)
        minutes = reader.series(["import_wh"], NOON_S - 60, NOON_S + count + 60, 10**7)
        held_s = reader.because_seconds(NOON_S - 3600, NOON_S + count + 3600)
    assert list(raw.at_s) == [NOON_DS / 10 + number for number in range(count)]
    bought_wh = sum(max(w or 0, 0) for w in raw.columns["grid_w"].mean) / 3600
    assert sum(v or 0 for v in minutes.columns["import_wh"].mean) == pytest.approx(
        bought_wh, abs=0.1
    )
    assert sum(held_s.values()) == pytest.approx(count)


def test_a_full_disk_is_told_once_and_nothing_is_lost(tmp_path: Path) -> None:
    command = [sys.executable, str(CHILD), "full", str(tmp_path / "h.sqlite")]
    child = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said = json.loads(child.stdout.splitlines()[-1])
    told = [(e["code"], e["active"]) for e in said["events"]]
    assert told == [("history_not_written", True), ("history_not_written", False)]
    assert said["rows"] == 540
