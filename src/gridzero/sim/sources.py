"""Where the power of the simulated house and its sun comes from: constants, steps, files, sky.

A source is a function of time that holds its last value. Asked for rising times it costs a few
hundred nanoseconds, whatever the length of the record.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite, pi, sin
from pathlib import Path
from random import Random
from typing import Any, Protocol

from gridzero.errors import ConfigError

DAY_S = 86400.0
_POWER_COLUMNS = ("power_w", "load_w", "pv_w", "pv_pu")
_PART_COLUMNS = ("day", "recording")


class PowerSource(Protocol):
    """Power over time."""

    def power_w(self, at_s: float) -> float:
        """W at this moment; seconds from midnight of the first day."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same power."""

    value_w: float

    def power_w(self, _at_s: float) -> float:
        """W."""
        return self.value_w


class Samples:
    """A record whose last sample holds until the next. Before the first, the first holds.

    times_s must not fall; of samples at the same time the last counts. repeat_s: the record
    starts anew after so many seconds. gaps: how many samples had no value and were left out.
    """

    def __init__(
        self,
        times_s: Sequence[float],
        powers_w: Sequence[float],
        *,
        repeat_s: float | None = None,
        gaps: int = 0,
    ) -> None:
        if not times_s or len(times_s) != len(powers_w):
            raise ValueError("a record needs samples, and as many times as powers")
        self.gaps = gaps
        self._times_s = times_s
        self._powers_w = powers_w
        self._repeat_s = repeat_s
        self._here = 0

    @property
    def seconds(self) -> float:
        """Time of the last sample."""
        return self._times_s[-1]

    def power_w(self, at_s: float) -> float:
        """W; looks ahead from the last place, and searches only after a jump."""
        if self._repeat_s:
            at_s %= self._repeat_s
        times_s, here = self._times_s, self._here
        last = len(times_s) - 1
        if at_s < times_s[here]:
            here = max(bisect_right(times_s, at_s) - 1, 0)
        elif here < last and at_s >= times_s[here + 1]:
            here += 1
            if here < last and at_s >= times_s[here + 1]:
                here = bisect_right(times_s, at_s, lo=here) - 1
        self._here = here
        return self._powers_w[here]


def steps(*changes: tuple[float, float], repeat_s: float | None = None) -> Samples:
    """A source from (from this time in s, this power in W) pairs in order of time."""
    return Samples([at_s for at_s, _ in changes], [w for _, w in changes], repeat_s=repeat_s)


@dataclass(slots=True)
class Sun:
    """A clear half-sine between sunrise and sunset, with clouds that come and go in ramps.

    peak_w: at noon without clouds. cloudiness: share of the time under cloud, 0..1. The same
    seed gives the same sky; each day has its own.
    """

    peak_w: float
    sunrise_h: float = 6.5
    sunset_h: float = 19.5
    cloudiness: float = 0.3
    seed: int = 1
    _day: int | None = field(default=None, init=False)
    _marks_s: list[float] = field(default_factory=list, init=False)
    _clear: list[float] = field(default_factory=list, init=False)
    _here: int = field(default=0, init=False)

    def power_w(self, at_s: float) -> float:
        """W at this moment of a day that repeats with other clouds."""
        day, second = divmod(at_s, DAY_S)
        hour = second / 3600.0
        if not self.sunrise_h < hour < self.sunset_h:
            return 0.0
        if day != self._day:
            self._paint(int(day))
        height = sin(pi * (hour - self.sunrise_h) / (self.sunset_h - self.sunrise_h))
        return self.peak_w * height * self._clearness(second)

    def _clearness(self, second: float) -> float:
        marks_s, here = self._marks_s, self._here
        if not marks_s[here] <= second < marks_s[here + 1]:
            self._here = here = bisect_right(marks_s, second) - 1
        part = (second - marks_s[here]) / (marks_s[here + 1] - marks_s[here])
        return self._clear[here] + part * (self._clear[here + 1] - self._clear[here])

    def _paint(self, day: int) -> None:
        """Lay out one day: clear and cloudy spells with ramps of 4 to 40 s between them."""
        dice = Random(f"sun/{self.seed}/{day}")
        self._day, self._here = day, 0
        self._marks_s, self._clear = [0.0], [1.0]
        while self._marks_s[-1] < DAY_S:
            cloudy = dice.random() < self.cloudiness
            clear = dice.uniform(0.18, 0.7) if cloudy else dice.uniform(0.95, 1.0)
            ramp_s = dice.uniform(4.0, 40.0)
            self._add(ramp_s, clear)
            self._add(dice.expovariate(1 / 300.0) + 20.0, clear * dice.uniform(0.97, 1.0))

    def _add(self, seconds: float, clear: float) -> None:
        self._marks_s.append(self._marks_s[-1] + seconds)
        self._clear.append(clear)


