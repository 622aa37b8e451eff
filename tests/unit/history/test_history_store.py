"""The store: roll-ups are what brute force over the raw values gives, however they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import pytest
from history_house import NOON_DS, in_units, parts, rows_in, sample, samples, store_with
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.outputs.history.reader import HistoryReader, Level
from gridzero.outputs.history.roll_up import minute_of
from gridzero.outputs.history.samples import MINUTE_DS, Batch, Sample
from gridzero.outputs.history.store import Store

FROM_S, TO_S = NOON_DS / 10 - 86_400, NOON_DS / 10 + 86_400
FIRST_MINUTE_DS = NOON_DS - NOON_DS % MINUTE_DS


def by_minute(found: Sequence[Sample]) -> dict[float, list[Sample]]:
    minutes: dict[float, list[Sample]] = {}
    for one in found:
        minutes.setdefault(one.at_ds // MINUTE_DS * 60.0, []).append(one)
    return minutes


def test_raw_values_are_read_as_they_came(tmp_path: Path) -> None:
    said = samples(500)
    store_with(tmp_path / "h", said)
    with HistoryReader(tmp_path / "h") as reader:
        found = reader.series(
            ["grid_w", "because", "soc_pct", "inverter.soyo.ac_w"], FROM_S, TO_S, 10**7, Level.RAW
        )
    assert list(found.at_s) == [one.at_ds / 10 for one in said]
    assert list(found.columns["grid_w"].mean) == [one.values["grid_w"] for one in said]
    assert list(found.columns["because"].last) == [one.values["because"] for one in said]
    assert list(found.columns["soc_pct"].last) == [
        in_units("soc_pct", int(one.values["soc_pct"])) for one in said
    ]
    assert list(found.columns["inverter.soyo.ac_w"].mean) == [
        one.values.get("inverter.soyo.ac_w") for one in said
    ]


@settings(max_examples=25)
@given(
    count=st.integers(1, 400),
    step_ds=st.sampled_from([3, 10, 11, 37, 700]),
    batch=st.integers(1, 90),
    restarts=st.integers(0, 3),
)
def test_minutes_are_brute_force_over_raw_values(
    tmp_path_factory: pytest.TempPathFactory, count: int, step_ds: int, batch: int, restarts: int
) -> None:
    file = tmp_path_factory.mktemp("history") / "h"
    said = samples(count, step_ds=step_ds)
    for part in parts(said, max(1, len(said) // (restarts + 1))):
        store_with(file, part, batch)
    names = ["grid_w", "inverter.soyo.ac_w", "import_wh", "because.balanced", "meter_age_p95_s"]
    with HistoryReader(file) as reader:
        found = reader.series(names, FROM_S, TO_S, 10**7, Level.MINUTE)
    minutes = by_minute(said)
    assert list(found.at_s) == sorted(minutes)
    for number, at_s in enumerate(found.at_s):
        of_minute = minutes[at_s]
        grid, sold = [int(s.values["grid_w"]) for s in of_minute], found.columns["grid_w"]
        assert sold.mean[number] == pytest.approx(sum(grid) / len(grid), abs=0.5)
        assert (sold.low[number], sold.high[number]) == (min(grid), max(grid))
        assert sold.last[number] == grid[-1]
        bought_wh = sum(max(w, 0) for w in grid) / 3600
        assert found.columns["import_wh"].mean[number] == pytest.approx(bought_wh, abs=6e-4)
        balanced = sum(s.held_ds for s in of_minute if s.values["because"] == "balanced") / 10
        assert (found.columns["because.balanced"].mean[number] or 0) == pytest.approx(balanced)
        ages = sorted(int(s.values["meter_age_s"]) for s in of_minute)
        p95 = in_units("meter_age_s", ages[ceil(0.95 * len(ages)) - 1])
        assert found.columns["meter_age_p95_s"].mean[number] == pytest.approx(p95)
        told = [int(v) for s in of_minute if (v := s.values.get("inverter.soyo.ac_w"))]
        assert found.columns["inverter.soyo.ac_w"].high[number] == max(told, default=None)


def test_hours_are_the_sum_of_their_minutes(tmp_path: Path) -> None:
    said = samples(9000)
    store_with(tmp_path / "h", said, 300)
    with HistoryReader(tmp_path / "h") as reader:
        hours = reader.series(["grid_w", "import_wh"], FROM_S, TO_S, 10**7, Level.HOUR)
        minutes = reader.series(["import_wh"], FROM_S, TO_S, 10**7, Level.MINUTE)
        reasons = reader.because_seconds(FROM_S, TO_S)
    assert sum(v or 0 for v in hours.columns["import_wh"].mean) == pytest.approx(
        sum(v or 0 for v in minutes.columns["import_wh"].mean)
    )
    for number, at_s in enumerate(hours.at_s):
        grid = [int(s.values["grid_w"]) for s in said if at_s <= s.at_ds / 10 < at_s + 3600]
        assert hours.columns["grid_w"].mean[number] == pytest.approx(sum(grid) / len(grid), abs=1)
        assert hours.columns["grid_w"].low[number] == min(grid)
    assert reasons == {k: float(n) for k, n in Counter(s.values["because"] for s in said).items()}


@settings(max_examples=20)
@given(data=st.data())
def test_a_clock_that_is_set_back_loses_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("history") / "h"
    store, said, at_ds = Store.open(file), list[Sample](), NOON_DS
    for _ in range(data.draw(st.integers(1, 6))):
        at_ds += data.draw(st.sampled_from([0, -700, -36_000, 36_000, 5, -300]))
        part = [sample(len(said) + n, at_ds + 10 * n) for n in range(30)]
        at_ds += 300
        store.write(Batch(samples=part))
        said += part
    store.close()
    with HistoryReader(file) as reader:
        raw = reader.series(["grid_w"], FROM_S, TO_S, 10**7, Level.RAW)
        minutes = reader.series(["import_wh"], FROM_S, TO_S, 10**7, Level.MINUTE)
        counted = rows_in(file)
    assert counted == len(said)
    assert set(raw.at_s) <= {s.at_ds / 10 for s in said}
    assert list(minutes.at_s) == sorted(by_minute(said))
    bought = sum(max(int(s.values["grid_w"]), 0) for s in said) / 3600
    assert sum(v or 0 for v in minutes.columns["import_wh"].mean) == pytest.approx(bought, abs=0.02)


def test_a_batch_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "h")
    store.write(Batch(samples=samples(30)))
    broken = Sample(NOON_DS + 400, 10, {"grid_w": 2**70})
    with pytest.raises(OverflowError):
        store.write(Batch(samples=[*samples(30, NOON_DS + 300), broken]))
    store.write(Batch(samples=samples(30, NOON_DS + 600)))
    store.close()
    assert rows_in(tmp_path / "h") == 60


def test_the_rows_of_two_hours_that_stay_in_memory_share_the_names_of_their_columns() -> None:
    """A name of its own in each of 120 rows was half of what the recorder holds."""
    one, other = minute_of(samples(60)), minute_of(samples(60, NOON_DS + MINUTE_DS))
    names = {name: name for name in one if name.startswith("grid_w:")}
    assert len(names) == 4
    assert all(name is names[name] for name in other if name in names)
