"""Ageing measurements of single cells, as lists of rows (see the README beside the files)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from gridzero.bench.battery.records import columns as columns_of

Rows = list[dict[str, Any]]


def rows(file: Path, names: Sequence[str]) -> Rows:
    """All rows of a Parquet file; none when it is missing. Raises ConfigError for a bad one."""
    if not file.is_file():
        return []
    return [
        dict(zip(names, row, strict=True)) for row in zip(*columns_of(file, names), strict=True)
    ]


class Discharge(NamedTuple):
    """One discharge from full. samples: (s, A with > 0 discharge). ah: capacity as they say.

    rest_v: voltage some minutes after its end.
    """

    samples: list[tuple[float, float]]
    rest_v: float
    ah: float


def nasa_discharges(data: Path, cell: str) -> list[Discharge]:
    """The complete discharges of a cell of the NASA set, in order."""
    capacities = {
        row["test_id"]: row["capacity_ah"]
        for row in rows(data / "nasa_pcoe_cycles.parquet", ("battery", "test_id", "capacity_ah"))
        if row["battery"] == cell and row["capacity_ah"]
    }
    columns = ("test_id", "time_s", "voltage_v", "current_a", "type")
    raw = rows(data / f"nasa_pcoe_{cell}_raw.parquet", columns)
    tests = groupby((row for row in raw if row["type"] == "discharge"), key=itemgetter("test_id"))
    return [
        _discharge(list(test), capacities[test_id])
        for test_id, test in tests
        if test_id in capacities
    ]


def panasonic_discharges(data: Path) -> list[tuple[str, Discharge]]:
    """The 1C discharges before and after the Panasonic series, with their names."""
    columns = ("test", "time_s", "voltage_v", "current_a", "ah")
    raw = rows(data / "panasonic_pf_25degC_1C_start_vs_end.parquet", columns)
    made = []
    for name, group in groupby(raw, key=itemgetter("test")):
        test = list(group)
        made.append((name, _discharge(test, test[0]["ah"] - test[-1]["ah"])))
    return made


def _discharge(test: Rows, ah: float) -> Discharge:
    samples = [(float(row["time_s"]), -float(row["current_a"])) for row in test]
    return Discharge(samples, float(test[-1]["voltage_v"]), float(ah))


class RestTable:
    """State of charge over voltage at rest, from a slow discharge and charge."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """points: (V, state of charge), any order."""
        self._points = sorted(points)
        self._volts = [volts for volts, _ in self._points]

    @classmethod
    def read(cls, data: Path, cell: str) -> RestTable | None:
        """The mean branch of a cell at C/20; None when it is not there."""
        columns = ("cell", "rate", "soc", "v_mean")
        raw = rows(data / "ocv_soc_tables.parquet", columns)
        points = [
            (row["v_mean"], row["soc"])
            for row in raw
            if row["cell"] == cell and row["rate"] == "C/20" and row["v_mean"]
        ]
        return cls(points) if points else None

    def soc(self, volts: float) -> float:
        """0..1, straight between points."""
        place = min(max(bisect_right(self._volts, volts), 1), len(self._points) - 1)
        (v0, s0), (v1, s1) = self._points[place - 1 : place + 1]
        part = (volts - v0) / (v1 - v0) if v1 > v0 else 0.0
        return min(1.0, max(0.0, s0 + part * (s1 - s0)))
