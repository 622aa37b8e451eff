"""The reader: as fine as the span allows, thinned without losing extremes, days as people count."""

from __future__ import annotations

import threading
from datetime import date, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from history_house import NOON_DS, NOON_S, parts, samples, store_with
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.outputs.history.opening import put_aside
from gridzero.outputs.history.reader import HistoryError, HistoryReader, Level
from gridzero.outputs.history.samples import Batch, Sample
from gridzero.outputs.history.store import Store

DAYS = 3
STEP_DS = 600


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days, one sample a minute."""
    file = tmp_path_factory.mktemp("history") / "h.sqlite"
    store = Store.open(file)
    for part in parts(samples(DAYS * 1440, step_ds=STEP_DS), 500):
        store.write(Batch(samples=[one._replace(held_ds=STEP_DS) for one in part]))
    store.close()
    return file


@pytest.mark.parametrize(
    ("hours", "most", "level"),
    [(1, 1000, Level.RAW), (2, 1000, Level.RAW), (24, 1000, Level.MINUTE), (72, 50, Level.HOUR)],
)
def test_the_level_follows_the_span(file: Path, hours: int, most: int, level: Level) -> None:
    with HistoryReader(file) as reader:
        found = reader.series(["grid_w"], NOON_S, NOON_S + hours * 3600, most)
    assert found.level is level
    assert 0 < len(found.at_s) <= most + 1


def test_sums_are_never_asked_of_raw_values(file: Path) -> None:
    with HistoryReader(file) as reader:
        assert reader.series(["import_wh"], NOON_S, NOON_S + 600).level is Level.MINUTE


@settings(max_examples=25)
@given(begin=st.integers(0, DAYS * 1400), length=st.integers(1, 3000), most=st.integers(1, 400))
def test_thinning_keeps_extremes_and_sums(file: Path, begin: int, length: int, most: int) -> None:
    from_s = NOON_S - NOON_S % 60 + begin * 60
    span = from_s, from_s + length * 60
    names = ["grid_w", "import_wh", "export_wh"]
    with HistoryReader(file) as reader:
        fine = reader.series(names, *span, 10**6, Level.MINUTE)
        thin = reader.series(names, *span, most, Level.MINUTE)
    assert len(thin.at_s) <= most + 1
    assert sorted(set(thin.at_s)) == list(thin.at_s)
    for name in ("import_wh", "export_wh"):
        total = sum(value or 0 for value in fine.columns[name].mean)
        assert sum(value or 0 for value in thin.columns[name].mean) == pytest.approx(total)
    high, low = fine.columns["grid_w"].high, fine.columns["grid_w"].low
    assert max(thin.columns["grid_w"].high, default=0) == max(high, default=0)
    assert min(thin.columns["grid_w"].low, default=0) == min(low, default=0)


def test_what_was_never_recorded_is_unknown_and_what_is_no_series_is_refused(file: Path) -> None:
    with HistoryReader(file) as reader:
        found = reader.series(["pv_w", "because"], NOON_S, NOON_S + 600)
        assert set(found.columns["pv_w"].mean) == {None}
        assert found.columns["because"].last[0] == "covering_load"
        with pytest.raises(KeyError):
            reader.series(["grid_kw"], NOON_S, NOON_S + 600)
        assert reader.series(["grid_w"], 0, 1000).at_s == []
        assert {"grid_w", "inverter.soyo.ac_w", "because.balanced"} <= set(reader.names())


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=2)), timezone(timedelta(hours=5.5))])
def test_a_day_begins_at_local_midnight(file: Path, zone: timezone) -> None:
    with HistoryReader(file) as reader:
        days = reader.days(date(2026, 9, 20), date(2026, 9, 25), zone)
        spans = [day for day in days if day.known_s]
        every = reader.series(["import_wh"], 0, NOON_S * 2, 10**9).columns["import_wh"].mean
    assert [day.day for day in spans] == [date(2026, 9, n) for n in (21, 22, 23, 24)]
    assert [day.known_s for day in spans[1:3]] == [86_400, 86_400]
    assert sum(day.import_wh or 0 for day in spans) == pytest.approx(sum(v or 0 for v in every))
    assert sum(sum(day.because_s.values()) for day in spans) == DAYS * 86_400
    assert days[0].import_wh is None, "unknown is never 0"


def test_the_day_of_the_clock_change_has_25_hours(tmp_path: Path) -> None:
    begin_ds = 1_792_879_200 * 10 - 36_000  # 2026-10-24 21:00 UTC, before the change in Berlin
    said = [Sample(begin_ds + n * 600, 600, {"grid_w": 1000}) for n in range(30 * 60)]
    store_with(tmp_path / "h", said, 300)
    with HistoryReader(tmp_path / "h") as reader:
        (day,) = reader.days(date(2026, 10, 25), date(2026, 10, 25), ZoneInfo("Europe/Berlin"))
    assert day.known_s == 25 * 3600
    assert day.import_wh == pytest.approx(25_000, rel=1e-4)


def test_reasons_are_counted_and_the_most_frequent_is_first(file: Path) -> None:
    with HistoryReader(file) as reader:
        reasons = reader.because_seconds(NOON_S - 60, NOON_S + 86_400)
    assert list(reasons.values()) == sorted(reasons.values(), reverse=True)
    assert sum(reasons.values()) == pytest.approx(86_400, abs=120)


def test_readers_and_a_writer_at_once(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store_with(file, samples(30))
    store, seen = Store.open(file), list[int]()
    reader = HistoryReader(file)

    def look() -> None:
        for _ in range(20):
            seen.append(len(reader.series(["grid_w"], NOON_S, NOON_S + 4000, 10**6).at_s))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 60):
        store.write(Batch(samples=samples(30, NOON_DS + 300 * number)))
    for thread in threads:
        thread.join()
    store.close()
    assert all(count % 30 == 0 for count in seen), "whole batches only"
    assert len(reader.series(["grid_w"], NOON_S, NOON_S + 4000, 10**6).at_s) == 1800
    reader.close()


def test_a_reader_follows_to_a_new_file(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store_with(file, samples(30))
    with HistoryReader(file) as reader:
        assert len(reader.series(["grid_w"], NOON_S, NOON_S + 100).at_s) == 30
        put_aside(file)
        with pytest.raises(HistoryError, match="no history here"):
            reader.names()
        store_with(file, samples(7))
        assert len(reader.series(["grid_w"], NOON_S, NOON_S + 100).at_s) == 7
