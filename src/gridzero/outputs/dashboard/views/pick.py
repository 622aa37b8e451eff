"""Values out of JSON that somebody else wrote: what does not fit is unknown, never an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridzero.outputs import values as read

Json = Mapping[str, Any]

MOST_ROWS = 200
_MOST_TEXT = 400
_LARGEST = 1e12


def at(values: Json | None, path: str) -> Any:
    """What stands below ``a.b.c``; None where there is nothing."""
    return read.at(values, *path.split("."))


def plain_number(value: Any) -> float | None:
    """A finite number of a size that can be shown; True and texts are none."""
    number = read.number_of(value)
    return float(number) if number is not None and abs(number) < _LARGEST else None


def number(values: Json | None, path: str) -> float | None:
    """See plain_number."""
    return plain_number(at(values, path))


def text(values: Json | None, path: str) -> str | None:
    """A text, cut to what a panel can show."""
    found = at(values, path)
    return found[:_MOST_TEXT] if isinstance(found, str) else None


def truth(values: Json | None, path: str) -> bool | None:
    """True, False, or None for anything else."""
    found = at(values, path)
    return found if isinstance(found, bool) else None


def rows(values: Json | None, path: str) -> Iterator[Json]:
    """The objects of a list, MOST_ROWS at most."""
    found = at(values, path)
    if isinstance(found, list | tuple):
        yield from (row for row in found[:MOST_ROWS] if isinstance(row, Mapping))


def items(values: Json | None, path: str = "") -> Iterator[tuple[str, Json]]:
    """The named objects below path, MOST_ROWS at most."""
    found = at(values, path) if path else values
    if isinstance(found, Mapping):
        for name, row in list(found.items())[:MOST_ROWS]:
            if isinstance(row, Mapping):
                yield str(name)[:_MOST_TEXT], row


def column(values: Json | None, path: str, most: int = 64) -> list[Any]:
    """A list as it is, cut to most; [] where there is none."""
    found = at(values, path)
    return list(found[:most]) if isinstance(found, list | tuple) else []
