"""A safe subset of YAML in which every value knows its line.

The nodes are built from PyYAML's events without recursion. No aliases, so nothing can grow
beyond the file itself; no tags but those the caller knows; no key twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.reader import ReaderError

from gridzero.config.document import Document
from gridzero.config.problems import TOP, Notes, Path, Place, shown
from gridzero.config.scalars import Unusable, resolve

MOST_DEPTH = 20
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset((None, "!", f"{_TAG}map", f"{_TAG}seq"))

Tag = Callable[[str, Place, Path], str | None]
"""Gives the value of a tagged text; None when it has told why there is none."""


def parse(
    text: str, notes: Notes, tags: Mapping[str, Tag] | None = None, *, as_text: bool = False
) -> Document:
    """Read text; problems go to notes.

    tags: what to do with ``!name text``. as_text: leave numbers and such as they are written.
    Raises ConfigErrors where the text cannot be read on.
    """
    builder = _Builder(notes, tags or {}, as_text)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.feed(event)
    except ReaderError as error:
        builder.tell_reader_error(error, text)
    except yaml.MarkedYAMLError as error:
        builder.tell_syntax_error(error)
    except _UnreadableError as error:
        notes.tell(error.place, (), error.what, error.remedy)
    except (ValueError, OverflowError) as error:  # an escape such as "\UFFFFFFFF"
        remedy = "Look for a backslash in double quotes; single quotes take it as it is"
        notes.tell(builder.last, (), f"a character cannot be read: {error}", remedy)
    else:
        return builder.document
    notes.raise_if_any()
    return builder.document


class _UnreadableError(Exception):
    """The rest of the file cannot be understood."""

    def __init__(self, place: Place, what: str, remedy: str) -> None:
        super().__init__(what)
        self.place, self.what, self.remedy = place, what, remedy


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled. key: waits for its value."""

    container: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None
    is_second: bool = False


class _Builder:
    def __init__(self, notes: Notes, tags: Mapping[str, Tag], as_text: bool) -> None:
        self.document = Document()
        self.last = TOP
        self._notes, self._tags, self._as_text = notes, tags, as_text
        self._stack: list[_Open] = []
        self._documents = 0

    def feed(self, event: yaml.Event) -> None:
        if event.start_mark is not None:
            self.last = _place(event.start_mark)
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open({}, event.tag)
            case yaml.SequenceStartEvent():
                self._open([], event.tag)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()
            case yaml.AliasEvent():
                self._alias(event.anchor)
            case yaml.DocumentStartEvent():
                self._count_document()

    def tell_syntax_error(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        what, remedy = _syntax(error.problem or error.context or "it cannot be read")
        self._notes.tell(_place(mark) if mark else self.last, (), what, remedy)

    def tell_reader_error(self, error: ReaderError, text: str) -> None:
        line = text.count("\n", 0, error.position) + 1
        what = f"the character {error.character!a} must not stand in a text file"
        self._notes.tell(Place(line, 1), (), what, "Delete it, or save the file as UTF-8 text")

    def _count_document(self) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _UnreadableError(
                self.last, "a second document begins", "Remove the line with ---"
            )

    def _open(self, container: dict[str, Any] | list[Any], tag: str | None) -> None:
        if self._wants_key():
            what, remedy = "a key must be plain text", "Put text with { or [ into quotes"
            raise _UnreadableError(self.last, what, remedy)
        if len(self._stack) >= MOST_DEPTH:
            what = f"sections are nested more than {MOST_DEPTH} deep"
            raise _UnreadableError(self.last, what, "Compare with the files in configs/")
        path = self._path()
        if tag not in _PLAIN_TAGS:
            self._refuse(path, f"the tag {shown(tag)} is not known here", "Remove the tag")
        self._attach(path, container)
        self._stack.append(_Open(container, path))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._wants_key():
            self._key(_printable(_paired(event.value)))
            return
        path = self._path()
        self._attach(path, self._value(event, path))

    def _alias(self, anchor: str | None) -> None:
        what = f"the alias *{anchor} is not allowed"
        if self._wants_key():
            raise _UnreadableError(self.last, what, "Write the key itself")
        path = self._path()
        self._refuse(path, what, "Write the values out at both places")
        self._attach(path, None)

    def _key(self, key: str) -> None:
        top = self._stack[-1]
        path = (*top.path, key)
        top.key, top.is_second = key, key in top.container
        if top.is_second:
            first = self.document.keys.get(path, TOP).line
            what = f"this key stands here a second time, the first is in line {first}"
            self._notes.tell(self.last, path, what, "Remove one of the two")
        self.document.keys.setdefault(path, self.last)

    def _value(self, event: yaml.ScalarEvent, path: Path) -> Any:
        written = _paired(event.value)
        text = _printable(written)
        if text != written:
            self._refuse(path, "half of a surrogate pair is no character", "Remove the escape")
        if event.tag is not None and event.tag in self._tags:
            return self._tagged(event.tag, text, path)
        if event.tag not in (None, "!", f"{_TAG}str"):
            known = ", ".join(self._tags) or "no tags"
            what, remedy = f"the tag {shown(event.tag)} is not known here", f"Known are: {known}"
            self._refuse(path, what, remedy)
        if self._as_text or event.tag is not None or not event.implicit[0]:
            return text
        return self._resolved(text, path)

    def _resolved(self, text: str, path: Path) -> Any:
        try:
            return resolve(text)
        except Unusable as error:
            self._refuse(path, f"{shown(text)} {error}", "Write an ordinary number")
            return None

    def _tagged(self, tag: str, text: str, path: Path) -> str:
        value = self._tags[tag](text.strip(), self.last, path)
        if value is None:
            self.document.spoilt.add(path)
            return ""
        self.document.tagged[path] = value
        return value

    def _refuse(self, path: Path, what: str, remedy: str) -> None:
        self._notes.tell(self.last, path, what, remedy)
        self.document.spoilt.add(path)

    def _wants_key(self) -> bool:
        if not self._stack:
            return False
        top = self._stack[-1]
        return isinstance(top.container, dict) and top.key is None

    def _path(self) -> Path:
        if not self._stack:
            return ()
        top = self._stack[-1]
        return (*top.path, len(top.container) if top.key is None else top.key)

    def _attach(self, path: Path, value: Any) -> None:
        self.document.values.setdefault(path, self.last)
        if not self._stack:
            self.document.value = value
            return
        top = self._stack[-1]
        if isinstance(top.container, list):
            top.container.append(value)
        elif top.key is not None:
            if not top.is_second:
                top.container[top.key] = value
            top.key = None


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _paired(text: str) -> str:
    """Text with each surrogate pair, as JSON escapes it, made one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _printable(text: str) -> str:
    """Text without lone surrogates, which nothing after this could print."""
    return text.encode(errors="backslashreplace").decode()


def _syntax(problem: str) -> tuple[str, str]:
    if "'\\t'" in problem:
        return "a tab stands where only spaces may stand", "Indent with spaces"
    if "mapping values are not allowed" in problem:
        return (
            "a colon stands where no key can be",
            "Check the indentation of this line and the one above; quote text that has a colon",
        )
    if "block end" in problem:
        return (
            "this line does not fit the lines above",
            "Indent the settings of one section alike, and close all brackets and quotes",
        )
    return f"this is no YAML: {problem}", "Check the indentation, quotes and brackets here"
