"""Rows of roll-ups and cells, gathered in blocks of an hour or a day that are written anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from gridzero.outputs.history.tables import Layouts, Table, frames, put

_KEPT = 2  # periods in memory: the present one, and the one before around the full hour


class Periods:
    """One table whose blocks are whole periods: rows are set here and written by flush()."""

    def __init__(self, connection: sqlite3.Connection, layouts: Layouts, table: Table) -> None:
        self._connection, self._layouts, self._table = connection, layouts, table
        self._open: dict[int, dict[int, dict[str, int]]] = {}
        self._changed: set[int] = set()

    def set(self, at_ds: int, row: dict[str, int]) -> None:
        """Put the row of a time in its place."""
        period = self._period(at_ds)
        self._rows(period)[at_ds] = row
        self._changed.add(period)

    def get(self, at_ds: int) -> dict[str, int]:
        """The row of a time; {} when there is none."""
        return self._rows(self._period(at_ds)).get(at_ds, {})

    def between(self, from_ds: int, to_ds: int) -> Iterator[tuple[int, dict[str, int]]]:
        """Rows of [from_ds, to_ds), oldest first; a span within one period."""
        rows = self._rows(self._period(from_ds))
        return ((at_ds, rows[at_ds]) for at_ds in sorted(rows) if from_ds <= at_ds < to_ds)

    def newest_ds(self) -> int | None:
        """Time of the newest row that is in the file."""
        query = f"SELECT max(to_ds) FROM {self._table.name}"  # noqa: S608 - own names
        found: int | None = self._connection.execute(query).fetchone()[0]
        return found

    def flush(self) -> None:
        """Write what has changed."""
        for period in sorted(self._changed):
            rows = sorted(self._open[period].items())
            put(self._connection, self._layouts, self._table, period, rows)
        self._changed.clear()
        for period in sorted(self._open)[:-_KEPT]:
            del self._open[period]

    def forget(self) -> None:
        """Believe only the file: after a transaction that was undone."""
        self._open.clear()
        self._changed.clear()

    def _period(self, at_ds: int) -> int:
        return at_ds - at_ds % self._table.longest_ds

    def _rows(self, period: int) -> dict[int, dict[str, int]]:
        if period not in self._open:
            self._open[period] = self._read(period)
        return self._open[period]

    def _read(self, period: int) -> dict[int, dict[str, int]]:
        end = period + self._table.longest_ds
        found = frames(self._connection, self._layouts, self._table, period, end)
        return {at_ds: row for frame in found for at_ds, row in frame.rows()}
