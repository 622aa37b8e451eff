"""The same seconds stored in other ways: what docs/decisions/0010-history.md rests on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from gridzero.bench.figures import Figure
from gridzero.outputs.history.blocks import Value, decode, encode
from gridzero.outputs.history.samples import DS_PER_S, Sample
from gridzero.outputs.history.words import is_word

_DAY_S = 86_400
_BLOCKS_S = (30, 60, 600, 3600)
_BATCH = 30


def measure(folder: Path, samples: Sequence[Sample]) -> Iterator[Figure]:
    """Bytes per day as rows of a table and as blocks of several lengths."""
    columns = _columns(samples)
    lived_s = (samples[-1].at_ds - samples[0].at_ds) / DS_PER_S
    kb_per_day = _DAY_S / lived_s / 1000
    for name, ending in (("rows", ""), ("rows_without_rowid", " WITHOUT ROWID")):
        size = _as_rows(folder / name, columns, ending)
        title = f"seconds as {name.replace('_', ' ')}"
        yield Figure(f"as_{name}_kb", title, size * kb_per_day, "kB/day")
    for length in _BLOCKS_S:
        bodies = _blocks(columns, length)
        title = f"seconds as blocks of {length} s"
        size = sum(map(len, bodies))
        yield Figure(f"as_blocks_{length}_kb", title, size * kb_per_day, "kB/day")
    yield Figure("encode_us", "a block of 30 s, made", _us(lambda: _blocks(columns, _BATCH)), "us")
    small = _blocks(columns, _BATCH)
    read = _us(lambda: [decode(body, {0, 1, 2, 3, 4}) for body in small])
    yield Figure("decode_us", "a block of 30 s, four columns read", read, "us")


def _columns(samples: Sequence[Sample]) -> list[list[Value]]:
    """Words as numbers, unknown as None, in the order in which they first came."""
    names = list(dict.fromkeys(name for sample in samples for name in sample.values))
    numbers: dict[int | str, int] = {}
    for name in filter(is_word, names):
        for sample in samples:
            numbers.setdefault(sample.values.get(name, 0), len(numbers))
    return [
        [sample.at_ds for sample in samples],
        [sample.held_ds for sample in samples],
        *([_number(sample.values.get(name), numbers) for sample in samples] for name in names),
    ]


def _number(value: int | str | None, numbers: dict[int | str, int]) -> Value:
    return numbers[value] if isinstance(value, str) else value


def _as_rows(file: Path, columns: Sequence[Sequence[Value]], ending: str) -> int:
    """Bytes of a file with one row per second, written in the same batches."""
    names = ", ".join(f"c{n} INTEGER" for n in range(1, len(columns)))
    marks = ", ".join("?" * len(columns))
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE second (at INTEGER PRIMARY KEY, {names}){ending}")
        connection.execute("BEGIN")
        rows = zip(*columns, strict=True)
        connection.executemany(f"INSERT OR IGNORE INTO second VALUES ({marks})", rows)  # noqa: S608 - own names
        connection.execute("COMMIT")
    return file.stat().st_size


def _blocks(columns: Sequence[Sequence[Value]], length: int) -> list[bytes]:
    begins = range(0, len(columns[0]), length)
    return [encode([column[begin : begin + length] for column in columns]) for begin in begins]


def _us(work: Callable[[], Sequence[object]]) -> float:
    """For each of what it makes."""
    began_s = time.process_time()
    made = work()
    return (time.process_time() - began_s) / len(made) * 1e6
