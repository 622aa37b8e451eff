"""One person at the console: greeting, password, then words and keys until they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from gridzero.domain.settings import ACTION_OF
from gridzero.outputs.console.dig import dig
from gridzero.outputs.console.door import Door
from gridzero.outputs.console.live import Live, still
from gridzero.outputs.console.paint import Line, clean, line, wrapped
from gridzero.outputs.console.say_lists import Event, event_line
from gridzero.outputs.console.single_keys import SINGLE_KEYS
from gridzero.outputs.console.terminal import Terminal
from gridzero.outputs.console.trace import RENEW_S, Tracer
from gridzero.outputs.console.words import WORD_OF, WORDS, Word, key_word, not_known
from gridzero.outputs.feed import Answer, Feed
from gridzero.ports.clock import Clock

log = structlog.get_logger()

CONFIRM_S = 15.0
_TRIES = 3
_LOOK_S = 0.25
_SCRIPT_FOLLOWS_S = 10.0
_CTRL_C = "\x03"


@dataclass(frozen=True, slots=True)
class Room:
    """What all sessions share. door: None where no password is asked."""

    feed: Feed
    clock: Clock
    tracer: Tracer
    events: Sequence[Event]
    site: str
    door: Door | None = None


class Session:
    """A desk of words.Desk. welcome: called when the person is known."""

    def __init__(
        self, room: Room, terminal: Terminal, address: str, welcome: Callable[[], None]
    ) -> None:
        self.room, self.terminal, self.address = room, terminal, address
        self.is_debug = False
        self._welcome = welcome
        self._is_leaving = False
        self._live: Live | None = None

    @property
    def heard(self) -> Feed:
        """What gridzero has said."""
        return self.room.feed

    @property
    def clock(self) -> Clock:
        """The loop's."""
        return self.room.clock

    @property
    def tracer(self) -> Tracer:
        """Links that can be watched."""
        return self.room.tracer

    @property
    def events(self) -> Sequence[Event]:
        """Those of late."""
        return self.room.events

    async def run(self) -> None:
        """Until the person leaves."""
        try:
            if not await self._come_in():
                return
            if self.terminal.is_script:
                await self._script()
            else:
                await self._talk()
        except EOFError:
            pass
        finally:
            self.terminal.leave_screen()

    async def _come_in(self) -> bool:
        """Ask for the password; say little to those who do not know it."""
        door = self.room.door
        if door is None:
            self._welcome()
            return True
        for _ in range(_TRIES):
            if await self._is_let_in(door):
                self._welcome()
                return True
        log.warning("console.refused", address=self.address)
        self.say([line(("alarm", "refused"))])
        if self.terminal.is_script:
            self._end_script(False)
        return False

    async def _is_let_in(self, door: Door) -> bool:
        try:
            typed = await self.terminal.prompt(line("password:", " "), secret=True)
        except KeyboardInterrupt:
            raise EOFError from None
        now_s = self.room.clock.now_s()
        wait_s = door.wait_s(self.address, now_s)
        if door.opens(self.address, typed, now_s):
            return True
        text = f"too many tries, wait {wait_s:.0f} s" if wait_s > 0.0 else "wrong password"
        self.say([line(("alarm", text))])
        await self.room.clock.sleep_s(1.0)
        return False

    async def _talk(self) -> None:
        title = f"gridzero at {self.room.site}." if self.room.site else "gridzero."
        hint = " help: the words   space: live screen   quit: leave"
        self.say([line(("head", title), hint)])
        words = WordCompleter(self)
        while not self._is_leaving:
            try:
                typed = await self.terminal.prompt(line(("key", "gridzero>"), " "), words)
            except KeyboardInterrupt:
                continue
            await self.do(typed)
            await self.room.clock.sleep_s(0.0)  # many lines at once take turns with all others

    async def _script(self) -> None:
        """One line, its output, and how it went."""
        is_done = await self.do(await self.terminal.prompt(line(), None))
        self._end_script(is_done)

    def _end_script(self, is_done: bool) -> None:
        self.terminal.end_script("0" if is_done else "1")

    async def do(self, typed: str) -> bool:
        """Run what was typed: a word or a single key; a single space is one."""
        if typed in SINGLE_KEYS:
            return await SINGLE_KEYS[typed](self)
        name, _, rest = typed.strip().partition(" ")
        if not name:
            return True
        arguments = " ".join(rest.split())
        if (found := WORD_OF.get(name) or _abbreviated(name)) is not None:
            return await found.run(self, arguments)
        if (key := key_word(self, name)) is not None:
            return await key.run(self, f"{name} {arguments}".strip())
        self.say([line(("warn", not_known(name)))])
        return False

    def say(self, lines: Iterable[Line]) -> None:
        """Show lines, broken where the window ends."""
        if self._live is not None:
            self._live.note("  ".join("".join(text for _, text in one) for one in lines))
            return
        width = self.terminal.window.columns
        self.terminal.write(row for one in lines for row in wrapped(one, width, 10))

    async def ask(self, what: str, value: str = "") -> bool:
        """Ask control, after a question where it is dangerous; the answer is shown."""
        if self._is_dangerous(what) and not await self._is_sure(f"{what} {value}".strip()):
            self.say([line(("warn", "not done"))])
            return False
        if self._live is not None:
            self._live.note("...")
        answer = await self.heard.ask(what, value, by=f"console {self.address}")
        self.say([_in_words(answer)])
        return answer.ok

    def _is_dangerous(self, what: str) -> bool:
        """As gridzero tells, or as the catalogue says; either is enough."""
        told = dig(self.heard.latest("settings"), "actions", what, "dangerous")
        row = ACTION_OF.get(what)
        return told is True or (row is not None and row.is_dangerous)

    async def _is_sure(self, what: str) -> bool:
        """A y, and Enter where there are lines; silence is a no."""
        question = f"{what}: are you sure? y = yes, anything else = no ({CONFIRM_S:.0f} s)"
        if self._live is not None:
            return await self._live.is_sure(question, CONFIRM_S)
        self.say([line(("alarm", question))])
        end_s = self.room.clock.now_s() + CONFIRM_S
        typed = ""
        while (left_s := end_s - self.room.clock.now_s()) > 0 and len(typed) < 10:
            key = await self.terminal.key(left_s)
            if key in {None, "\r", "\n", _CTRL_C}:
                break
            typed += key or "?"
        return typed in {"y", "yes"}

    async def follow_events(self) -> bool:
        """Events as they come, until a key."""
        self._before_following("events")
        shown = self.events[-1] if self.events else None
        async for _ in self._until_a_key():
            new = _behind(self.events, shown)
            if new:
                shown = new[-1]
                self.say(event_line(event) for event in new)
        return True

    async def follow_link(self, name: str, *, raw: bool) -> bool:
        """What passes on a link, until a key. It is asked for again as long as it is watched."""
        live, self._live = self._live, None
        if live is not None:
            self.terminal.leave_screen()
        try:
            return await self._follow_link(name, raw=raw)
        finally:
            self._live = live

    async def _follow_link(self, name: str, *, raw: bool) -> bool:
        clock, asked_s = self.room.clock, -RENEW_S
        with self.tracer.watching(name) as watcher:
            self._before_following(name)
            async for _ in self._until_a_key():
                if clock.now_s() - asked_s >= RENEW_S:
                    asked_s = clock.now_s()
                    answer = await self.heard.ask("trace", name, by="console")
                    if not answer.ok:
                        self.say([_in_words(answer)])
                        return False
                self.say(watcher.lines(raw=raw))
        return True

    def _before_following(self, what: str) -> None:
        if not self.terminal.is_script:
            self.say([line(("faint", f"{what}: space pauses, any other key ends"))])

    async def _until_a_key(self) -> AsyncIterator[None]:
        """Four times a second, not while paused; a script gets ten seconds of it."""
        end_s = self.room.clock.now_s() + _SCRIPT_FOLLOWS_S
        is_paused = False
        while True:
            if not is_paused:
                yield
            if self.terminal.is_script:
                await self.room.clock.sleep_s(_LOOK_S)
                if self.room.clock.now_s() > end_s:
                    return
                continue
            key = await self.terminal.key(_LOOK_S)
            if key == " ":
                is_paused = not is_paused
                self.say([line(("faint", "paused" if is_paused else "goes on"))])
            elif key is not None:
                return

    async def watch(self) -> bool:
        """The live screen; where there is none, how it looks now."""
        if not self.terminal.is_screen or self._live is not None:
            self.say(still(self.heard))
            return True
        self._live = Live(self)
        try:
            await self._live.run()
        finally:
            self._live = None
            self.terminal.leave_screen()
        return True

    def leave(self) -> bool:
        """End this session."""
        self._is_leaving = True
        return True