def read_power(
    path: str | Path,
    *,
    column: str | None = None,
    scale: float = 1.0,
    day: str | None = None,
    repeat: bool = False,
) -> Samples:
    """Read a record from a .csv or .parquet file.

    The file has time_s and a power column: power_w, load_w, pv_w or pv_pu, or the one named.
    scale: what a value is multiplied with to give W (the peak power for per-unit values).
    day: which part of a file that has a ``day`` or ``recording`` column; without it the parts
    follow each other. repeat: start anew when the record ends. Values that are empty or not
    finite hold the last one and are counted in ``gaps``. Raises ConfigError.
    """
    path = Path(path)
    table = _table(path)
    times_s = _column(table, "time_s", path)
    values = _column(table, column or _power_column(table, path), path)
    parts = next((table[name] for name in _PART_COLUMNS if name in table), None)
    if day is not None:
        times_s, values = _one_part(times_s, values, parts, day, path)
    elif parts is not None:
        times_s = _in_a_row(times_s, parts)
    return _samples(times_s, values, scale=scale, repeat=repeat, path=path)


def _samples(
    times_s: list[float], values: list[float], *, scale: float, repeat: bool, path: Path
) -> Samples:
    kept_s: list[float] = []
    kept_w: list[float] = []
    newest_s = float("-inf")
    for row, (at_s, value) in enumerate(zip(times_s, values, strict=True), start=1):
        if not at_s >= newest_s:
            raise _bad(path, f"time_s goes back or is missing in data row {row}", "Sort the rows")
        newest_s = at_s
        if isfinite(value):
            kept_s.append(at_s)
            kept_w.append(value * scale)
    if not kept_s:
        raise _bad(path, "it holds no usable sample", "Give a file with numbers in it")
    length_s = kept_s[-1] + _usual_step_s(times_s) if repeat else None
    return Samples(kept_s, kept_w, repeat_s=length_s, gaps=len(times_s) - len(kept_s))


def _usual_step_s(times_s: Sequence[float]) -> float:
    """How long the last sample of a record lasts: as long as the first, at least 1 s."""
    return max(times_s[1] - times_s[0], 1.0) if len(times_s) > 1 else 1.0


def _one_part(
    times_s: list[float], values: list[float], parts: Sequence[Any] | None, day: str, path: Path
) -> tuple[list[float], list[float]]:
    names = sorted({str(part) for part in parts or ()})
    if day not in names:
        there = ", ".join(names) or "no day column"
        raise _bad(path, f"it has no day {day!r}", f"It has: {there}")
    rows = [i for i, part in enumerate(parts or ()) if str(part) == day]
    return [times_s[i] for i in rows], [values[i] for i in rows]


def _in_a_row(times_s: list[float], parts: Sequence[Any]) -> list[float]:
    """Shift each part so that it starts where the one before it ended."""
    shifted: list[float] = []
    start_s = 0.0
    for _, rows in groupby(range(len(parts)), key=lambda i: parts[i]):
        part_s = [times_s[i] for i in rows]
        shifted.extend(start_s + at_s for at_s in part_s)
        start_s += part_s[-1] + _usual_step_s(part_s)
    return shifted


def _power_column(table: dict[str, Sequence[Any]], path: Path) -> str:
    for name in _POWER_COLUMNS:
        if name in table:
            return name
    wanted = ", ".join(_POWER_COLUMNS)
    raise _bad(path, f"it has none of the columns {wanted}", "Name the column to use")


def _column(table: dict[str, Sequence[Any]], name: str, path: Path) -> list[float]:
    if name not in table:
        raise _bad(path, f"it has no column {name!r}", f"It has: {', '.join(table) or 'none'}")
    return [_number(value) for value in table[name]]


def _number(value: Any) -> float:
    """A float; NaN for what is empty or no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _table(path: Path) -> dict[str, Sequence[Any]]:
    readers: dict[str, Callable[[Path], dict[str, Sequence[Any]]]]
    readers = {".csv": _csv, ".parquet": _parquet}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise _bad(path, "it is neither .csv nor .parquet", "Give one of these")
    if not path.is_file():
        raise _bad(path, "there is no such file", "Check the path")
    return read(path)


def _csv(path: Path) -> dict[str, Sequence[Any]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _columns(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad(path, f"it cannot be read as CSV ({error})", "Save it as UTF-8 text") from error


def _columns(rows: Iterable[list[str]]) -> dict[str, Sequence[Any]]:
    header, *body = [row for row in rows if row] or [[]]
    names = [name.strip() for name in header]
    width = len(names)
    full = [(row + [""] * width)[:width] for row in body]
    return dict(zip(names, map(list, zip(*full, strict=True)), strict=False)) or {
        name: [] for name in names
    }


def _parquet(path: Path) -> dict[str, Sequence[Any]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an optional extra
    except ImportError:
        remedy = "Install the extra: pip install 'gridzero[parquet]', or give a .csv file"
        raise _bad(path, "reading Parquet needs pyarrow", remedy) from None
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError) as error:
        raise _bad(path, f"it is not a Parquet file ({error})", "Check the file") from error
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _bad(path: Path, what: str, remedy: str) -> ConfigError:
    return ConfigError(what, where=str(path), remedy=remedy)
