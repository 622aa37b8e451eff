"""What a history holds, and how many bytes a day costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from gridzero.outputs.history.moments import shown
from gridzero.outputs.history.reader import HistoryReader
from gridzero.outputs.history.samples import DAY_DS, DS_PER_S

_TITLES = {
    "raw": "each second",
    "minute": "minutes",
    "hour": "hours",
    "cell": "cells",
    "record": "events",
}
_RECORD_BYTES = (
    "length(kind) + length(code) + length(subject) + length(severity) + length(text)"
    " + length(remedy) + 12"
)


class _Span(NamedTuple):
    """First and last moment, tenths of a second since 1970."""

    oldest: int
    newest: int


class Part(NamedTuple):
    """One table. per_day: bytes of its newest day, scaled up where there is less than a day."""

    table: str
    rows: int
    bytes: int
    oldest_s: float | None
    newest_s: float | None
    per_day: float | None


class Info(NamedTuple):
    """A history. bytes: of the file and what SQLite has beside it."""

    file: str
    bytes: int
    version: int
    parts: tuple[Part, ...]

    @property
    def per_day(self) -> float:
        """Bytes that a day adds, of everything."""
        return sum(part.per_day or 0 for part in self.parts)


def info_of(file: Path) -> Info:
    """Raises HistoryError."""
    with HistoryReader(file) as reader:
        recorded = _span(reader, "raw")
        parts = tuple(_part(reader, table, recorded) for table in _TITLES)
        version = int(reader.query("PRAGMA user_version")[0][0])
    beside = (file, file.with_name(f"{file.name}-wal"))
    size = sum(one.stat().st_size for one in beside if one.exists())
    return Info(str(file), size, version, parts)


def _part(reader: HistoryReader, table: str, recorded: _Span | None) -> Part:
    """recorded: of each second. Where nothing happens there are no events, but time passes."""
    span = _span(reader, table)
    if span is None:
        return Part(table, 0, 0, None, None, None)
    size = _RECORD_BYTES if table == "record" else "length(body)"
    every = f"count(*), total({size}) FROM {table}"
    rows, total = reader.query(f"SELECT {every}")[0]
    lived = _joined(span, recorded) if recorded and table == "record" else span
    begin, since = _bounds(table)[0], lived.newest - DAY_DS
    recent = reader.query(f"SELECT total({size}) FROM {table} WHERE {begin} >= ?", (since,))[0][0]  # noqa: S608 - own names
    covered = min(DAY_DS, max(lived.newest - lived.oldest, 1))
    per_day = recent * DAY_DS / covered if lived.newest > lived.oldest else None
    return Part(table, rows, int(total), span.oldest / DS_PER_S, span.newest / DS_PER_S, per_day)


def _span(reader: HistoryReader, table: str) -> _Span | None:
    begin, end = _bounds(table)
    ends = f"min({begin}), max({end}) FROM {table}"
    oldest, newest = reader.query(f"SELECT {ends}")[0]
    return None if oldest is None else _Span(oldest, newest)


def _bounds(table: str) -> tuple[str, str]:
    return ("at_ds", "at_ds") if table == "record" else ("from_ds", "to_ds")


def _joined(one: _Span, other: _Span) -> _Span:
    return _Span(min(one.oldest, other.oldest), max(one.newest, other.newest))


def in_words(info: Info) -> str:
    """A small table for people."""
    lines = [f"{info.file}: {_mb(info.bytes)} MB, version {info.version}"]
    lines.append(f"{'':12}  {'rows':>9}  {'MB':>8}  {'kB/day':>8}  {'from':19}  to")
    for part in info.parts:
        per_day = "-" if part.per_day is None else f"{part.per_day / 1000:.1f}"
        lines.append(
            f"{_TITLES[part.table]:12}  {part.rows:>9}  {_mb(part.bytes):>8}  {per_day:>8}"
            f"  {shown(part.oldest_s):19}  {shown(part.newest_s)}"
        )
    lines.append(f"a day adds about {info.per_day / 1000:.0f} kB")
    return "\n".join(lines)


def plain(info: Info) -> dict[str, Any]:
    """For json.dumps."""
    return {
        **info._asdict(),
        "parts": [part._asdict() for part in info.parts],
        "per_day": info.per_day,
    }


def _mb(size: float) -> str:
    return f"{size / 1e6:.2f}"
