"""Words of the raw values (reasons, modes) as small numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from gridzero.outputs.history.catalogue import Kind, series_of
from gridzero.outputs.history.samples import Stored

_MOST = 1000


class Words:
    """The table ``word``, in memory as far as it was needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}

    def forget(self) -> None:
        """Believe only the file: after a transaction that was undone."""
        self._numbers.clear()
        self._texts.clear()

    def coded(self, values: Stored) -> dict[str, int]:
        """Values with numbers in place of words; new words are added to the table."""
        return {
            name: number
            for name, value in values.items()
            if (number := self._number(value) if isinstance(value, str) else value) is not None
        }

    def decoded(self, row: Mapping[str, int]) -> Stored:
        """Values with words where they belong; a number without a word is left out."""
        values: Stored = {}
        for name, number in row.items():
            value = self.text(number) if is_word(name) else number
            if value is not None:
                values[name] = value
        return values

    def text(self, number: int) -> str | None:
        """The word of a number; None: there is none."""
        if number not in self._texts:
            query = "SELECT id, text FROM word"
            self._texts = {row[0]: row[1] for row in self._connection.execute(query)}
        return self._texts.get(number)

    def _number(self, word: str) -> int | None:
        """None: the table is full, which only garbage can do."""
        if word not in self._numbers:
            query = "SELECT text, id FROM word"
            self._numbers = dict(self._connection.execute(query).fetchall())
        if word not in self._numbers:
            if len(self._numbers) >= _MOST:
                return None
            added = self._connection.execute("INSERT INTO word (text) VALUES (?)", (word,))
            self._numbers[word] = added.lastrowid or 0
        return self._numbers[word]


def is_word(name: str) -> bool:
    """Whether the values of a series are words."""
    series = series_of(name)
    return series is not None and series.kind is Kind.WORD
