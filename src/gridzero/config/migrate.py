"""Bringing the text of a configuration to the present version, comments and all.

Only the characters that must change do. What comes out is read again and must mean what the file
meant, less what is gone: otherwise nothing is changed and a person is told which line to edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import yaml

from gridzero.config.document import Document
from gridzero.config.problems import ConfigErrors, Notes, Path, Problem, dotted
from gridzero.config.version import (
    KEY,
    STEPS,
    Renamed,
    Row,
    Steps,
    has,
    outdated,
    refuse_newer,
    version_of,
)
from gridzero.config.yaml_lines import Tag, parse
from gridzero.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Migrated:
    """A text of the present version. version: what it was. changes: in words."""

    text: str
    version: int
    changes: tuple[str, ...]


class _Edit(NamedTuple):
    """Characters begin..end become text."""

    begin: int
    end: int
    text: str = ""


def migrate(text: str, file: FilePath, steps: Steps = STEPS) -> Migrated:
    """The text of an older file as this version writes it.

    Raises ConfigError for a newer file, one that is no YAML, and one whose lines cannot be changed
    without a doubt.
    """
    notes = Notes(str(file))
    document = _parsed(text, notes)
    refuse_newer(document, notes, steps)
    notes.raise_if_any()
    version = version_of(document, steps)
    if version >= len(steps) or not isinstance(document.value, dict):
        return Migrated(text, version, ())
    words: list[str] = []
    for number, step in enumerate(steps[version:], start=version + 1):
        rows = outdated(document, step)
        text = _stepped(text, document, rows, number, notes.file)
        document = _parsed(text, notes)
        words += map(_words, rows)
    return Migrated(text, version, (*words, f"{KEY}: {len(steps)}"))


def _stepped(text: str, document: Document, rows: list[Row], version: int, file: str) -> str:
    """The text one version on. Raises ConfigError."""
    if not any(isinstance(row, Renamed) and has(document, row.new_path) for row in rows):
        fresh = _changed(text, rows, version)
        if fresh is not None and _meaning(fresh, file) == _wanted(document, rows, version):
            return fresh
    raise _by_hand(document, rows, version, file)


def _words(row: Row) -> str:
    if isinstance(row, Renamed):
        return f"{dotted(row.path)} is called {row.to} now"
    return f"{dotted(row.path)} is gone: {row.why}"


def _parsed(text: str, notes: Notes) -> Document:
    tags: Mapping[str, Tag] = {tag: _named(tag) for tag in ("!secret", "!env")}
    return parse(text, notes, tags)


def _named(tag: str) -> Tag:
    """Secrets by their names: nobody needs their values to move a line."""
    return lambda name, _place, _path: f"{tag} {name}"


def _meaning(text: str, file: str) -> Any:
    notes = Notes(file)
    try:
        value = _parsed(text, notes).value
    except ConfigErrors:
        return None
    return None if notes.problems else value


def _wanted(document: Document, rows: list[Row], version: int) -> dict[str, Any]:
    """What the new text must mean. A section that has lost its last line is there without value."""
    value: dict[str, Any] = deepcopy(document.value)
    for row in rows:
        section = _at(value, row.path[:-1])
        content = section.pop(row.path[-1])
        if isinstance(row, Renamed):
            section[row.to] = content
    for path in (row.path for row in rows):
        if path[:-1] and _at(value, path[:-1]) == {} and _is_block(document, path):
            _at(value, path[:-2])[path[-2]] = None
    return {KEY: version, **{key: part for key, part in value.items() if key != KEY}}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _is_block(document: Document, path: Path) -> bool:
    """Whether a section is written in lines and not in braces: its first key is its own place."""
    section = document.values[path[:-1]]
    return section in {document.keys[key] for key in document.keys if key[:-1] == path[:-1]}


def _changed(text: str, rows: list[Row], version: int) -> str | None:
    """None where the text has a form that nobody writes."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        edits = [*(_edit(text, root, row) for row in rows), *_versioned(text, root, version)]
    except (yaml.YAMLError, LookupError, ValueError):
        return None
    for edit in sorted(edits, reverse=True):
        text = text[: edit.begin] + edit.text + text[edit.end :]
    return text


def _versioned(text: str, root: Any, version: int) -> Iterator[_Edit]:
    """The line with the version, changed or put before the first key."""
    for key, value in root.value:
        if key.value == KEY:
            yield _Edit(value.start_mark.index, value.end_mark.index, str(version))
            return
    begin = root.start_mark.index
    if root.flow_style:
        yield _Edit(begin + 1, begin + 1, f"{KEY}: {version}, ")
    else:
        yield _Edit(begin, begin, f"{KEY}: {version}{_line_end(text)}")


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _edit(text: str, root: Any, row: Row) -> _Edit:
    """Raises LookupError where the path is not written as such."""
    section = root
    for part in row.path[:-1]:
        section = next(value for key, value in section.value if key.value == part)
    number = next(n for n, (key, _) in enumerate(section.value) if key.value == row.path[-1])
    key, value = section.value[number]
    if isinstance(row, Renamed):
        return _Edit(key.start_mark.index, key.end_mark.index, row.to)
    if section.flow_style:
        return _between_braces(section, number)
    return _whole_lines(text, key, value)


def _between_braces(section: Any, number: int) -> _Edit:
    """With the comma that belongs to it."""
    pairs = section.value
    if len(pairs) == 1:
        return _Edit(section.start_mark.index + 1, section.end_mark.index - 1)
    if number + 1 < len(pairs):
        return _Edit(pairs[number][0].start_mark.index, pairs[number + 1][0].start_mark.index)
    return _Edit(pairs[number - 1][1].end_mark.index, pairs[number][1].end_mark.index)


def _whole_lines(text: str, key: Any, value: Any) -> _Edit:
    begin = text.rfind("\n", 0, key.start_mark.index) + 1
    end = text.find("\n", max(_end(value), key.end_mark.index))
    return _Edit(begin, len(text) if end < 0 else end + 1)


def _end(node: Any) -> int:
    """Where what is written ends; PyYAML ends sections written in lines where the next one is."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _by_hand(document: Document, rows: list[Row], version: int, file: str) -> ConfigError:
    first = rows[0].path if rows else ()
    place = document.keys.get(first, document.place(first))
    names = ", ".join(map(_words, rows)) or f"the line '{KEY}: {version}' is missing"
    what = f"this file is written in a way that cannot be changed safely: {names}"
    remedy = f"Change this by hand and write '{KEY}: {version}' into the first line"
    return ConfigErrors([Problem(file, place.line, place.column, dotted(first), what, remedy)])
