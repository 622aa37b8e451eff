"""The history for everyone who looks: a read-only connection beside a recorder that writes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from math import ceil
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from gridzero.domain.reasons import REASONS, Because
from gridzero.outputs.history.blocks import BadBlock
from gridzero.outputs.history.catalogue import Kind, known, series_of
from gridzero.outputs.history.points import (
    Column,
    Level,
    Points,
    columns_of,
    joined,
    points,
    scaled,
)
from gridzero.outputs.history.roll_up import HELD, HIGH, LOW
from gridzero.outputs.history.samples import (
    DAY_DS,
    DS_PER_S,
    HOUR_DS,
    MINUTE_DS,
    HistoryError,
    Record,
)
from gridzero.outputs.history.schema import check
from gridzero.outputs.history.tables import CELL, HOUR, MINUTE, RAW, Frame, Layouts, Table, frames
from gridzero.outputs.history.words import Words

__all__ = ["Column", "Day", "HistoryError", "HistoryReader", "Level", "Points", "Record"]

_TABLES = {Level.RAW: RAW, Level.MINUTE: MINUTE, Level.HOUR: HOUR}
_UNITS_DS = {Level.RAW: 1, Level.MINUTE: MINUTE_DS, Level.HOUR: HOUR_DS}
_COARSEST_S = {Level.RAW: 10.0, Level.MINUTE: 1800.0, Level.HOUR: float("inf")}
_BUSY_S = 2.0
_BY_MINUTES_DS = 3 * DAY_DS
_BECAUSE = "because."
_DAY_COLUMNS = {
    *("import_wh", "export_wh", "charge_wh", "discharge_wh"),
    *(HELD, "soc_pct" + LOW, "soc_pct" + HIGH),
}


@dataclass(frozen=True, slots=True)
class Day:
    """One local day from midnight to midnight; None = nothing is known of it.

    because_s: seconds per reason. known_s: how much of the day was recorded.
    """

    day: date
    known_s: float
    import_wh: float | None
    export_wh: float | None
    charge_wh: float | None
    discharge_wh: float | None
    min_soc_pct: float | None
    max_soc_pct: float | None
    because_s: dict[str, float]


class HistoryReader:
    """Opens, reads and closes; each call is a short transaction, so the recorder never waits.

    Blocking (milliseconds to some hundred): call it in a thread (``asyncio.to_thread``); calls from
    several threads wait for each other. Times are seconds since 1970, UTC; ``to`` is exclusive.
    Every call raises HistoryError (a GridzeroError) when the file is not there or cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._turn = threading.Lock()
        self._open: _Open | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; the next call opens it again."""
        with self._turn:
            self._let_go()

    def names(self) -> list[str]:
        """Names of all series that were ever recorded, cells excepted."""
        with self._reading() as file:
            names = {name for layout in file.layouts.all() for name in layout}
        return sorted(
            name
            for name in names
            if series_of(name) is not None and not name.startswith(("cell.", "temp."))
        )

    def series(
        self,
        names: Sequence[str],
        from_s: float,
        to_s: float,
        most_points: int = 1000,
        level: Level | None = None,
    ) -> Points:
        """Some series over a span, thinned to about most_points by merging neighbours.

        level: None takes the finest that reaches back to the begin of the span and that is not
        much finer than the points. A name that was never recorded is a column of None.
        Raises KeyError for a name that catalogue does not know.
        """
        rows = [known(name) for name in dict.fromkeys(names)]
        from_ds, to_ds = round(from_s * DS_PER_S), round(to_s * DS_PER_S)
        with self._reading() as file:
            has_sums = any(row.kind is Kind.SUM for row in rows)
            chosen = level or file.level(from_ds, (to_s - from_s) / most_points, has_sums=has_sums)
            columns = [column for row in rows for column in columns_of(row, chosen)]
            found = file.frames(_TABLES[chosen], from_ds, to_ds, set(columns).__contains__)
            step_ds = _step_ds(from_ds, to_ds, most_points, _UNITS_DS[chosen])
            frame = joined(found, columns)
            return points(frame, [row.name for row in rows], chosen, step_ds, file.words)

    def cells(self, from_s: float, to_s: float, most_points: int = 500) -> Points:
        """Every cell and sensor (cell.b3.7 in V, temp.b3.1 in °C); what was last in a point.

        Written when something has moved, at least each quarter of an hour.
        """
        from_ds, to_ds = round(from_s * DS_PER_S), round(to_s * DS_PER_S)
        step_ds = _step_ds(from_ds, to_ds, most_points, MINUTE_DS)
        with self._reading() as file:
            found = list(file.frames(CELL, from_ds, to_ds))
            names = sorted({name for frame in found for name in frame.columns}, key=_natural)
            return points(joined(found, names), names, Level.RAW, step_ds, file.words)

    def events(
        self,
        from_s: float,
        to_s: float,
        kinds: Sequence[str] = ("event", "setting"),
        most: int = 1000,
    ) -> list[Record]:
        """What happened, newest first. kinds: of ``event``, ``setting``, ``decision``."""
        marks = ", ".join("?" * len(kinds))
        query = (
            "SELECT at_ds, kind, code, subject, severity, active, text, remedy FROM record"  # noqa: S608 - only question marks
            f" WHERE at_ds >= ? AND at_ds < ? AND kind IN ({marks})"
            " ORDER BY at_ds DESC, id DESC LIMIT ?"
        )
        span = round(from_s * DS_PER_S), round(to_s * DS_PER_S)
        with self._reading() as file:
            rows = file.connection.execute(query, (*span, *kinds, most)).fetchall()
        return [_record(*row) for row in rows]

    def because_seconds(self, from_s: float, to_s: float) -> dict[str, float]:
        """Seconds per reason (a code of domain.reasons), most first; whole minutes are counted."""
        from_ds, to_ds = round(from_s * DS_PER_S), round(to_s * DS_PER_S)
        table = MINUTE if to_ds - from_ds <= _BY_MINUTES_DS else HOUR
        with self._reading() as file:
            found = file.frames(table, from_ds, to_ds, lambda name: name.startswith(_BECAUSE))
            return _reasons(list(found))

    def days(self, first: date, last: date, zone: tzinfo | None = None) -> list[Day]:
        """Local days, both included; zone None = the machine's."""
        count = (last - first).days + 1
        days = [first + timedelta(days=n) for n in range(count)]
        with self._reading() as file:
            newest_ds = file.newest_ds(MINUTE)
            return [self._day(file, day, zone, newest_ds) for day in days]

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a statement of one's own; for looking at the file, not at what is in it."""
        with self._reading() as file:
            return file.connection.execute(sql, tuple(values)).fetchall()

    def stored_columns(self, table: Table) -> list[str]:
        """Columns of a table of blocks as they are stored."""
        with self._reading() as file:
            query = f"SELECT DISTINCT layout FROM {table.name} ORDER BY layout"  # noqa: S608 - own names
            numbers = [row[0] for row in file.connection.execute(query)]
            every = (name for number in numbers for name in file.layouts.names(number))
            return list(dict.fromkeys(every))

    def table_frames(self, table: Table, from_s: float, to_s: float) -> list[tuple[Frame, Words]]:
        """Blocks of a table as they are stored, oldest first; for spans of about a day."""
        from_ds, to_ds = round(from_s * DS_PER_S), round(to_s * DS_PER_S)
        with self._reading() as file:
            return [(frame, file.words) for frame in file.frames(table, from_ds, to_ds)]

    def span(self, table: Table, from_s: float, to_s: float) -> tuple[float, float]:
        """The part of a span in which a table has anything; from == to where it has nothing."""
        return self._span(f"min(from_ds), max(to_ds) + 1 FROM {table.name}", from_s, to_s)

    def record_span(self, from_s: float, to_s: float) -> tuple[float, float]:
        """The same for what happened."""
        return self._span("min(at_ds), max(at_ds) + 1 FROM record", from_s, to_s)

    def _span(self, what: str, from_s: float, to_s: float) -> tuple[float, float]:
        with self._reading() as file:
            begin, end = file.connection.execute(f"SELECT {what}").fetchone()
        if begin is None:
            return from_s, from_s
        return max(from_s, begin / DS_PER_S), min(to_s, end / DS_PER_S)

    def _day(self, file: _Open, day: date, zone: tzinfo | None, newest_ds: int) -> Day:
        """By hours, except where these are not written yet or do not begin with the day."""
        from_ds, to_ds = _midnight_ds(day, zone), _midnight_ds(day + timedelta(days=1), zone)
        is_new = newest_ds - from_ds < _BY_MINUTES_DS
        table = MINUTE if is_new or from_ds % HOUR_DS else HOUR
        return _day_of(day, list(file.frames(table, from_ds, to_ds, _is_of_day)))

    @contextmanager
    def _reading(self) -> Iterator[_Open]:
        with self._turn:
            try:
                yield self._opened()
            except FileNotFoundError as error:
                self._let_go()
                raise HistoryError(
                    "there is no history here",
                    where=str(self._file),
                    remedy="Name the configuration with --config, or the file with --file; it is "
                    "written while gridzero runs with history.enabled",
                ) from error
            except (sqlite3.Error, BadBlock, OSError) as error:
                self._let_go()
                raise HistoryError(
                    f"the history cannot be read: {error}",
                    where=str(self._file),
                    remedy="May this user read it? `gridzero history restore` takes a backup",
                ) from error

    def _opened(self) -> _Open:
        """Open, and again when the recorder has put the file aside or a backup was restored."""
        inode = self._file.stat().st_ino
        if self._open is not None and self._open.inode != inode:
            self._let_go()
        if self._open is None:
            self._open = _Open(self._file, inode)
        return self._open

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.connection.close()
            self._open = None


