"""Lines of coloured text, and how figures are written: unknown is said, never shown as 0.

Everything that goes to a terminal passes ``clean``: what another program said over MQTT must not
move a cursor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

Fragment = tuple[str, str]
"""Style and text, as prompt_toolkit takes them."""
Line = list[Fragment]

UNKNOWN = "unknown"
QUIET_W = 25.0

STYLES = {
    "head": "bold",
    "label": "ansibrightblack",
    "faint": "ansibrightblack",
    "good": "ansigreen",
    "buys": "ansiyellow",
    "sells": "ansicyan",
    "gives": "ansigreen",
    "stores": "ansiblue",
    "warn": "ansiyellow",
    "alarm": "bold ansired",
    "key": "bold ansicyan",
    "bar": "reverse",
}

_WORDS_FOR = {
    "\u00b1": "+-",
    "\u00b0": " deg",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u2192": "->",
    "\u2190": "<-",
    "\u00b5": "u",
    "\u03a9": "Ohm",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u00d7": "x",
    "\u2026": "...",
    "\u20ac": "EUR",
}


def clean(text: str) -> str:
    """Plain ASCII that takes one column per character and commands no terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_plain_char, text))


def _plain_char(char: str) -> str:
    if " " <= char <= "~":
        return char
    if char in _WORDS_FOR:
        return _WORDS_FOR[char]
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return plain if plain.isprintable() and plain else "?"


def line(*parts: str | Fragment) -> Line:
    """One line of parts; a plain text has no style."""
    return [("", part) if isinstance(part, str) else part for part in parts if part]


def labelled(label: str, *parts: str | Fragment, width: int = 10) -> Line:
    """A line that begins with a label in a column of its own."""
    return line(("label", f"{label:<{width}}"), *parts)


def figure(value: float | None, digits: int = 0, unit: str = "", *, signed: bool = False) -> str:
    """A number with its unit, or ``unknown``."""
    if value is None or not isfinite(value):
        return UNKNOWN
    rounded = round(value, digits) + 0.0  # no minus before a zero
    text = f"{rounded:+,.{digits}f}" if signed and rounded else f"{rounded:,.{digits}f}"
    return f"{text.replace(',', ' ')} {unit}".rstrip()


def duration(seconds: float | None) -> str:
    """A time span for people: ``0.4 s``, ``12 s``, ``3 min``, ``5 h``, ``2 days``."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    for limit, unit_s, unit in (
        (10, 1, "s"),
        (120, 1, "s"),
        (7200, 60, "min"),
        (172800, 3600, "h"),
    ):
        if seconds < limit:
            return f"{seconds / unit_s:.{1 if limit == 10 else 0}f} {unit}"
    return f"{seconds / 86400:.0f} days"


def grid(power_w: float | None) -> Fragment:
    """Grid power in the colour of its direction."""
    style = "" if power_w is None else "buys" if power_w > QUIET_W else "good"
    if power_w is not None and power_w < -QUIET_W:
        style = "sells"
    return style, figure(power_w, 0, "W", signed=True)


def said(code: str | None) -> str:
    """A code as words."""
    return code.replace("_", " ") if code else UNKNOWN


def plain(lines: Iterable[Line], width: int = 0) -> str:
    """The lines without colour; width: cut there, 0 = not at all."""
    return "\n".join("".join(text for _, text in cut(one, width)).rstrip() for one in lines)


def cut(one: Sequence[Fragment], width: int) -> Line:
    """A clean line of at most so many columns; 0 = any."""
    left, found = width or 10_000, []
    for style, text in one:
        shown = clean(text)[:left]
        left -= len(shown)
        if shown:
            found.append((style, shown))
    return found


def wrapped(one: Sequence[Fragment], width: int, indent: int) -> list[Line]:
    """The line over as many rows as it needs, broken at spaces where it can be."""
    rows: list[Line] = [[]]
    used = 0
    for style, piece in _pieces(one, max(width - indent, 1)):
        text = piece
        if used + len(text.rstrip()) > width and used > indent:
            rows.append([("", " " * indent)])
            used, text = indent, text.lstrip()
        if used + len(text) > width:
            text = text.rstrip()  # a space at the edge would make the terminal begin a row
        rows[-1].append((style, text))
        used += len(text)
    return rows


def _pieces(one: Sequence[Fragment], longest: int) -> Iterator[Fragment]:
    """Words, each with the spaces behind it; what is longer than a row in parts."""
    for style, text in one:
        for piece in re.findall(r" *[^ ]+ *| +", clean(text)):
            for start in range(0, len(piece), longest):
                yield style, piece[start : start + longest]
