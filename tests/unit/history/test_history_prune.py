"""The file stays within its bounds, and a wrong clock costs little."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from history_house import NOON_DS, NOON_S, parts, samples, store_with

from gridzero.outputs.history.prune import Bounds, prune
from gridzero.outputs.history.samples import DAY_DS, HOUR_DS, Batch, Record
from gridzero.outputs.history.store import Store

WIDE = Bounds(raw_days=400, minute_days=4000, hour_years=50, max_mb=1000)
STEP_DS = 300


def oldest_day(file: Path, table: str, day: int) -> float:
    """Age of the oldest row in days."""
    column = "at_ds" if table == "record" else "from_ds"
    with closing(sqlite3.connect(file)) as connection:
        oldest = connection.execute(f"SELECT min({column}) FROM {table}").fetchone()[0]
    return day - (oldest - NOON_DS) / DAY_DS


def size(file: Path) -> int:
    beside = (file, file.with_name(file.name + "-wal"))
    return sum(one.stat().st_size for one in beside if one.exists())


def days_of(store: Store, days: int, bounds: Bounds) -> Iterator[int]:
    """Live for days, one sample each 30 s; yields after each of them."""
    for day in range(days):
        begin_ds = NOON_DS + day * DAY_DS
        for part in parts(samples(DAY_DS // STEP_DS, begin_ds, STEP_DS), 120):
            told = Record(part[0].at_ds / 10, "event", "x")
            reason = Record(part[0].at_ds / 10, "decision", "balanced")
            store.write(Batch(samples=part, records=[told, reason]))
        for hour in range(0, 24, 4):
            store.prune(begin_ds + DAY_DS + hour * HOUR_DS // 24, bounds)
        yield day + 1


def test_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store = Store.open(file)
    for day in days_of(store, 6, WIDE._replace(raw_days=2, minute_days=4)):
        assert oldest_day(file, "raw", day) <= 2.1
        assert oldest_day(file, "minute", day) <= 4.1
        assert oldest_day(file, "hour", day) >= day, "hours are kept"
        assert oldest_day(file, "record", day) == day, "events are kept"
    store.close()


@pytest.mark.slow
def test_the_file_is_never_larger_than_it_may_be(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store = Store.open(file)
    days = 30
    largest = max(size(file) for _ in days_of(store, days, WIDE._replace(max_mb=8)))
    store.close()
    assert 2_000_000 < largest <= 8_000_000
    assert oldest_day(file, "raw", days) < days - 5, "raw values went first"
    assert oldest_day(file, "minute", days) > days - 1, "minutes are all there"


def test_pages_are_given_back(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store = Store.open(file)
    list(days_of(store, 4, WIDE))
    before = size(file)
    for _ in range(20):
        store.prune(NOON_DS + 30 * DAY_DS, WIDE._replace(raw_days=1, minute_days=1))
    store.close()
    assert file.stat().st_size < before / 2


def test_a_clock_that_is_wrong_once_costs_a_day_at_the_old_end(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store = Store.open(file)
    list(days_of(store, 3, WIDE))
    store.prune(NOON_DS + 30_000 * DAY_DS, WIDE)
    store.close()
    for table in ("raw", "minute"):
        assert oldest_day(file, table, 3) == pytest.approx(2, abs=0.1)


def test_the_newest_is_never_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store_with(file, samples(300))
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for _ in range(50):
            prune(connection, round((NOON_S + 10**9) * 10), WIDE._replace(max_mb=6))
        left = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("raw", "minute", "hour")
        ]
    assert left == [1, 1, 1]
