"""The tables, and how older files become newer ones.

``application_id`` says that a file is a history at all, ``user_version`` how many of STEPS it has
been through. A step is never changed once it was released: another one is added.
"""

from __future__ import annotations

import sqlite3

from gridzero.outputs.history.samples import HistoryError

APPLICATION_ID = 0x675A6869

_BLOCKS = """CREATE TABLE {} (
    from_ds INTEGER PRIMARY KEY, to_ds INTEGER NOT NULL,
    layout INTEGER NOT NULL, body BLOB NOT NULL)"""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE layout (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE)",
        "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
        *(_BLOCKS.format(table) for table in ("raw", "minute", "hour", "cell")),
        """CREATE TABLE record (
            id INTEGER PRIMARY KEY, at_ds INTEGER NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
            subject TEXT NOT NULL, severity TEXT NOT NULL, active INTEGER NOT NULL,
            text TEXT NOT NULL)""",
        "CREATE INDEX record_at ON record (at_ds)",
    ),
    ("ALTER TABLE record ADD COLUMN remedy TEXT NOT NULL DEFAULT ''",),
)
VERSION = len(STEPS)


def migrate(connection: sqlite3.Connection, where: str) -> None:
    """Bring an empty or older file up to VERSION, step by step, each one whole or not at all.

    The connection is in autocommit mode. Raises HistoryError for a newer file and for one that is
    something else; sqlite3.Error as it comes.
    """
    for number in range(check(connection, where), VERSION):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in STEPS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise


def check(connection: sqlite3.Connection, where: str) -> int:
    """The version of a file, 0 for an empty one. Raises HistoryError when we cannot use it."""
    version, owner = pragma(connection, "user_version"), pragma(connection, "application_id")
    if version > VERSION and owner == APPLICATION_ID:
        raise HistoryError(
            f"the history is of a newer gridzero (version {version}, this one knows {VERSION})",
            where=where,
            remedy="Install that gridzero again, or give another file with history.path",
        )
    if owner != APPLICATION_ID and (owner or version or _has_tables(connection)):
        raise HistoryError(
            "this is a database of another program",
            where=where,
            remedy="Give another file with history.path; it was left as it is",
        )
    return version


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """A pragma that is a number."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
