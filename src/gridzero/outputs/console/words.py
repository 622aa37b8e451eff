"""The words of the console, as rows."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gridzero.domain.settings import ACTIONS, SETTINGS
from gridzero.outputs.console import say_battery, say_counters, say_energy, say_lists, say_state
from gridzero.outputs.console.dig import Heard, branch, items, word
from gridzero.outputs.console.paint import Line, line
from gridzero.outputs.console.trace import Tracer

LEVELS = ("debug", "info", "warning", "error")


class Desk(Protocol):
    """What a word works with: one session. is_debug: it has asked for debug logs."""

    is_debug: bool

    @property
    def heard(self) -> Heard:
        """What gridzero has said."""
        ...

    @property
    def tracer(self) -> Tracer:
        """Links that can be watched."""
        ...

    @property
    def events(self) -> Sequence[say_lists.Event]:
        """Those of late."""
        ...

    def say(self, lines: Iterable[Line]) -> None:
        """Show lines."""
        ...

    async def ask(self, what: str, value: str = "") -> bool:
        """Change a setting or give an order, after a question where it is dangerous."""
        ...

    async def follow_events(self) -> bool:
        """Show events as they come, until a key."""
        ...

    async def follow_link(self, name: str, *, raw: bool) -> bool:
        """Show what passes on a link, until a key."""
        ...

    async def watch(self) -> bool:
        """Show the live screen until it is left."""
        ...

    def leave(self) -> bool:
        """End the session."""
        ...


Options = Mapping[str, str]
"""What may be typed, and what it means."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    arguments: how they are shown in help. run: told the rest of the line; returns whether it was
    done. complete: what may follow, given the arguments before.
    """

    name: str
    arguments: str
    summary: str
    run: Callable[[Desk, str], Awaitable[bool]]
    help: str = ""
    complete: Callable[[Desk, Sequence[str]], Options] = lambda _desk, _before: {}


def _shows(text: Callable[[Heard], list[Line]]) -> Callable[[Desk, str], Awaitable[bool]]:
    async def run(desk: Desk, _rest: str) -> bool:
        desk.say(text(desk.heard))
        return True

    return run


def _complain(desk: Desk, text: str) -> bool:
    desk.say([line(("warn", text))])
    return False


def setting_keys(desk: Desk) -> Options:
    """Keys of settings: as gridzero tells them, before that those of the catalogue."""
    told = branch(desk.heard.latest("settings"), "settings")
    if told:
        return {str(key): word(told, key, "title") or "" for key in told}
    return {setting.key: setting.title for setting in SETTINGS}


def action_keys(desk: Desk) -> Options:
    """Keys of orders, likewise."""
    told = branch(desk.heard.latest("settings"), "actions")
    if told:
        return {str(key): word(told, key, "title") or "" for key in told}
    return {action.key: action.title for action in ACTIONS}


def values_of(desk: Desk, key: str) -> Options:
    """What a setting may be, where that is a choice."""
    one = branch(desk.heard.latest("settings"), "settings", key)
    if word(one, "kind") == "switch":
        return {"on": "", "off": ""}
    told = items(one, "options")
    row = next((setting.options for setting in SETTINGS if setting.key == key), ())
    return {str(option): "" for option in told or row}


async def _set(desk: Desk, rest: str) -> bool:
    key, _, value = rest.partition(" ")
    if not key:
        return _complain(desk, "say which: set KEY VALUE; `settings` lists them")
    if key not in setting_keys(desk):
        return _complain(desk, f"there is no setting {key}{_meant(key, setting_keys(desk))}")
    if not value.strip():
        desk.say(say_lists.setting(desk.heard, key))
        return True
    return await desk.ask(key, "" if value.strip() == "none" else value.strip())


def _meant(text: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(text, list(known), 1)
    return f", did you mean {close[0]}?" if close else ""


def _complete_set(desk: Desk, before: Sequence[str]) -> Options:
    return setting_keys(desk) if not before else values_of(desk, before[0])


def _setting(key: str) -> Callable[[Desk, str], Awaitable[bool]]:
    async def run(desk: Desk, rest: str) -> bool:
        return await _set(desk, f"{key} {rest}")

    return run


def _orders(key: str, otherwise: str = "") -> Callable[[Desk, str], Awaitable[bool]]:
    async def run(desk: Desk, rest: str) -> bool:
        return await desk.ask(key, rest or otherwise)

    return run


async def _do(desk: Desk, rest: str) -> bool:
    key, _, value = rest.partition(" ")
    if key not in action_keys(desk):
        return _complain(desk, f"there is no order {key}{_meant(key, action_keys(desk))}")
    return await desk.ask(key, value.strip())


async def _ack(desk: Desk, rest: str) -> bool:
    return await desk.ask("acknowledge", rest or "all")


def _faults_to_end(desk: Desk, _before: Sequence[str]) -> Options:
    faults = items(desk.heard.latest("state"), "faults")
    codes = {word(fault, "code") or "": word(fault, "text") or "" for fault in faults}
    return {"all": "everything that is over", **codes}


async def _balance(desk: Desk, rest: str) -> bool:
    if rest:
        return await desk.ask("balance", rest)
    desk.say(say_battery.balancing(desk.heard))
    return True


async def _events(desk: Desk, _rest: str) -> bool:
    desk.say(say_lists.events(desk.events))
    return True


async def _log(desk: Desk, rest: str) -> bool:
    if not rest:
        return await desk.follow_events()
    if rest not in LEVELS:
        return _complain(desk, f"a level is one of {', '.join(LEVELS)}")
    return await desk.ask("log", rest)


def _follows(kind: str) -> Callable[[Desk, str], Awaitable[bool]]:
    async def run(desk: Desk, rest: str) -> bool:
        name, _, how = rest.partition(" ")
        names = desk.tracer.named(kind)
        if not name and len(names) == 1:
            name = names[0]
        if name not in names:
            known = ", ".join(names) or "none is configured"
            return _complain(desk, f"say which {kind} link: {known}")
        return await desk.follow_link(name, raw=how.strip() == "raw")

    return run


def _links(kind: str) -> Callable[[Desk, Sequence[str]], Options]:
    def complete(desk: Desk, before: Sequence[str]) -> Options:
        return {"raw": "bytes, too"} if before else dict.fromkeys(desk.tracer.named(kind), "")

    return complete


def _converters(desk: Desk, _before: Sequence[str]) -> Options:
    state = desk.heard.latest("state")
    names = [str(name) for group in ("chargers", "inverters") for name in branch(state, group)]
    return {"all": "one after the other", "cancel": "end the test", **dict.fromkeys(names, "")}


async def _watch(desk: Desk, _rest: str) -> bool:
    return await desk.watch()


async def _quit(desk: Desk, _rest: str) -> bool:
    return desk.leave()


async def _help(desk: Desk, rest: str) -> bool:
    if not rest:
        desk.say(overview())
        return True
    found = WORD_OF.get(rest)
    if found is None:
        return _complain(desk, f"there is no word {rest}{_meant(rest, WORD_OF)}")
    desk.say(help_of(found))
    return True


def help_of(found: Word) -> list[Line]:
    """All that is to be said of a word."""
    head = line(("key", found.name), f" {found.arguments}" if found.arguments else "")
    rows = [line("  ", text) for text in found.help.splitlines()]
    return [head, line("  ", found.summary), *rows]


def overview() -> list[Line]:
    """Every word in a line, then the keys."""
    rows = [
        line(("key", f"{found.name:<9}"), ("label", f"{found.arguments:<15}"), found.summary)
        for found in WORDS
    ]
    return [*rows, *(line(("faint", text)) for text in _KEY_HELP)]


_KEY_HELP = (
    "",
    "Keys with Enter: q quit  d debug log  b battery  l balance now or stop  p cells",
    "  r clear full   c i allow charge, discharge: on or off.   At once: space watch",
    "  C B trace charger, battery  R restart  - shunt sign  % charge by volts  ! full",
)

_MODE_HELP = "auto holds the grid at its target. charge and discharge use power_w."
_FOLLOW_HELP = "Space pauses and goes on, any other key ends it. raw shows the bytes, too."

WORDS: tuple[Word, ...] = (
    Word("status", "", "what happens now, and why", _shows(say_state.status)),
    Word("watch", "", "the live screen, like space at an empty prompt", _watch),
    Word("why", "", "why the battery does what it does", _shows(say_state.why)),
    Word("cells", "", "every cell", _shows(say_battery.cells)),
    Word("modules", "", "one line for each module", _shows(say_battery.modules)),
    Word("battery", "", "charge, doubts, alarms, heat", _shows(say_battery.battery)),
    Word("limits", "", "what may flow now, and what limits it", _shows(say_state.limits)),
    Word("faults", "", "what is wrong, and what to do", _shows(say_lists.faults)),
    Word(
        "ack",
        "[CODE]",
        "end faults that are over; alone: all of them",
        _ack,
        complete=_faults_to_end,
    ),
    Word("events", "", "what happened since the console began to listen", _events),
    Word("score", "", "how well the grid was held", _shows(say_counters.score)),
    Word("energy", "", "what was bought, sold, charged and saved", _shows(say_energy.energy)),
    Word("health", "", "ageing, and what to look after", _shows(say_battery.health)),
    Word(
        "mode",
        "[MODE]",
        "what to do: auto, charge, discharge, hold, off",
        _setting("mode"),
        _MODE_HELP,
        complete=lambda desk, _before: values_of(desk, "mode"),
    ),
    Word("target", "WATTS", "grid power to hold; above 0 buys", _setting("target_w")),
    Word("set", "KEY [VALUE]", "change a setting, or show it", _set, complete=_complete_set),
    Word("settings", "", "every setting and order", _shows(say_lists.settings)),
    Word(
        "do",
        "ORDER [WHAT]",
        "give an order that `settings` lists",
        _do,
        complete=lambda desk, before: {} if before else action_keys(desk),
    ),
    Word(
        "balance",
        "[now|stop]",
        "balance at once for 6 hours; alone: where it stands",
        _balance,
        complete=lambda _desk, _before: {"now": "for 6 hours", "stop": "end that"},
    ),
    Word(
        "identify",
        "[UNIT]",
        "test how a converter follows; alone: each of them",
        _orders("identify", "all"),
        "UNIT is the name of a converter, all, or cancel",
        complete=_converters,
    ),
    Word(
        "can", "BUS [raw]", "what passes on a CAN bus", _follows("can"), _FOLLOW_HELP, _links("can")
    ),
    Word(
        "rs485",
        "[PORT] [raw]",
        "what passes on a serial line",
        _follows("serial"),
        _FOLLOW_HELP,
        _links("serial"),
    ),
    Word(
        "log",
        "[LEVEL]",
        "events as they come; with a level: what is logged",
        _log,
        complete=lambda _desk, _before: dict.fromkeys(LEVELS, ""),
    ),
    Word(
        "help",
        "[WORD]",
        "this, or more on a word",
        _help,
        complete=lambda _desk, _before: {found.name: found.summary for found in WORDS},
    ),
    Word("quit", "", "leave", _quit),
)

WORD_OF = {found.name: found for found in WORDS}


def key_word(desk: Desk, key: str) -> Word | None:
    """The word behind a setting or order that is typed like a word."""
    if key in action_keys(desk):
        return WORD_OF["do"]
    return WORD_OF["set"] if key in setting_keys(desk) else None


def not_known(text: str) -> str:
    """What to say to a word that is none."""
    return f"there is no word {text[:20]}{_meant(text[:20], WORD_OF) or '; try help'}"
