"""History to CSV or Parquet, a few thousand rows at a time, whatever the span."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gridzero.errors import ConfigError
from gridzero.outputs.history.catalogue import Kind, Series, series_of
from gridzero.outputs.history.moments import iso_utc
from gridzero.outputs.history.points import scaled
from gridzero.outputs.history.reader import HistoryReader
from gridzero.outputs.history.roll_up import HELD, KNOWN
from gridzero.outputs.history.samples import DS_PER_S
from gridzero.outputs.history.tables import CELL, HOUR, MINUTE, RAW, Frame, Table
from gridzero.outputs.history.words import Words

AT: Final = "at_utc"
WHATS: Final = ("raw", "minute", "hour", "cells", "events")
FORMATS: Final = ("csv", "parquet")
STDOUT: Final = "-"
_TABLES: Mapping[str, Table] = {"raw": RAW, "minute": MINUTE, "hour": HOUR, "cells": CELL}
_EVENT_COLUMNS = ("kind", "code", "subject", "severity", "active", "text", "remedy")
_GROUP = 20_000
_DAY_S = 86_400.0

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """columns: name and kind (time, number, word, truth). parts: rows, some at a time."""

    columns: list[tuple[str, str]]
    parts: Iterator[Rows]


def sheet_of(reader: HistoryReader, what: str, from_s: float, to_s: float) -> Sheet:
    """One of WHATS as rows. Raises HistoryError, also while it is read."""
    if what == "events":
        kinds = ["truth" if name == "active" else "word" for name in _EVENT_COLUMNS]
        head = [(AT, "time"), *zip(_EVENT_COLUMNS, kinds, strict=True)]
        return Sheet(head, _events(reader, from_s, to_s))
    table = _TABLES[what]
    stored = reader.stored_columns(table)
    columns = [_Out.of(name) for name in stored]
    head = [(AT, "time"), *((out.title, out.kind) for out in columns)]
    return Sheet(head, _blocks(reader, table, from_s, to_s, columns))


@dataclass(frozen=True, slots=True)
class _Out:
    """A stored column as it is exported."""

    stored: str
    title: str
    series: Series | None

    @classmethod
    def of(cls, stored: str) -> _Out:
        """``grid_w:low`` becomes grid_w_low, in W; how long something was known, in seconds."""
        name, _, ending = stored.partition(":")
        is_time = stored == HELD or stored.endswith(KNOWN)
        title = f"{name}_{ending}" if ending else name
        return cls(stored, f"{title}_s" if is_time else title, None if is_time else series_of(name))

    @property
    def kind(self) -> str:
        return "word" if self.series is not None and self.series.kind is Kind.WORD else "number"

    def value(self, number: int | None, words: Words) -> float | str | None:
        if number is None:
            return None
        if self.series is None:
            return number / DS_PER_S
        return words.text(number) if self.kind == "word" else scaled(number, self.series)


def _blocks(
    reader: HistoryReader, table: Table, from_s: float, to_s: float, columns: Sequence[_Out]
) -> Iterator[Rows]:
    """Day by day, so that no reading transaction is long."""
    for begin_s, end_s in _spans(*reader.span(table, from_s, to_s)):
        for frame, words in reader.table_frames(table, begin_s, end_s):
            yield list(_rows(frame, columns, words))


def _rows(frame: Frame, columns: Sequence[_Out], words: Words) -> Iterator[list[Any]]:
    unknown = [None] * len(frame.at_ds)
    values = [
        [out.value(number, words) for number in frame.columns.get(out.stored, unknown)]
        for out in columns
    ]
    for at_ds, *row in zip(frame.at_ds, *values, strict=True):
        yield [at_ds / DS_PER_S, *row]


def _events(reader: HistoryReader, from_s: float, to_s: float) -> Iterator[Rows]:
    kinds = ("event", "setting", "decision")
    for begin_s, end_s in _spans(*reader.record_span(from_s, to_s)):
        found = reader.events(begin_s, end_s, kinds, most=10**7)
        yield [list(record) for record in reversed(found)]


def _spans(from_s: float, to_s: float) -> Iterator[tuple[float, float]]:
    while from_s < to_s:
        end_s = min(from_s + _DAY_S, to_s)
        yield from_s, end_s
        from_s = end_s


def write(sheet: Sheet, form: str, target: str) -> int:
    """Write to a file, whole or not at all; ``-`` is standard output. Returns the rows written.

    Raises ConfigError where pyarrow is missing or a table cannot go to standard output.
    """
    writers: dict[str, Callable[[Sheet, str], int]] = {"csv": _csv, "parquet": _parquet}
    return writers[form](sheet, target)


def _csv(sheet: Sheet, target: str) -> int:
    if target == STDOUT:
        return _csv_rows(sheet, sys.stdout)
    with _whole(target) as fresh, fresh.open("w", newline="", encoding="utf-8") as file:
        return _csv_rows(sheet, file)


def _csv_rows(sheet: Sheet, file: Any) -> int:
    writer, count = csv.writer(file, lineterminator="\n"), 0
    writer.writerow(name for name, _ in sheet.columns)
    for rows in sheet.parts:
        writer.writerows([iso_utc(row[0]), *map(_cell, row[1:])] for row in rows)
        count += len(rows)
    return count


def _cell(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _parquet(sheet: Sheet, target: str) -> int:
    if target == STDOUT:
        raise ConfigError("Parquet needs a file", where="-o", remedy="Give a name, or take csv")
    arrow, parquet = _pyarrow()
    types = {
        "time": arrow.timestamp("ms", tz="UTC"),
        "number": arrow.float64(),
        "word": arrow.string(),
        "truth": arrow.bool_(),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in sheet.columns])
    count = 0
    with _whole(target) as fresh, parquet.ParquetWriter(fresh, schema, compression="zstd") as out:
        for rows in _grouped(sheet.parts):
            out.write_table(_arrow_table(arrow, schema, rows))
            count += len(rows)
    return count


def _arrow_table(arrow: Any, schema: Any, rows: Rows) -> Any:
    at, *others = zip(*rows, strict=True)
    columns = [[round(at_s * 1000) for at_s in at], *map(list, others)]
    arrays = [
        arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return arrow.Table.from_arrays(arrays, schema=schema)


def _grouped(parts: Iterator[Rows]) -> Iterator[Rows]:
    group: list[Sequence[Any]] = []
    for rows in parts:
        group.extend(rows)
        if len(group) >= _GROUP:
            yield group
            group = []
    if group:
        yield group


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, large
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "Parquet needs pyarrow, which is not installed",
            where="--format parquet",
            remedy="pip install 'gridzero[parquet]', or take --format csv",
        ) from None
    return pa, parquet


@contextmanager
def _whole(target: str) -> Iterator[Path]:
    """A file beside the target that takes its place at the end."""
    final = Path(target)
    fresh = final.with_name(f"{final.name}.part")
    try:
        yield fresh
        fresh.replace(final)
    except OSError as error:
        raise ConfigError(
            f"it cannot be written: {error.strerror or error}",
            where=target,
            remedy="Give another file with -o",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
