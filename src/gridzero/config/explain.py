"""Turns what pydantic found into problems with a line, plain words and a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gridzero.config.document import Document
from gridzero.config.problems import Notes, Path, shown
from gridzero.config.schema import SchemaGuide
from gridzero.config.version import GONE

_SECTION_TYPES = frozenset(("model_type", "model_attributes_type", "dict_type", "mapping_type"))
_LIST_TYPES = frozenset(("list_type", "tuple_type", "set_type"))
_CONTAINER_TYPES = _SECTION_TYPES | _LIST_TYPES
_WORDS_IN_NAMES_OF_SECRETS = ("password", "secret", "token", "urls")
_SEE = "See docs/configuration.md"


class _Finding(NamedTuple):
    """One error of pydantic where it belongs in the file."""

    path: Path
    error: ErrorDetails

    @property
    def key(self) -> Path:
        """The path, with the missing key at its end."""
        is_missing = self.error["type"] == "missing"
        return (*self.path, self.error["loc"][-1]) if is_missing else self.path


class Explainer:
    """Tells the errors of one model, which reads the part of the document at ``base``."""

    def __init__(
        self, document: Document, notes: Notes, model: type[BaseModel], base: Path = ()
    ) -> None:
        self._document, self._notes = document, notes
        self._model, self._base = model, base

    def tell(self, error: ValidationError) -> None:
        """Note one problem for each place that does not fit."""
        found = [_Finding(self._locate(e), e) for e in error.errors(include_url=False)]
        for finding in self._one_per_place(found):
            self._tell(finding)

    @cached_property
    def _guide(self) -> SchemaGuide:
        return SchemaGuide(self._model, self._document.get(self._base))

    def _locate(self, error: ErrorDetails) -> Path:
        """The path in the file; pydantic also names members of unions, which are no keys."""
        path = self._base
        for part in (*error["loc"], *_tag_key(error)):
            deeper = (*path, part)
            if deeper in self._document.values or deeper in self._document.keys:
                path = deeper
        return path

    def _one_per_place(self, found: Sequence[_Finding]) -> Iterable[_Finding]:
        """Of the complaints of a union's members, one that fits what was written."""
        kept: dict[Path, _Finding] = {}
        for finding in found:
            if self._fits(finding, found):
                kept.setdefault(finding.key, finding)
        spoilt = self._document.spoilt
        return [f for f in kept.values() if not any(f.key[: len(s)] == s for s in spoilt)]

    def _fits(self, finding: _Finding, found: Sequence[_Finding]) -> bool:
        """False for "no number" about a section that has errors, "no section" about a number."""
        path, kind = finding.path, finding.error["type"]
        if isinstance(self._document.get(path), (dict, list)):
            deeper = any(f.key[: len(path)] == path != f.key for f in found)
            return not (deeper and kind.endswith("_type"))
        rivals = (f.error["type"] for f in found if f.path == path)
        return kind not in _CONTAINER_TYPES or all(r in _CONTAINER_TYPES for r in rivals)

    def _tell(self, finding: _Finding) -> None:
        error = finding.error
        teller = _TELLERS.get(error["type"])
        if teller is not None:
            what, remedy = teller(self._question(finding))
        else:
            what, remedy = self._question(finding).about_value()
        place = self._document.place(finding.path)
        if error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",):
            place = self._document.keys.get(finding.path, place)
        self._notes.tell(place, finding.key, what, remedy)

    def _question(self, finding: _Finding) -> _Question:
        relative = finding.key[len(self._base) :]
        return _Question(
            key=finding.key,
            value=self._shown(finding.path),
            error=finding.error,
            context=finding.error.get("ctx") or {},
            description=self._guide.description(relative),
            siblings=self._guide.known_keys(relative[:-1]),
        )

    def _shown(self, path: Path) -> str:
        name, value = str(path[-1]).lower() if path else "", self._document.get(path)
        address = str(value).strip().lower()
        hides = "://" in address and "@" in address  # a password in an address
        if "://" in address and not address.startswith(("http://", "https://")):
            hides = True  # those of brokers and messengers hold one anywhere
        if path in self._document.tagged or any(w in name for w in _WORDS_IN_NAMES_OF_SECRETS):
            hides = True
        return "the hidden value" if hides else shown(value)


def _tag_key(error: ErrorDetails) -> tuple[str, ...]:
    """The key that says of what kind a section is, where its word is unknown."""
    if error["type"] != "union_tag_invalid":
        return ()
    return (error["ctx"]["discriminator"].strip("'"),)


