"""A meter's payload to a number: pure, and safe against whatever a broker delivers.

Anything that is not plainly a finite number is a reason, never a value: an unreadable meter must
not look like a balanced house.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any, Final, Literal, NamedTuple

from gridzero_drivers.metering.path import MISSING, Path, find
from gridzero_drivers.metering.sml import SmlError, registers

MAX_PAYLOAD: Final = 64 * 1024
"""Bytes. Longer messages are refused before they are parsed."""

_MAX_TEXT = 64  # characters of anything that may still be a number or a time
_MILLISECONDS_FROM = 1e11  # as seconds that would be the year 5138
_NO_STAMP_FROM = 1e20

# The unit is stripped, not obeyed: scale is configuration. "*kW" is how P1 telegrams write it.
_NUMBER = re.compile(
    r"([+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:e[+-]?[0-9]+)?)\s*\*?(?:[km]?w|watts?)?",
    re.IGNORECASE,
)
_NOTHING = frozenset({"unknown", "unavailable", "nan", "none", "null", "n/a", "-"})


class NoReading(StrEnum):
    """Why a message gives no reading."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_SML = "not_sml"
    PATH_MISSING = "path_missing"
    UNAVAILABLE = "unavailable"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    IMPLAUSIBLE = "implausible"
    REPEATED = "repeated"
    STALE = "stale"
    INCOMPLETE = "incomplete"
    OTHER_TOPIC = "other_topic"
    RETAINED = "retained"
    OUTDATED = "outdated"
    NO_DIRECTION = "no_direction"

    @property
    def is_garbage(self) -> bool:
        """The payload is to blame, so a person should compare it with the configuration."""
        return self in _GARBAGE


_GARBAGE = frozenset(
    {
        NoReading.EMPTY,
        NoReading.TOO_LARGE,
        NoReading.NOT_UTF8,
        NoReading.NOT_JSON,
        NoReading.NOT_SML,
        NoReading.NO_DIRECTION,
        NoReading.UNAVAILABLE,
        NoReading.NOT_A_NUMBER,
        NoReading.NOT_FINITE,
        NoReading.IMPLAUSIBLE,
    }
)


class Direction(NamedTuple):
    """Which way an unsigned power flows. words: what stands at path -> 1 import, -1 export."""

    path: Path
    words: Mapping[str, int]


Form = Literal["json", "sml"]


class Shape(NamedTuple):
    """What the messages of one topic hold.

    paths: where each wanted number stands; None = the payload itself is the number.
    time_path: where the time of measurement stands, None = nowhere. outdated_path: where a truth
    stands that makes the message old. directions: of each number, None = it has a sign; empty =
    all have. form: of the payload; sml becomes a document with the OBIS codes as keys.
    """

    paths: tuple[Path | None, ...]
    time_path: Path | None = None
    outdated_path: Path | None = None
    directions: tuple[Direction | None, ...] = ()
    form: Form = "json"


class Content(NamedTuple):
    """One message, read.

    numbers: in the order of ``Shape.paths``, finite, in the meter's own unit.
    stamp_s: the meter's clock in seconds from any origin; None when absent or unreadable.
    """

    numbers: tuple[float, ...]
    stamp_s: float | None = None


def decode(payload: bytes, shape: Shape) -> Content | NoReading:
    """Read one message. Never raises; one unreadable number spoils the message."""
    if len(payload) > MAX_PAYLOAD:
        return NoReading.TOO_LARGE
    document = _read(payload, shape)
    if isinstance(document, NoReading):
        return document
    if shape.outdated_path is not None and find(document, shape.outdated_path) is True:
        return NoReading.OUTDATED
    numbers = []
    for path in shape.paths:
        value = number(document if path is None else find(document, path))
        if isinstance(value, NoReading):
            return value
        numbers.append(value)
    if shape.directions:
        signed = _directed(document, numbers, shape.directions)
        if isinstance(signed, NoReading):
            return signed
        numbers = signed
    return Content(tuple(numbers), _stamp_at(document, shape.time_path))


def _read(payload: bytes, shape: Shape) -> Any:
    """The document of a payload, its text where that is the number, or why there is neither."""
    if shape.form == "sml":
        try:
            return registers(payload)
        except SmlError:
            return NoReading.NOT_SML
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return NoReading.NOT_UTF8
    return text if shape.paths == (None,) else _document(text)


def _directed(
    document: Any, numbers: list[float], directions: tuple[Direction | None, ...]
) -> list[float] | NoReading:
    signed = []
    for value, direction in zip(numbers, directions, strict=True):
        if direction is None:
            signed.append(value)
            continue
        word = find(document, direction.path)
        sign = direction.words.get(word.strip().lower()) if isinstance(word, str) else None
        if sign is None:
            return NoReading.NO_DIRECTION
        signed.append(sign * abs(value))
    return signed


def number(value: Any) -> float | NoReading:
    """A JSON value as a finite number; a list of numbers is their sum (one per phase)."""
    if not isinstance(value, list):
        return _scalar(value)
    total = 0.0
    for item in value:
        part = _scalar(item)
        if isinstance(part, NoReading):
            return part
        total += part
    return _finite(total) if value else NoReading.NOT_A_NUMBER


def stamp_s(value: Any) -> float | None:
    """A time of measurement in seconds; None when it is not one.

    Unix seconds, unix milliseconds (and finer), or ISO 8601; without a zone it counts as UTC,
    which is harmless because only differences are used.
    """
    counted = _scalar(value)
    if isinstance(counted, NoReading):
        return _iso_s(value) if isinstance(value, str) else None
    if not 0 < counted < _NO_STAMP_FROM:
        return None
    while counted > _MILLISECONDS_FROM:
        counted /= 1000
    return counted


def excerpt(payload: bytes, limit: int = 48) -> str:
    """The beginning of a payload, quoted and printable, for people."""
    shown = ascii(payload[:limit].decode(errors="replace"))
    return f"{shown} ... ({len(payload)} bytes)" if len(payload) > limit else shown


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # ValueError also for integers of thousands of digits
        return NoReading.NOT_JSON if text.strip() else NoReading.EMPTY


def _scalar(value: Any) -> float | NoReading:
    if isinstance(value, str):
        return _from_text(value)
    if value is MISSING:
        return NoReading.PATH_MISSING
    if value is None:
        return NoReading.UNAVAILABLE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NoReading.NOT_A_NUMBER
    return _finite(value)


def _from_text(text: str) -> float | NoReading:
    text = text.strip()
    if not text:
        return NoReading.EMPTY
    if len(text) > _MAX_TEXT:
        return NoReading.NOT_A_NUMBER
    if found := _NUMBER.fullmatch(text):
        return _finite(float(found[1].replace(",", ".")))
    return NoReading.UNAVAILABLE if text.lower() in _NOTHING else NoReading.NOT_A_NUMBER


def _finite(value: float) -> float | NoReading:
    try:
        result = float(value)
    except OverflowError:  # an integer beyond the range of a float
        return NoReading.NOT_FINITE
    return result if isfinite(result) else NoReading.NOT_FINITE


def _stamp_at(document: Any, path: Path | None) -> float | None:
    return None if path is None else stamp_s(find(document, path))


def _iso_s(text: str) -> float | None:
    try:
        when = datetime.fromisoformat(text.strip()[:_MAX_TEXT])
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
