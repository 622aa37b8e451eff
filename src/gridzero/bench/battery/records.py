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
"""fitted: the cell's resistance comes from this file, so it is no test. aged: of July, when the
cell had about 2.80 Ah by the fit, while its true state of charge is counted with 2.997 Ah."""


class Sample(NamedTuple):
    """One second. current_a > 0 discharges, unlike in the file."""

    time_s: float
    volts: float
    current_a: float
    temp_c: float
    soc: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """One file. goal: the RMS error that is asked for, %; None = none is."""

    name: str
    note: str
    samples: Sequence[Sample]

    @property
    def goal(self) -> float | None:
        """The goal of 1.5 % holds for 10 to 40 degC; the aged cell's truth is not known."""
        return None if "aged" in self.note or "below" in self.note else 1.5


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
    for row in zip(*(_columns(file)[name] for name in _COLUMNS), strict=True):
        if None in row or (seconds is not None and row[0] > seconds):
            continue
        time_s, volts, charge_a, temp_c, soc = row
        yield Sample(float(time_s), volts, -charge_a, temp_c, soc)


def _columns(file: Path) -> dict[str, list[Any]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an optional extra
    except ImportError:
        remedy = "Install the extra: pip install 'gridzero[parquet]'"
        raise ConfigError("reading Parquet needs pyarrow", where=str(file), remedy=remedy) from None
    try:
        table = parquet.read_table(file, columns=list(_COLUMNS))
    except (ArrowException, OSError, ValueError) as error:
        raise ConfigError(
            f"it cannot be used ({error})", where=str(file), remedy="Check the file"
        ) from error
    return {name: table.column(name).to_pylist() for name in _COLUMNS}