class _Question(NamedTuple):
    """All that a sentence about one error may use."""

    key: Path
    value: str
    error: ErrorDetails
    context: Mapping[str, Any]
    description: str
    siblings: Sequence[str]

    @property
    def name(self) -> str:
        return str(self.key[-1]) if self.key else "file"

    @property
    def meaning(self) -> str:
        """The setting's description as an end of a sentence."""
        return f" ({self.description})" if self.description else ""

    def about_value(self) -> tuple[str, str]:
        """What pydantic says, when there are no better words."""
        text = str(self.context["error"]) if "error" in self.context else self.error["msg"]
        return text.rstrip("."), f"Mend {self.name}{self.meaning}" if self.description else _SEE


def nearest(word: object, known: Iterable[str]) -> str:
    """``Did you mean ...?`` with a space at its end, or nothing."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"Did you mean {near[0]!r}? " if near else ""


def _missing(q: _Question) -> tuple[str, str]:
    return "this setting is missing", f"Add '{q.name}: ...'{q.meaning}"


def _unknown_key(q: _Question) -> tuple[str, str]:
    if q.key in GONE:
        return "this setting is gone", f"Delete the line; nothing replaces it, {GONE[q.key]}"
    known = ", ".join(q.siblings) or "no settings at all"
    return "there is no such setting", f"{nearest(q.name, q.siblings)}Known here: {known}"


def _unknown_word(q: _Question) -> tuple[str, str]:
    known = str(q.context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
    hint = nearest(q.value.strip("'"), known)
    return f"{q.value} is not known here", f"{hint}Use one of: {', '.join(known)}{q.meaning}"


def _unknown_tag(q: _Question) -> tuple[str, str]:
    name = str(q.context["discriminator"]).strip("'")
    known = str(q.context["expected_tags"]).replace("'", "").split(", ")
    tag = q.context["tag"]
    hint = nearest(tag, known)
    return f"{shown(tag)} is no {name} that is known", f"{hint}Use one of: {', '.join(known)}"


def _missing_tag(q: _Question) -> tuple[str, str]:
    name = str(q.context["discriminator"]).strip("'")
    return f"the setting '{name}' is missing", f"Add '{name}: ...' to say what this is"


def _bad_name(q: _Question) -> tuple[str, str]:
    if q.error["loc"][-1:] == ("[key]",):
        rule = "Use lower-case letters, digits and underscores, a letter first, at most 32"
        return "this name has other characters than names may have", rule
    return f"{q.value} does not have the right form", f"Mend {q.name}{q.meaning}"


def _asks(what: str, remedy: str) -> Callable[[_Question], tuple[str, str]]:
    """A sentence about the value, and what to write instead."""
    return lambda q: (f"{q.value} {what}", f"{remedy}{q.meaning}")


def _bound(what: str, key: str, words: str) -> Callable[[_Question], tuple[str, str]]:
    def tell(q: _Question) -> tuple[str, str]:
        return f"{q.value} {what}", f"Use {words} {_number(q.context[key])}{q.meaning}"

    return tell


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_A_NUMBER = _asks("is not a number", "Write a number, with a point and not a comma")
_A_WHOLE_NUMBER = _asks("is not a whole number", "Write a whole number")
_A_TRUTH = _asks("is neither true nor false", "Write true or false")
_A_SECTION = _asks("stands where a section is needed", "Write settings below it, indented")
_A_LIST = _asks("stands where a list is needed", "Write it like [1, 2]")
_TOO_SHORT = _asks("is too short", "Write more")
_TOO_LONG = _asks("is too long", "Write less")

_TELLERS: dict[str, Callable[[_Question], tuple[str, str]]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _unknown_word,
    "enum": _unknown_word,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _missing_tag,
    "string_pattern_mismatch": _bad_name,
    "greater_than": _bound("is too small", "gt", "more than"),
    "greater_than_equal": _bound("is too small", "ge", "at least"),
    "less_than": _bound("is too large", "lt", "less than"),
    "less_than_equal": _bound("is too large", "le", "at most"),
    "float_type": _A_NUMBER,
    "float_parsing": _A_NUMBER,
    "finite_number": _A_NUMBER,
    "int_type": _A_WHOLE_NUMBER,
    "int_parsing": _A_WHOLE_NUMBER,
    "int_from_float": _A_WHOLE_NUMBER,
    "bool_type": _A_TRUTH,
    "bool_parsing": _A_TRUTH,
    "string_type": _asks("is not text", "Put it in quotes"),
    "string_too_short": _TOO_SHORT,
    "too_short": _TOO_SHORT,
    "string_too_long": _TOO_LONG,
    "too_long": _TOO_LONG,
    **dict.fromkeys(_SECTION_TYPES, _A_SECTION),
    **dict.fromkeys(_LIST_TYPES, _A_LIST),
}
