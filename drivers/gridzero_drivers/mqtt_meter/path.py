r"""Where in a JSON document the number stands: a path of keys and indices.

    SML.Power_curr                       keys, separated by dots
    params.em:0.total_act_power          a colon needs no quotes
    params."em:0".total_act_power        any key may be quoted
    SML["Power in"]                      so may a key in brackets
    data[0].tuples[0][1]                 indices count from 0

A path only points. It does not calculate: a bare ``-`` is refused, because ``P - PO`` is said
with ``export_path``. Inside quotes ``\"`` and ``\\`` stand for the quote and the backslash.
"""

from __future__ import annotations

import re
from typing import Any, Final

Step = str | int
Path = tuple[Step, ...]

MISSING: Final = object()
"""What ``find`` answers where the document has no such place."""

_BARE = re.compile(r"[^\s.\"'\[\]\\-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BRACKET = re.compile(r'\[(?:([0-9]{1,4})|"((?:[^"\\]|\\.)*)")\]')
_ESCAPE = re.compile(r"\\(.)")


class PathError(ValueError):
    """The text is not a path; says at which character."""

    def __init__(self, text: str, position: int, what: str) -> None:
        super().__init__(f"{what}, at character {position + 1} of the path {text!r}")
        self.position = position


def parse(text: str) -> Path:
    """Steps of a path: str for a key, int for an index. Raises PathError."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text[at] == "[":
            step, at = _bracket(text, at)
        else:
            step, at = _key(text, _after_dot(text, at) if steps else at)
        steps.append(step)
    if not steps:
        raise PathError(text, 0, "the path is empty")
    return tuple(steps)


def write(path: Path) -> str:
    """The text that ``parse`` reads as this path."""
    return "".join(_written(step) for step in path).removeprefix(".")


def find(document: Any, path: Path) -> Any:
    """What stands at path in a decoded JSON document, or MISSING."""
    for step in path:
        if isinstance(step, str):
            if not isinstance(document, dict) or step not in document:
                return MISSING
        elif not isinstance(document, list) or step >= len(document):
            return MISSING
        document = document[step]
    return document


def put(document: Any, path: Path, value: Any) -> Any:
    """The document with value at path, built as far as needed: the inverse of ``find``."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        table = document if isinstance(document, dict) else {}
        table[step] = put(table.get(step), rest, value)
        return table
    items = document if isinstance(document, list) else []
    items += [None] * (step + 1 - len(items))
    items[step] = put(items[step], rest, value)
    return items


def _after_dot(text: str, at: int) -> int:
    if text[at] == ".":
        return at + 1
    raise PathError(text, at, f"expected '.' or '[' but found {text[at]!r}{_hint(text[at])}")


def _key(text: str, at: int) -> tuple[Step, int]:
    if quoted := _QUOTED.match(text, at):
        return _plain(quoted[1]), quoted.end()
    if bare := _BARE.match(text, at):
        return bare[0], bare.end()
    if at >= len(text):
        raise PathError(text, at, "a key is missing")
    if text[at] == '"':
        raise PathError(text, at, "the quote is not closed")
    raise PathError(text, at, f"a key cannot begin with {text[at]!r}{_hint(text[at])}")


def _bracket(text: str, at: int) -> tuple[Step, int]:
    found = _BRACKET.match(text, at)
    if not found:
        raise PathError(text, at, 'brackets hold an index such as [0] or a key such as ["a b"]')
    step: Step = int(found[1]) if found[1] else _plain(found[2])
    return step, found.end()


def _plain(quoted: str) -> str:
    return _ESCAPE.sub(r"\1", quoted)


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _BARE.fullmatch(step):
        return f".{step}"
    escaped = step.replace("\\", "\\\\").replace('"', '\\"')
    return f'."{escaped}"'


def _hint(character: str) -> str:
    if character == "-":
        return " (quote the key, or use export_path for a difference)"
    return " (quote the key)"
