"""The only writer. Blocking: it lives in the recorder's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from gridzero.outputs.history.opening import close, connect
from gridzero.outputs.history.periods import Periods
from gridzero.outputs.history.prune import Bounds, prune
from gridzero.outputs.history.roll_up import HELD, hour_of, minute_of
from gridzero.outputs.history.samples import HOUR_DS, MINUTE_DS, Batch, Record, Sample, Stored
from gridzero.outputs.history.tables import CELL, HOUR, MINUTE, RAW, Layouts, frames, put
from gridzero.outputs.history.words import Words

_LONGEST_GAP_DS = MINUTE_DS
_MOST_IN_BLOCK = 600
_HOURS_EVERY_MIN = 10
_LOOK_BACK_DS = 6 * HOUR_DS  # what a killed recorder may have left without roll-ups


class Store:
    """A history that is open for writing. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._layouts, self._words = Layouts(connection), Words(connection)
        self._minutes = Periods(connection, self._layouts, MINUTE)
        self._hours = Periods(connection, self._layouts, HOUR)
        self._cells = Periods(connection, self._layouts, CELL)
        self._open_minutes: set[int] = set()
        self._open_hours: set[int] = set()
        self._newest_ds = 0
        self._recover()

    @classmethod
    def open(cls, file: Path) -> Self:
        """See opening.connect for what it raises."""
        connection = connect(file)
        try:
            return cls(connection)
        except BaseException:
            connection.close()
            raise

    def write(self, batch: Batch) -> None:
        """Everything of a batch or nothing, in one transaction."""
        with self._transaction():
            self._write(batch)

    def prune(self, now_ds: int, bounds: Bounds) -> None:
        """Forget what is too old or too much; a little at a time."""
        if prune(self._connection, now_ds, bounds):
            self._forget()

    def close(self) -> None:
        """Roll up what is open, and let go."""
        try:
            with self._transaction():
                self._roll_up(final=True)
        finally:
            close(self._connection)

    def abandon(self) -> None:
        """Let go of a file that cannot be written."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _write(self, batch: Batch) -> None:
        for part in _parts(sorted(batch.samples, key=_time)):
            self._write_raw(part)
        for cells in batch.cells:
            minute_ds = cells.at_ds - cells.at_ds % MINUTE_DS
            self._cells.set(minute_ds, _numbers(cells.values))
        self._write_records(batch.records)
        self._remember(batch.samples)
        self._roll_up(final=False)

    def _write_raw(self, samples: Sequence[Sample]) -> None:
        rows = [(s.at_ds, {HELD: s.held_ds, **self._words.coded(s.values)}) for s in samples]
        put(self._connection, self._layouts, RAW, self._free_key(samples[0].at_ds), rows)

    def _free_key(self, at_ds: int) -> int:
        """A clock that was set back may bring the same tenth of a second again."""
        query = "SELECT 1 FROM raw WHERE from_ds = ?"
        while self._connection.execute(query, (at_ds,)).fetchone():
            at_ds -= 1
        return at_ds

    def _write_records(self, records: Iterable[Record]) -> None:
        self._connection.executemany(
            "INSERT INTO record (at_ds, kind, code, subject, severity, active, text, remedy)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((round(r.at_s * 10), *r[1:]) for r in records),
        )

    def _remember(self, samples: Sequence[Sample]) -> None:
        """Which minutes have to be rolled up once they are over."""
        for sample in samples:
            self._open_minutes.add(sample.at_ds - sample.at_ds % MINUTE_DS)
        if samples:
            self._newest_ds = samples[-1].at_ds

    def _roll_up(self, *, final: bool) -> None:
        now = self._newest_ds - self._newest_ds % MINUTE_DS
        done = sorted(minute for minute in self._open_minutes if final or minute != now)
        for run in _runs(done):
            for minute_ds, samples in self._by_minute(run).items():
                self._roll_minute(minute_ds, samples)
        self._open_minutes -= set(done)
        self._roll_hours(now, final=final)
        for table in (self._minutes, self._hours, self._cells):
            table.flush()

    def _by_minute(self, run: Sequence[int]) -> dict[int, list[Sample]]:
        """Samples of minutes that follow each other, also of those that were written before."""
        minutes: dict[int, list[Sample]] = {}
        for sample in self._samples(run[0], run[-1] + MINUTE_DS):
            minutes.setdefault(sample.at_ds - sample.at_ds % MINUTE_DS, []).append(sample)
        return minutes

    def _roll_minute(self, minute_ds: int, samples: list[Sample]) -> None:
        samples.sort(key=_time)
        row = minute_of(samples)
        if row[HELD] >= self._minutes.get(minute_ds).get(HELD, 0):  # raw may be forgotten by now
            self._minutes.set(minute_ds, row)
            self._open_hours.add(minute_ds - minute_ds % HOUR_DS)

    def _roll_hours(self, now: int, *, final: bool) -> None:
        is_time = final or now // MINUTE_DS % _HOURS_EVERY_MIN == 0
        over = {hour for hour in self._open_hours if is_time or now - now % HOUR_DS != hour}
        for hour_ds in sorted(over):
            rows = [row for _, row in self._minutes.between(hour_ds, hour_ds + HOUR_DS)]
            if rows:
                self._hours.set(hour_ds, hour_of(rows))
        self._open_hours -= over

    def _samples(self, from_ds: int, to_ds: int) -> Iterator[Sample]:
        for frame in frames(self._connection, self._layouts, RAW, from_ds, to_ds):
            for at_ds, row in frame.rows():
                held_ds = row.pop(HELD, 0)
                yield Sample(at_ds, held_ds, self._words.decoded(row))

    def _recover(self) -> None:
        """Find the minutes and hours that a killed recorder has not rolled up."""
        newest = self._connection.execute("SELECT max(to_ds) FROM raw").fetchone()[0]
        if newest is None:
            return
        self._newest_ds = newest
        done = max(self._minutes.newest_ds() or 0, newest - _LOOK_BACK_DS)
        for sample in self._samples(done, newest + 1):
            self._open_minutes.add(sample.at_ds - sample.at_ds % MINUTE_DS)
        hour = max(self._hours.newest_ds() or 0, newest - _LOOK_BACK_DS)
        self._open_hours.update(range(hour - hour % HOUR_DS, newest + 1, HOUR_DS))

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._forget()

    def _forget(self) -> None:
        """Believe only the file."""
        for kept in (self._layouts, self._words, self._minutes, self._hours, self._cells):
            kept.forget()
        self._open_minutes.clear()
        self._open_hours.clear()
        self._recover()


def _parts(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Cut where nothing was heard for long: no block spans more than its table allows."""
    part: list[Sample] = []
    for sample in samples:
        is_far = part and (
            sample.at_ds - part[-1].at_ds > _LONGEST_GAP_DS
            or sample.at_ds - part[0].at_ds >= RAW.longest_ds
        )
        if is_far or len(part) >= _MOST_IN_BLOCK:
            yield part
            part = []
        part.append(sample)
    if part:
        yield part


def _runs(minutes: Sequence[int]) -> Iterator[list[int]]:
    """Minutes in order, cut where some are missing and after an hour."""
    run: list[int] = []
    for minute_ds in minutes:
        if run and (minute_ds - run[-1] > MINUTE_DS or minute_ds - run[0] >= HOUR_DS):
            yield run
            run = []
        run.append(minute_ds)
    if run:
        yield run


def _numbers(values: Stored) -> dict[str, int]:
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _time(sample: Sample) -> int:
    return sample.at_ds
