"""Measured drive cycles of one cell, and what is known about each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gridzero.errors import ConfigError

_PATTERN = "panasonic_pf_*degC_*_1s.parquet"
_COLUMNS = ("time_s", "voltage_v", "current_a", "temp_c", "soc_true")

NOTES = {
    "25degC_Cycle1": "fitted",
    "10degC_trise_Cycle1": "fitted, aged",
    "0degC_UDDS": "below 10 degC",
}
"""fitted: the cell's resistance comes from this file, so it is no test.
aged: of July, see below."""

AGED_AH = {"10degC_trise_Cycle1": 2.80}
"""Capacity by the fit where the file's own truth is counted with that of a younger cell."""


class Sample(NamedTuple):
    """One second. current_a > 0 discharges, unlike in the file."""

    time_s: float
    volts: float
    current_a: float
    temp_c: float
    soc: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """One file. goal: the RMS error that is asked for, %; None = none is.

    capacity_ah: what the estimator is told and the truth is counted with; None = as in the file.
    """

    name: str
    note: str
    samples: Sequence[Sample]
    capacity_ah: float | None = None

    @property
    def goal(self) -> float | None:
        """The goal of 1.5 % holds for 10 to 40 degC."""
        return None if "below" in self.note else 1.5

    def counted_with(self, capacity_ah: float, file_ah: float) -> Cycle:
        """The same drive, its truth counted with another capacity than the file's."""
        factor = file_ah / capacity_ah
        samples = [s._replace(soc=1.0 - (1.0 - s.soc) * factor) for s in self.samples]
        name = f"{self.name}, {capacity_ah:.2f} Ah"
        return Cycle(name, self.note, samples, capacity_ah)


def cycles(data: Path, seconds: float | None = None) -> Iterator[Cycle]:
    """All drive cycles in a folder, or in its folder ``battery``; only so long if told.

    Raises ConfigError when there are none, or when they cannot be read.
    """
    files = sorted(data.glob(_PATTERN)) or sorted(data.glob(f"battery/{_PATTERN}"))
    if not files:
        remedy = f"Give a folder with {_PATTERN}"
        raise ConfigError("it holds no drive cycles", where=str(data), remedy=remedy)
    for file in files:
        name = file.stem.removeprefix("panasonic_pf_").removesuffix("_1s")
        yield Cycle(name, NOTES.get(name, ""), list(_samples(file, seconds)))


def _samples(file: Path, seconds: float | None) -> Iterator[Sample]:
    """Rows without holes."""
    for row in zip(*columns(file, _COLUMNS), strict=True):
        if None in row or (seconds is not None and row[0] > seconds):
            continue
        time_s, volts, charge_a, temp_c, soc = row
        yield Sample(float(time_s), volts, -charge_a, temp_c, soc)


def columns(file: Path, names: Sequence[str]) -> list[list[Any]]:
    """These columns of a Parquet file. Raises ConfigError without the extra, or for a bad file."""
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an optional extra
    except ImportError:
        remedy = "Install the extra: pip install 'gridzero[parquet]'"
        raise ConfigError("reading Parquet needs pyarrow", where=str(file), remedy=remedy) from None
    try:
        table = parquet.read_table(file, columns=list(names))
    except (ArrowException, OSError, ValueError) as error:
        raise ConfigError(
            f"it cannot be used ({error})", where=str(file), remedy="Check the file"
        ) from error
    return [table.column(name).to_pylist() for name in names]
