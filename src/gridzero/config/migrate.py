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

from gridzero.config.problems import ConfigErrors, Notes, Path, Problem, dotted
from gridzero.config.version import KEY, VERSION, outdated, refuse_newer, version_of
from gridzero.config.yaml_lines import Document, Tag, parse
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


def migrate(text: str, file: FilePath) -> Migrated:
    """The text of an older file as this version writes it.

    Raises ConfigError for a newer file, one that is no YAML, and one whose lines cannot be changed
    without a doubt.
    """
    notes = Notes(str(file))
    document = _parsed(text, notes)
    refuse_newer(document, notes)
    notes.raise_if_any()
    version, gone = version_of(document), tuple(outdated(document))
    if version == VERSION or not isinstance(document.value, dict):
        return Migrated(text, version, ())
    fresh = _changed(text, [path for path, _ in gone])
    if fresh is None or _meaning(fresh, file) != _wanted(document, [path for path, _ in gone]):
        raise _by_hand(document, [path for path, _ in gone], notes.file)
    words = [f"{dotted(path)} is gone: {why}" for path, why in gone]
    return Migrated(fresh, version, (*words, f"a line says the version: {VERSION}"))


def _parsed(text: str, notes: Notes) -> Document:
    tags: Mapping[str, Tag] = {tag: _named(tag) for tag in ("!secret", "!env")}
    return parse(text, notes, tags)


def _named(tag: str) -> Tag:
    """Secrets by their names: nobody needs their values to move a line."""
    return lambda name, _place, _path: f"{tag} {name}"


def _meaning(text: str, file: FilePath) -> Any:
    notes = Notes(str(file))
    try:
        value = _parsed(text, notes).value
    except ConfigErrors:
        return None
    return None if notes.problems else value


def _wanted(document: Document, gone: list[Path]) -> dict[str, Any]:
    """What the new text must mean. A section that has lost its last line is there without value."""
    value: dict[str, Any] = deepcopy(document.value)
    for path in gone:
        section = _at(value, path[:-1])
        del section[path[-1]]
    for path in gone:
        if path[:-1] and _at(value, path[:-1]) == {} and _is_block(document, path):
            _at(value, path[:-2])[path[-2]] = None
    return {KEY: VERSION, **{key: part for key, part in value.items() if key != KEY}}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _is_block(document: Document, path: Path) -> bool:
    """Whether a section is written in lines and not in braces: its first key is its own place."""
    section = document.values[path[:-1]]
    return section in {document.keys[key] for key in document.keys if key[:-1] == path[:-1]}


def _changed(text: str, gone: list[Path]) -> str | None:
    """None where the text has a form that nobody writes."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        edits = [*(_removal(text, root, path) for path in gone), *_versioned(text, root)]
    except (yaml.YAMLError, LookupError, ValueError):
        return None
    for edit in sorted(edits, reverse=True):
        text = text[: edit.begin] + edit.text + text[edit.end :]
    return text


def _versioned(text: str, root: Any) -> Iterator[_Edit]:
    """The line with the version, changed or put before the first key."""
    for key, value in root.value:
        if key.value == KEY:
            yield _Edit(value.start_mark.index, value.end_mark.index, str(VERSION))
            return
    begin = root.start_mark.index
    if root.flow_style:
        yield _Edit(begin + 1, begin + 1, f"{KEY}: {VERSION}, ")
    else:
        yield _Edit(begin, begin, f"{KEY}: {VERSION}{_line_end(text)}")


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _removal(text: str, root: Any, path: Path) -> _Edit:
    """Raises LookupError where path is not written as such."""
    section = root
    for part in path[:-1]:
        section = next(value for key, value in section.value if key.value == part)
    number = next(n for n, (key, _) in enumerate(section.value) if key.value == path[-1])
    if section.flow_style:
        return _between_braces(section, number)
    return _whole_lines(text, *section.value[number])


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


def _by_hand(document: Document, gone: list[Path], file: str) -> ConfigError:
    first = gone[0] if gone else ()
    place = document.keys.get(first, document.place(first))
    names = ", ".join(map(dotted, gone)) or f"the line '{KEY}: {VERSION}' is missing"
    what = f"this file is written in a way that cannot be changed safely: {names}"
    remedy = f"Delete these settings by hand and write '{KEY}: {VERSION}' into the first line"
    return ConfigErrors([Problem(file, place.line, place.column, dotted(first), what, remedy)])
