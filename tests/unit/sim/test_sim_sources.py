"""Power over time: constants, steps, the sky, and records that people bring along."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.errors import ConfigError
from gridzero.sim.sources import DAY_S, Constant, Samples, Sun, read_power, steps


class WriteCsv(Protocol):
    def __call__(self, text: str, name: str = "load.csv") -> Path: ...


@pytest.fixture
def csv_file(tmp_path: Path) -> WriteCsv:
    def write(text: str, name: str = "load.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_constant_stays() -> None:
    assert Constant(420.0).power_w(0.0) == Constant(420.0).power_w(1e9) == 420.0


def test_a_sample_holds_until_the_next_and_the_last_for_ever() -> None:
    load = steps((0.0, 100.0), (10.0, 500.0), (20.0, 50.0))
    assert [load.power_w(at_s) for at_s in (0, 9.9, 10, 19, 20, 1e6)] == [
        100.0,
        100.0,
        500.0,
        500.0,
        50.0,
        50.0,
    ]


def test_before_the_first_sample_the_first_holds() -> None:
    assert steps((5.0, 100.0), (6.0, 200.0)).power_w(-3.0) == 100.0


def test_a_record_can_repeat() -> None:
    load = steps((0.0, 1.0), (10.0, 2.0), repeat_s=20.0)
    assert [load.power_w(at_s) for at_s in (5, 15, 25, 35, 4)] == [1.0, 2.0, 1.0, 2.0, 1.0]


@given(
    times=st.lists(st.integers(0, 1000), min_size=1, max_size=40).map(sorted),
    asked=st.lists(st.floats(-10, 1100), min_size=1, max_size=40),
)
def test_looking_up_agrees_with_searching(times: list[int], asked: list[float]) -> None:
    """In any order, also with several samples at one moment."""
    load = Samples(times, list(range(len(times))))
    for at_s in asked:
        before = [i for i, time_s in enumerate(times) if time_s <= at_s]
        assert load.power_w(at_s) == (before[-1] if before else load.power_w(times[0] - 1))


def test_a_record_needs_samples() -> None:
    with pytest.raises(ValueError, match="needs samples"):
        Samples([], [])


def test_a_csv_file_is_read(csv_file: WriteCsv) -> None:
    load = read_power(csv_file("time_s,power_w\n0,100\n5,250.5\n"))
    assert (load.power_w(4.9), load.power_w(5.0), load.gaps) == (100.0, 250.5, 0)
    assert load.seconds == 5.0


def test_per_unit_values_are_scaled_and_columns_found_by_name(csv_file: WriteCsv) -> None:
    sun = csv_file("time_s, pv_pu ,other_w\n0,0.5,7\n")
    assert read_power(sun, scale=4000.0).power_w(0) == 2000.0
    assert read_power(sun, column="other_w").power_w(0) == 7.0


def test_a_missing_value_holds_the_last_and_is_counted(csv_file: WriteCsv) -> None:
    load = read_power(csv_file("time_s,power_w\n0,\n1,100\n2,nan\n3,what\n4,inf\n5,300\n6\n"))
    assert load.gaps == 5
    assert [load.power_w(at_s) for at_s in (0, 1, 4, 5, 9)] == [100.0, 100.0, 100.0, 300.0, 300.0]


def test_one_day_of_many_or_all_in_a_row(csv_file: WriteCsv) -> None:
    path = csv_file("day,time_s,load_w\nmon,0,1\nmon,1,2\ntue,0,3\ntue,1,4\n")
    assert read_power(path, day="tue").power_w(0) == 3.0
    assert [read_power(path).power_w(at_s) for at_s in range(5)] == [1.0, 2.0, 3.0, 4.0, 4.0]


def test_a_record_read_to_repeat_lasts_one_step_longer_than_its_last_sample(
    csv_file: WriteCsv,
) -> None:
    load = read_power(csv_file("time_s,power_w\n0,1\n10,2\n"), repeat=True)
    assert [load.power_w(at_s) for at_s in (15, 20, 30)] == [2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("power_w\n1\n", "no column 'time_s'"),
        ("time_s,volts\n0,1\n", "none of the columns power_w"),
        ("time_s,power_w\n0,1\n5,1\n4,1\n", "goes back or is missing in data row 3"),
        ("time_s,power_w\n0,1\n,1\n", "goes back or is missing in data row 2"),
        ("time_s,power_w\n0,x\n", "no usable sample"),
        ("time_s,power_w\n", "no usable sample"),
        ("", "no column 'time_s'"),
    ],
)
def test_a_bad_file_says_what_is_wrong(csv_file: WriteCsv, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read_power(csv_file(text))
    assert "load.csv" in caught.value.where
    assert caught.value.remedy


def test_a_day_that_is_not_there_is_refused_with_those_that_are(csv_file: WriteCsv) -> None:
    path = csv_file("day,time_s,power_w\nmon,0,1\ntue,0,3\n")
    with pytest.raises(ConfigError, match="It has: mon, tue"):
        read_power(path, day="sun")
    with pytest.raises(ConfigError, match="no day column"):
        read_power(csv_file("time_s,power_w\n0,1\n"), day="mon")


@pytest.mark.parametrize(
    ("name", "says"),
    [("load.txt", "neither .csv nor .parquet"), ("nowhere.csv", "no such file")],
)
def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_power(tmp_path / name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_bytes(b"time_s,power_w\n\xff\xfe\xfd,1\n")
    with pytest.raises(ConfigError, match="cannot be read as CSV"):
        read_power(path)


def test_a_parquet_file_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "load.parquet"
    columns = {"day": ["a", "a", "b"], "time_s": [0, 60, 0], "power_w": [100, None, 300]}
    parquet.write_table(pyarrow.table(columns), path)
    load = read_power(path)
    assert [load.power_w(at_s) for at_s in (0, 60, 120)] == [100.0, 100.0, 300.0]
    assert load.gaps == 1
    assert read_power(path, day="b").power_w(0) == 300.0


def test_a_file_that_only_claims_to_be_parquet_is_refused(csv_file: WriteCsv) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(ConfigError, match="not a Parquet file"):
        read_power(csv_file("time_s,power_w\n", name="load.parquet"))


def test_without_pyarrow_the_error_names_the_extra(
    csv_file: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"gridzero\[parquet\]"):
        read_power(csv_file("", name="load.parquet"))


def test_the_sun_rises_peaks_and_sets() -> None:
    sun = Sun(5000.0, sunrise_h=6.0, sunset_h=18.0, cloudiness=0.0)
    assert sun.power_w(5.9 * 3600) == sun.power_w(18.1 * 3600) == 0.0
    assert 4600.0 < sun.power_w(12 * 3600) <= 5000.0
    assert sun.power_w(7 * 3600) < sun.power_w(9 * 3600) < sun.power_w(12 * 3600)


def test_clouds_take_power_in_ramps_not_in_jumps() -> None:
    sun = Sun(4000.0, cloudiness=0.6, seed=3)
    day = [sun.power_w(float(second)) for second in range(int(DAY_S))]
    assert all(0.0 <= power_w <= 4000.0 for power_w in day)
    assert max(abs(b - a) for a, b in itertools.pairwise(day)) < 1000.0
    assert min(day[11 * 3600 : 15 * 3600]) < 2500.0


def test_the_sky_depends_on_the_seed_and_on_the_day_only() -> None:
    first, again, other = Sun(4000.0, seed=1), Sun(4000.0, seed=1), Sun(4000.0, seed=2)
    noons = [day * DAY_S + 43200.0 for day in (0, 1, 2)]
    forward = [first.power_w(at_s) for at_s in noons]
    assert [again.power_w(at_s) for at_s in reversed(noons)] == forward[::-1]
    assert [other.power_w(at_s) for at_s in noons] != forward
