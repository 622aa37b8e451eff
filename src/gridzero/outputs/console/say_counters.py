"""Score and energy as lines."""

from __future__ import annotations

from collections.abc import Iterator

from gridzero.domain.causes import CAUSES
from gridzero.outputs.console.dig import Heard, Tree, branch, number, word
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import UNKNOWN, Line, figure, labelled, line, said

_SHOWN_WS = 180.0


def score(heard: Heard) -> list[Line]:
    """How well the grid was held."""
    told = heard.latest("score")
    if told is None:
        return freshness(heard, "score")
    names = dict.fromkeys((*branch(told, "hour"), *branch(told, "day")))
    rows = [
        line(("label", f"{name:<16}"), *(f"{_plain(told, span, name):>14}" for span in _SPANS))
        for name in names
        if name != "causes_ws"
    ]
    head = line(("head", f"{'':<16}{'last hour':>14}{'last day':>14}"))
    return [*freshness(heard, "score"), head, *rows, *causes(heard)]


_SPANS = ("hour", "day")


def _plain(tree: Tree, *path: str) -> str:
    value = number(tree, *path)
    if value is None:
        return word(tree, *path) or UNKNOWN
    return figure(value, 1 if abs(value) >= 100.0 else 3)


def energy(heard: Heard) -> list[Line]:
    """Counters since ever and of today, side by side."""
    told = heard.latest("energy")
    if told is None:
        return freshness(heard, "energy")
    today = branch(told, "today")
    names = dict.fromkeys((*_counters(told), *_counters(today)))
    known = [name for name in names if {number(told, name), number(today, name)} != {None}]
    head = line(("head", f"{'':<26}{'since ever':>12}{'today':>12}"))
    return [
        *freshness(heard, "energy"),
        head,
        *(_counter(name, told, today) for name in known),
        *_converter_counters(told),
        *_unknown([name for name in names if name not in known]),
    ]


def _counters(tree: Tree) -> Iterator[str]:
    """Names that may hold a figure."""
    for name, value in tree.items():
        if value is None or number(tree, name) is not None:
            yield str(name)


def _counter(name: str, told: Tree, today: Tree) -> Line:
    words, unit = _named(name)
    ever, of_today = (_column(tree, name) for tree in (told, today))
    return line(("label", f"{words:<26}"), f"{ever:>12}{of_today:>12}", f"  {unit}")


def _column(tree: Tree, name: str) -> str:
    """Empty where nothing is counted under that name; ``unknown`` where it is not known."""
    return figure(number(tree, name), 2) if name in tree else ""


def _named(name: str) -> tuple[str, str]:
    """Words and unit of a key that ends in its unit."""
    words, _, end = name.rpartition("_")
    return (said(words), _UNITS[end]) if end in _UNITS else (said(name), "")


_UNITS = {"kwh": "kWh", "wh": "Wh", "ct": "ct", "pct": "%", "h": "h"}


def _converter_counters(told: Tree) -> Iterator[Line]:
    for name, one in branch(told, "converters").items():
        hours = figure(number(one, "hours"), 2)
        yield line(("label", f"{name:<26}"), f"{hours:>12}{'':12}  h, {_starts(one)}")


def _starts(one: Tree) -> str:
    return f"{figure(number(one, 'starts'))} starts"


def _unknown(names: list[str]) -> Iterator[Line]:
    if names:
        yield labelled("unknown", ("faint", ", ".join(_named(name)[0] for name in names)))


def causes(heard: Heard) -> Iterator[Line]:
    """Where the grid power of the last hour came from, in watt-hours."""
    causes = branch(heard.latest("score"), "hour", "causes_ws")
    words = {cause.value: text for cause, text in CAUSES.items()}
    rows = [(number(causes, name), name) for name in causes]
    shown = [(ws, name) for ws, name in rows if ws is not None and ws >= _SHOWN_WS]
    if shown:
        yield line(("label", "grid power of the last hour, by its cause:"))
    for ws, name in shown[:8]:
        yield line(f"  {figure(ws / 3600, 1, 'Wh'):>11}  ", words.get(name, said(name)))
