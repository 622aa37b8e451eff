"""Tables of blocks: each row holds the values of a span, and the layout that names its columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gridzero.outputs.history.blocks import Values, decode, encode
from gridzero.outputs.history.samples import DAY_DS, HOUR_DS

Wanted = Callable[[str], bool]
"""Whether a column is asked for."""

_PAGE = 64  # blocks read at once: short transactions, little memory
_MOST_COLUMNS = 1500
_MOST_LAYOUTS = 500  # only garbage brings new names for ever


@dataclass(frozen=True, slots=True)
class Table:
    """name: in the file. longest_ds: no block spans more; roll-ups have one for each."""

    name: str
    longest_ds: int


RAW, MINUTE = Table("raw", HOUR_DS), Table("minute", HOUR_DS)
HOUR, CELL = Table("hour", DAY_DS), Table("cell", HOUR_DS)


@dataclass(frozen=True, slots=True)
class Frame:
    """Columns by name, all as long as at_ds. A name that is not there was never known."""

    at_ds: list[int]
    columns: dict[str, Values]

    def rows(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Row by row, known values only."""
        names = list(self.columns)
        for at_ds, *values in zip(self.at_ds, *self.columns.values(), strict=True):
            pairs = zip(names, values, strict=True)
            yield at_ds, {name: value for name, value in pairs if value is not None}


class Layouts:
    """Which columns a block has: a list of names, stored once and only ever extended."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: dict[int, list[str]] = {}
        self._newest: dict[str, tuple[int, list[str]]] = {}

    def forget(self) -> None:
        """After a transaction that was undone."""
        self._names.clear()
        self._newest.clear()

    def all(self) -> Iterator[list[str]]:
        """The columns of every layout."""
        return (json.loads(row[0]) for row in self._connection.execute("SELECT names FROM layout"))

    def names(self, number: int) -> list[str]:
        """Columns of a layout after the time; [] for one that is not there."""
        if number not in self._names:
            query = "SELECT names FROM layout WHERE id = ?"
            row = self._connection.execute(query, (number,)).fetchone()
            self._names[number] = json.loads(row[0]) if row else []
        return self._names[number]

    def fitting(self, table: Table, names: Iterable[str]) -> tuple[int, list[str]]:
        """A layout of the table with at least these names, made where there is none."""
        number, have = self._newest.get(table.name) or self._stored(table)
        known = set(have)
        new = [name for name in dict.fromkeys(names) if name not in known]
        if not number or (new and len(have) < _MOST_COLUMNS and not self._is_full()):
            have = [*have, *new][:_MOST_COLUMNS]
            number = self._add(have)
        self._newest[table.name] = number, have
        return number, have

    def _is_full(self) -> bool:
        query = "SELECT count(*) FROM layout"
        return int(self._connection.execute(query).fetchone()[0]) >= _MOST_LAYOUTS

    def _stored(self, table: Table) -> tuple[int, list[str]]:
        query = f"SELECT layout FROM {table.name} ORDER BY from_ds DESC LIMIT 1"  # noqa: S608 - own names
        row = self._connection.execute(query).fetchone()
        return (row[0], self.names(row[0])) if row else (0, [])

    def _add(self, names: list[str]) -> int:
        text = json.dumps(names, ensure_ascii=False, separators=(",", ":"))
        self._connection.execute("INSERT OR IGNORE INTO layout (names) VALUES (?)", (text,))
        query = "SELECT id FROM layout WHERE names = ?"
        return int(self._connection.execute(query, (text,)).fetchone()[0])


def put(
    connection: sqlite3.Connection,
    layouts: Layouts,
    table: Table,
    from_ds: int,
    rows: Sequence[tuple[int, dict[str, int]]],
) -> None:
    """Write rows, in the order of their time, as the block of from_ds; replaces an older one."""
    layout, names = layouts.fitting(table, (name for _, row in rows for name in row))
    columns = [[row.get(name) for _, row in rows] for name in names]
    body = encode([[at_ds for at_ds, _ in rows], *columns])
    connection.execute(
        f"INSERT OR REPLACE INTO {table.name} VALUES (?, ?, ?, ?)",  # noqa: S608 - own names
        (from_ds, rows[-1][0], layout, body),
    )


def frames(
    connection: sqlite3.Connection,
    layouts: Layouts,
    table: Table,
    from_ds: int,
    to_ds: int,
    wanted: Wanted | None = None,
) -> Iterator[Frame]:
    """Blocks that touch [from_ds, to_ds), oldest first, cut to it. wanted: None = all columns.

    Raises BadBlock and sqlite3.Error.
    """
    begin_ds = from_ds - table.longest_ds
    while page := _page(connection, table, begin_ds, to_ds):
        for _, end_ds, layout, body in page:
            if end_ds >= from_ds:
                frame = _frame(layouts.names(layout), body, wanted)
                yield _cut(frame, from_ds, to_ds)
        begin_ds = page[-1][0] + 1


def _page(
    connection: sqlite3.Connection, table: Table, begin_ds: int, to_ds: int
) -> list[tuple[int, int, int, bytes]]:
    return connection.execute(
        f"SELECT from_ds, to_ds, layout, body FROM {table.name}"  # noqa: S608 - own names
        " WHERE from_ds >= ? AND from_ds < ? ORDER BY from_ds LIMIT ?",
        (begin_ds, to_ds, _PAGE),
    ).fetchall()


def _frame(names: Sequence[str], body: bytes, wanted: Wanted | None) -> Frame:
    numbers = {
        number: name for number, name in enumerate(names, 1) if wanted is None or wanted(name)
    }
    found = decode(body, {0, *numbers})
    at_ds = [value or 0 for value in found[0]]
    columns = {name: found[number] for number, name in numbers.items() if number in found}
    return Frame(at_ds, columns)


def _cut(frame: Frame, from_ds: int, to_ds: int) -> Frame:
    at_ds = frame.at_ds
    if not at_ds or (min(at_ds) >= from_ds and max(at_ds) < to_ds):
        return frame
    keep = [i for i, at in enumerate(at_ds) if from_ds <= at < to_ds]
    cut = {name: [values[i] for i in keep] for name, values in frame.columns.items()}
    return Frame([at_ds[i] for i in keep], cut)
