"""What is too old or too much is forgotten: raw values first, then cells, minutes, records.

A little at a time: at most a day of each table per call, so that a clock that is wrong for an hour
costs a few days at the old end and not the whole history, and no call takes long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from gridzero.outputs.history.samples import DAY_DS
from gridzero.outputs.history.schema import pragma

_MB = 1_000_000
_WAL_BYTES = 6_000_000  # what SQLite may have beside the file, checkpointed at 4 MB
_DAYS_PER_YEAR = 366
_VACUUM_PAGES = 4000
_MOST_ROUNDS = 40
_ENOUGH = 0.95


class Bounds(NamedTuple):
    """How long and how much to keep."""

    raw_days: float
    minute_days: float
    hour_years: float
    max_mb: float

    @property
    def most_bytes(self) -> float:
        """What the file itself may hold."""
        return self.max_mb * _MB - _WAL_BYTES


class _Part(NamedTuple):
    """Rows of a table that grow old together. span_ds: how much of them goes at once."""

    table: str
    column: str
    where: str
    span_ds: int = DAY_DS


_RAW = _Part("raw", "from_ds", "1")
_DECISIONS = _Part("record", "at_ds", "kind = 'decision'")
_CELLS, _MINUTES = _Part("cell", "from_ds", "1"), _Part("minute", "from_ds", "1")
_EVENTS = _Part("record", "at_ds", "kind != 'decision'", 30 * DAY_DS)
_HOURS = _Part("hour", "from_ds", "1", 30 * DAY_DS)
_FIRST_TO_GO = (_RAW, _DECISIONS, _CELLS, _MINUTES, _EVENTS, _HOURS)


def prune(connection: sqlite3.Connection, now_ds: int, bounds: Bounds) -> bool:
    """Forget the oldest; True when something was. Raises sqlite3.Error."""
    gone = sum(_delete(connection, part, before) for part, before in _too_old(now_ds, bounds))
    for _ in range(_MOST_ROUNDS):
        if used_bytes(connection) <= bounds.most_bytes * (_ENOUGH if gone else 1):
            break
        less = next((n for part in _FIRST_TO_GO if (n := _delete(connection, part))), 0)
        if not less:
            break
        gone += less
    if gone:
        connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
    return gone > 0


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the pages in use."""
    pages = pragma(connection, "page_count") - pragma(connection, "freelist_count")
    return pages * pragma(connection, "page_size")


def _too_old(now_ds: int, bounds: Bounds) -> Iterator[tuple[_Part, int]]:
    raw = now_ds - round(bounds.raw_days * DAY_DS)
    minutes = now_ds - round(bounds.minute_days * DAY_DS)
    hours = now_ds - round(bounds.hour_years * _DAYS_PER_YEAR * DAY_DS)
    yield from ((_RAW, raw), (_DECISIONS, raw), (_CELLS, minutes), (_MINUTES, minutes))
    yield from ((_EVENTS, hours), (_HOURS, hours))


def _delete(connection: sqlite3.Connection, part: _Part, before_ds: int | None = None) -> int:
    """Delete the oldest span of a part; how many rows."""
    table, column = part.table, part.column
    query = f"SELECT min({column}), max({column}) FROM {table} WHERE {part.where}"  # noqa: S608 - own names
    oldest, newest = connection.execute(query).fetchone()
    if oldest is None or oldest == newest:
        return 0
    end = min(oldest + part.span_ds, newest, newest if before_ds is None else before_ds)
    statement = f"DELETE FROM {table} WHERE {part.where} AND {column} < ?"  # noqa: S608 - own names
    return connection.execute(statement, (end,)).rowcount
