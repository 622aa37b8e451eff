"""Opening the file for writing: one recorder at a time, checked, migrated; damaged ones aside."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from gridzero.outputs.history.samples import HistoryError
from gridzero.outputs.history.schema import check, migrate

BESIDE: Final = ("-wal", "-shm")
_BUSY_S = 5.0
_MOST_ASIDE = 4  # a card that is dying must not be filled with what it has spoilt
_WAL_BYTES = 4_000_000


class Damaged(HistoryError):
    """The file is a database no more."""


@contextmanager
def only_recorder(file: Path) -> Iterator[None]:
    """Hold the lock of a history; the kernel lets go with the process.

    Raises HistoryError when another process holds it, and OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file(file).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HistoryError(
                "another gridzero records to this history",
                where=str(file),
                remedy="End that one first, or give each its own history.path",
            ) from None
        yield


def lock_file(file: Path) -> Path:
    """What recorders lock; beside the history, because SQLite locks that itself."""
    return file.with_name(f"{file.name}.lock")


def connect(file: Path) -> sqlite3.Connection:
    """A writing connection to a checked file of the present version, made where there is none.

    Raises Damaged, HistoryError (newer, another program's), OSError and sqlite3.Error (full,
    read-only).
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    was_killed = _size(file.with_name(file.name + "-wal")) > 0
    connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)
    try:
        _prepare(connection, file, check_all=was_killed)
    except sqlite3.DatabaseError as error:
        connection.close()
        if is_damage(error):
            raise damaged(file, str(error)) from error
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, file: Path, *, check_all: bool) -> None:
    check(connection, str(file))
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only before the first table
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    migrate(connection, str(file))
    if check_all:
        first = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if first != "ok":
            raise damaged(file, str(first))


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is spoilt; a full disk or a lock is not."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def damaged(file: Path, why: str) -> Damaged:
    """The error that says so."""
    return Damaged(
        f"the history cannot be read: {why.splitlines()[0]}",
        where=str(file),
        remedy="It is kept aside and a new one is begun; `gridzero history restore` takes a backup",
    )


def put_aside(file: Path) -> Path:
    """Rename a history and what belongs to it; returns the new name. The oldest are replaced."""
    names = [file.with_name(f"{file.name}.damaged-{n}") for n in range(1, _MOST_ASIDE + 1)]
    aside = next((name for name in names if not name.exists()), names[-1])
    for ending in BESIDE:
        with suppress(FileNotFoundError):
            file.with_name(file.name + ending).replace(aside.with_name(aside.name + ending))
    file.replace(aside)
    return aside


def close(connection: sqlite3.Connection) -> None:
    """Everything into the file itself; never raises."""
    with closing(connection), suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