class _Open:
    """A connection that reads."""

    def __init__(self, file: Path, inode: int) -> None:
        self.inode = inode
        self.connection = sqlite3.connect(
            f"file:{quote(str(file))}?mode=ro",
            uri=True,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            check(self.connection, str(file))
        except BaseException:
            self.connection.close()
            raise
        self.layouts, self.words = Layouts(self.connection), Words(self.connection)

    def frames(
        self, table: Table, from_ds: int, to_ds: int, wanted: Callable[[str], bool] | None = None
    ) -> Iterator[Frame]:
        return frames(self.connection, self.layouts, table, from_ds, to_ds, wanted)

    def level(self, from_ds: int, step_s: float, *, has_sums: bool) -> Level:
        """The finest that is coarse enough and old enough."""
        oldest = {level: self._oldest_ds(table) for level, table in _TABLES.items()}
        begin_ds = max(from_ds, min(oldest.values()))
        for level in (Level.RAW, Level.MINUTE):
            fits = step_s <= _COARSEST_S[level] and oldest[level] <= begin_ds + HOUR_DS
            if fits and not (has_sums and level is Level.RAW):
                return level
        return Level.HOUR

    def _oldest_ds(self, table: Table) -> float:
        query = f"SELECT min(from_ds) FROM {table.name}"  # noqa: S608 - own names
        begin_ds = self.connection.execute(query).fetchone()[0]
        if begin_ds is None:
            return float("inf")
        # a block is named after its hour or day, which may have begun long before its first row
        found = self.frames(table, begin_ds, begin_ds + table.longest_ds, lambda _name: False)
        return next((frame.at_ds[0] for frame in found if frame.at_ds), begin_ds)

    def newest_ds(self, table: Table) -> int:
        """0 when the table is empty."""
        query = f"SELECT max(to_ds) FROM {table.name}"  # noqa: S608 - own names
        return int(self.connection.execute(query).fetchone()[0] or 0)


def _step_ds(from_ds: int, to_ds: int, most_points: int, unit_ds: int) -> int:
    return max(1, ceil((to_ds - from_ds) / max(most_points, 1) / unit_ds)) * unit_ds


def _record(
    at_ds: int,
    kind: str,
    code: str,
    subject: str,
    severity: str,
    active: int,
    text: str,
    remedy: str,
) -> Record:
    """Reasons are stored by their code only: the words are the catalogue's."""
    if kind == "decision" and not text and code in set(Because):
        text = REASONS[Because(code)]
    return Record(at_ds / DS_PER_S, kind, code, subject, severity, bool(active), text, remedy)


def _reasons(found: Sequence[Frame]) -> dict[str, float]:
    sums: dict[str, int] = {}
    for frame in found:
        for name, values in frame.columns.items():
            total = sum(value or 0 for value in values)
            if name.startswith(_BECAUSE) and total:
                sums[name] = sums.get(name, 0) + total
    ordered = sorted(sums.items(), key=lambda pair: -pair[1])
    return {name.removeprefix(_BECAUSE): total / DS_PER_S for name, total in ordered}


def _day_of(day: date, found: Sequence[Frame]) -> Day:
    def values(name: str) -> list[int]:
        every = (value for frame in found for value in frame.columns.get(name, ()))
        return [value for value in every if value is not None]

    def total(name: str) -> float | None:
        known_ones = values(name)
        return scaled(sum(known_ones), known(name)) if known_ones else None

    soc = known("soc_pct")
    return Day(
        day,
        sum(values(HELD)) / DS_PER_S,
        total("import_wh"),
        total("export_wh"),
        total("charge_wh"),
        total("discharge_wh"),
        scaled(min(values("soc_pct" + LOW), default=None), soc),
        scaled(max(values("soc_pct" + HIGH), default=None), soc),
        _reasons(found),
    )


def _is_of_day(name: str) -> bool:
    return name in _DAY_COLUMNS or name.startswith(_BECAUSE)


def _midnight_ds(day: date, zone: tzinfo | None) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * DS_PER_S)


def _natural(name: str) -> tuple[str, int]:
    """cell.b3.2 before cell.b3.10."""
    head, _, number = name.rpartition(".")
    return head, int(number) if number.isdecimal() else 0