def _in_words(answer: Answer) -> Line:
    return line(("good" if answer.ok else "alarm", answer.text or ("done" if answer.ok else "?")))


def _abbreviated(name: str) -> Word | None:
    """The only word that begins so, from three letters on."""
    found = [one for one in WORDS if len(name) >= 3 and one.name.startswith(name)]
    return found[0] if len(found) == 1 else None


def _behind(events: Sequence[Event], shown: Event | None) -> list[Event]:
    """Events after the one that was shown last; all, where that has been forgotten."""
    every = list(events)
    return every[every.index(shown) + 1 :] if shown in every else every


class WordCompleter(Completer):
    """Words, and what may follow each."""

    def __init__(self, desk: Session) -> None:
        self._desk = desk

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        """What fits before the cursor."""
        before = document.text_before_cursor.split(" ")
        typed = before.pop()
        for text, meaning in self._options([part for part in before if part]).items():
            if text.startswith(typed) and text:
                yield Completion(
                    clean(text), start_position=-len(typed), display_meta=clean(meaning)[:40]
                )

    def _options(self, before: list[str]) -> Mapping[str, str]:
        if not before:
            return {found.name: found.summary for found in WORDS}
        found = WORD_OF.get(before[0])
        return found.complete(self._desk, before[1:]) if found else {}
