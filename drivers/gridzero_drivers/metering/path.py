r"""Where in a JSON document the number stands: a path of keys and indices.

    SML.Power_curr                       keys, separated by dots
    params.em:0.total_act_power          a colon needs no quotes
    params."em:0".total_act_power        any key may be quoted
    SML["Power in"]                      so may a key in brackets
    data[0].tuples[0][1]                 indices count from 0
    registers[obis="01-00:10.07.00*ff"].value   the first item of a list with this in it
    SML.Power_curr | SML.curr_w          the first of several places that is there

A path only points. It does not calculate: a bare ``-`` is refused, because ``P - PO`` is said
with ``export_path``. Inside quotes ``\"`` and ``\\`` stand for the quote and the backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple


class Where(NamedTuple):
    """The first item of a list that has this text at this key."""

    key: str
    text: str


class OneOf(NamedTuple):
    """The first of several paths at which there is something."""

    paths: tuple[tuple[str | int | Where, ...], ...]


Step = str | int | Where | OneOf
Path = tuple[Step, ...]

MISSING: Final = object()
"""What ``find`` answers where the document has no such place."""

_BARE = re.compile(r"[^\s.|\"'\[\]\\-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BRACKET = re.compile(r'\[(?:([0-9]{1,4})|"((?:[^"\\]|\\.)*)")\]')
_WHERE = re.compile(r'\[([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"\]')
_OR = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^"|]|"(?=[^"]*$))*)(\||$)')
_MOST_CHOICES = 16
_ESCAPE = re.compile(r"\\(.)")


class PathError(ValueError):
    """The text is not a path; says at which character."""

    def __init__(self, text: str, position: int, what: str) -> None:
        super().__init__(f"{what}, at character {position + 1} of the path {text!r}")
        self.position = position


def parse(text: str) -> Path:
    """Steps of a path: str for a key, int for an index. Raises PathError."""
    parts = _alternatives(text)
    if len(parts) == 1:
        return _parse_one(text)
    if len(parts) > _MOST_CHOICES:
        raise PathError(text, 0, f"more than {_MOST_CHOICES} places")
    return (OneOf(tuple(_parse_one(part.strip()) for part in parts)),)


def _alternatives(text: str) -> list[str]:
    """What stands between the bars that are not in quotes."""
    parts, at = [], 0
    while found := _OR.match(text, at):
        parts.append(found[1])
        at = found.end()
        if not found[2]:
            return parts
    return [text]


def _parse_one(text: str) -> tuple[str | int | Where, ...]:
    steps: list[str | int | Where] = []
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
    if path and isinstance(path[0], OneOf):
        return " | ".join(write(each) for each in path[0].paths)
    return "".join(_written(step) for step in path).removeprefix(".")


def find(document: Any, path: Path) -> Any:
    """What stands at path in a decoded JSON document, or MISSING."""
    for step in path:
        if isinstance(step, str):
            if not isinstance(document, dict) or step not in document:
                return MISSING
            document = document[step]
        elif isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return MISSING
            document = document[step]
        else:
            found = (
                _items_with(document, step)
                if isinstance(step, Where)
                else (find(document, each) for each in step.paths)
            )
            document = next((each for each in found if each is not MISSING), MISSING)
    return document


def _items_with(document: Any, where: Where) -> Iterator[Any]:
    for item in document if isinstance(document, list) else ():
        if isinstance(item, dict) and item.get(where.key) == where.text:
            yield item


def put(document: Any, path: Path, value: Any) -> Any:
    """The document with value at path, built as far as needed: the inverse of ``find``."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, OneOf):
        return put(document, (*step.paths[0], *rest), value)
    if isinstance(step, Where):
        return _put_item(document if isinstance(document, list) else [], step, rest, value)
    if isinstance(step, str):
        table = document if isinstance(document, dict) else {}
        table[step] = put(table.get(step), rest, value)
        return table
    items = document if isinstance(document, list) else []
    items += [None] * (step + 1 - len(items))
    items[step] = put(items[step], rest, value)
    return items


def _put_item(items: list[Any], where: Where, rest: Path, value: Any) -> list[Any]:
    item = next(_items_with(items, where), None)
    if item is None:
        item = {where.key: where.text}
        items.append(item)
    put(item, rest, value)
    return items


def _after_dot(text: str, at: int) -> int:
    if text[at] == ".":
        return at + 1
    raise PathError(text, at, f"expected '.' or '[' but found {text[at]!r}{_hint(text[at])}")


def _key(text: str, at: int) -> tuple[str, int]:
    if quoted := _QUOTED.match(text, at):
        return _plain(quoted[1]), quoted.end()
    if bare := _BARE.match(text, at):
        return bare[0], bare.end()
    if at >= len(text):
        raise PathError(text, at, "a key is missing")
    if text[at] == '"':
        raise PathError(text, at, "the quote is not closed")
    raise PathError(text, at, f"a key cannot begin with {text[at]!r}{_hint(text[at])}")


def _bracket(text: str, at: int) -> tuple[str | int | Where, int]:
    if item := _WHERE.match(text, at):
        return Where(item[1], _plain(item[2])), item.end()
    found = _BRACKET.match(text, at)
    if not found:
        raise PathError(text, at, 'brackets hold an index such as [0] or a key such as ["a b"]')
    step = int(found[1]) if found[1] else _plain(found[2])
    return step, found.end()


def _plain(quoted: str) -> str:
    return _ESCAPE.sub(r"\1", quoted)


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if isinstance(step, Where):
        return f'[{step.key}="{_escaped(step.text)}"]'
    if isinstance(step, OneOf):
        return ""
    if _BARE.fullmatch(step):
        return f".{step}"
    return f'."{_escaped(step)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _hint(character: str) -> str:
    if character == "-":
        return " (quote the key, or use export_path for a difference)"
    return " (quote the key)"
