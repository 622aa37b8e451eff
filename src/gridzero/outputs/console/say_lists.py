"""Faults, events and settings as lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gridzero.outputs.console.dig import Heard, Tree, branch, dig, items, number, word
from gridzero.outputs.console.freshness import freshness
from gridzero.outputs.console.paint import UNKNOWN, Line, figure, labelled, line
from gridzero.outputs.console.say_state import fault_words


def faults(heard: Heard) -> list[Line]:
    """What stands, since it came, and what to do about it."""
    state = heard.latest("state")
    if state is None:
        return freshness(heard, "state")
    told = items(state, "faults")
    rows = [row for fault in told for row in _fault(fault)]
    return [*freshness(heard, "state"), *(rows or [line(("good", "no faults"))])]


def _fault(fault: Any) -> Iterator[Line]:
    yield line(*fault_words(fault))
    if word(fault, "remedy"):
        yield line("    ", ("faint", word(fault, "remedy") or ""))


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One event. at: when the console heard it, UTC. is_over: it ends one that had come."""

    at: datetime
    values: Tree
    is_over: bool = False


class EventLog:
    """The newest events, and which faults stand: what is only told does not end anything."""

    def __init__(self, most: int = 200) -> None:
        self.events: deque[Event] = deque(maxlen=most)
        self._standing: deque[tuple[Any, Any]] = deque(maxlen=most)

    def take(self, values: Tree, at: datetime) -> None:
        """One more."""
        who = dig(values, "code"), dig(values, "subject")
        is_active, stood = dig(values, "active") is True, who in self._standing
        if stood and not is_active:
            self._standing.remove(who)
        elif is_active and not stood:
            self._standing.append(who)
        self.events.append(Event(at, values, is_over=stood and not is_active))


def event_line(event: Event) -> Line:
    """When, what, to whom, in words."""
    values = event.values
    style = {"fault": "alarm", "warning": "warn"}.get(word(values, "severity") or "", "")
    style = "good" if event.is_over else style
    what = f"{word(values, 'code') or UNKNOWN} {word(values, 'subject') or ''}".strip()
    over = "  is over" if event.is_over else ""
    text = word(values, "text") or ""
    at = event.at.astimezone(UTC).strftime("%H:%M:%S")
    return line(("faint", f"{at}Z "), (style, what), over, f"  {text}" if text else "")


def events(heard: Sequence[Event]) -> list[Line]:
    """Those since the console began to listen, oldest first."""
    return [event_line(event) for event in heard] or [line(("faint", "no events since the start"))]


def settings(heard: Heard) -> list[Line]:
    """Every setting with its value and range, then every order."""
    told = heard.latest("settings")
    if told is None:
        return freshness(heard, "settings")
    return [
        *freshness(heard, "settings"),
        *(_setting(key, one) for key, one in branch(told, "settings").items()),
        line(("label", "orders:")),
        *(_action(key, one) for key, one in branch(told, "actions").items()),
    ]


def setting(heard: Heard, key: str) -> list[Line]:
    """One setting with its words."""
    one = branch(heard.latest("settings"), "settings", key)
    default = f"   default {shown(dig(one, 'default'), word(one, 'unit') or '')}"
    return [_setting(key, one), line("    ", word(one, "text") or "", ("faint", default))]


def _setting(key: str, one: Tree) -> Line:
    value = shown(dig(one, "value"), word(one, "unit") or "")
    style = "warn" if dig(one, "value") != dig(one, "default") else "head"
    return labelled(
        str(key),
        (style, f"{value:<11} "),
        ("faint", f"{_range(one):<19} "),
        word(one, "title") or "",
        width=18,
    )


def shown(value: Any, unit: str) -> str:
    """A value as a person would type it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return figure(number({"it": value}, "it"), 0 if float(value).is_integer() else 2, unit)
    return UNKNOWN if value is None else str(value) or "none"


def _range(one: Tree) -> str:
    if items(one, "options"):
        return "|".join(map(str, items(one, "options")))
    low, high = number(one, "low"), number(one, "high")
    if word(one, "kind") == "number" and low is not None and high is not None:
        return f"{figure(low)} to {figure(high)}"
    return {"switch": "on|off", "moment": "UTC time, or none"}.get(word(one, "kind") or "", "")


def _action(key: str, one: Tree) -> Line:
    asks = ("warn", "  (asks first)") if dig(one, "dangerous") is True else ""
    argument = word(one, "argument") or ""
    return labelled(
        str(key), f"{word(one, 'title') or '':<20}", ("faint", f"  {argument}"), asks, width=18
    )
