"""What a bare word of the file means: the core schema of YAML 1.2 (section 10.3.2).

PyYAML itself follows YAML 1.1, where ``off`` is false and ``12:30`` is 750; the mode ``off``
would never arrive.
"""

from __future__ import annotations

import re
from math import isfinite

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL = re.compile(r"0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MOST_DIGITS = 30

Scalar = str | int | float | bool | None


class Unusable(ValueError):
    """A number that no setting can have."""


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises Unusable for infinite and monstrous numbers."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _NO_NUMBER.fullmatch(text):
        raise Unusable("is not a number to calculate with")
    return _number(text)


def _number(text: str) -> Scalar:
    for pattern, base in ((_INT, 10), (_HEX, 16), (_OCTAL, 8)):
        if pattern.fullmatch(text):
            if len(text) > _MOST_DIGITS:
                raise Unusable("has too many digits")
            return int(text.replace("0o", "", 1) if base == 8 else text, base)
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    if not isfinite(number):
        raise Unusable("is too large")
    return number
