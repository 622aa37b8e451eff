"""Versions of the file: older ones are brought up, newer and foreign ones are left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from history_house import NOON_DS, NOON_S, rows_in, samples, store_with

from gridzero.outputs.history.blocks import encode
from gridzero.outputs.history.reader import HistoryError, HistoryReader
from gridzero.outputs.history.samples import Batch, Record
from gridzero.outputs.history.schema import APPLICATION_ID, STEPS, VERSION, migrate
from gridzero.outputs.history.store import Store


def first_version(file: Path) -> None:
    """A file as the first gridzero with a history wrote it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in STEPS[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute('INSERT INTO layout VALUES (1, \'["held","grid_w"]\')')
        body = encode([[NOON_DS, NOON_DS + 10], [10, 10], [-5, 300]])
        connection.execute("INSERT INTO raw VALUES (?, ?, 1, ?)", (NOON_DS, NOON_DS + 10, body))
        connection.execute(
            "INSERT INTO record VALUES (1, ?, 'event', 'meter_lost', 'meter', 'fault', 1, 'gone')",
            (NOON_DS,),
        )


def version_of(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_an_older_file_is_brought_up_and_keeps_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "h"
    first_version(file)
    store = Store.open(file)
    store.write(
        Batch(samples=samples(90, NOON_DS + 20), records=[Record(NOON_S + 1, "event", "x")])
    )
    store.close()
    assert version_of(file) == VERSION
    assert rows_in(file) == 92
    with HistoryReader(file) as reader:
        told = reader.events(NOON_S - 1, NOON_S + 10)
        minutes = reader.series(["grid_w"], NOON_S - 60, NOON_S + 200, 10**5)
    assert [(one.code, one.text, one.remedy) for one in told] == [
        ("x", "", ""),
        ("meter_lost", "gone", ""),
    ]
    assert minutes.columns["grid_w"].high[:2] == [-5, 300]


def test_an_empty_file_becomes_a_history(tmp_path: Path) -> None:
    (tmp_path / "h").touch()
    store_with(tmp_path / "h", samples(5))
    assert (version_of(tmp_path / "h"), rows_in(tmp_path / "h")) == (VERSION, 5)


def test_a_step_that_fails_leaves_the_older_version(tmp_path: Path) -> None:
    file = tmp_path / "h"
    first_version(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE record ADD COLUMN remedy TEXT")
        with pytest.raises(sqlite3.OperationalError, match="duplicate column"):
            migrate(connection, "h")
    assert version_of(file) == 1


def test_a_newer_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "h"
    store_with(file, samples(5))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = file.read_bytes()
    with pytest.raises(HistoryError, match=f"of a newer gridzero .version {VERSION + 1}"):
        Store.open(file)
    with HistoryReader(file) as reader, pytest.raises(HistoryError, match="newer gridzero"):
        reader.names()
    assert file.read_bytes() == before


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE photo (name TEXT)")
    with pytest.raises(HistoryError, match="another program"):
        Store.open(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("photo",)]
