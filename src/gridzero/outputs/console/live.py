"""The live screen of a session: drawn twice a second, single keys at once."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import dropwhile
from typing import Protocol

from gridzero.outputs.console import say_battery
from gridzero.outputs.console.dig import Heard
from gridzero.outputs.console.paint import Line
from gridzero.outputs.console.screen import Page, Shown, screen
from gridzero.outputs.console.single_keys import SINGLE_KEYS
from gridzero.outputs.console.telnet import Window
from gridzero.outputs.console.terminal import Terminal
from gridzero.outputs.console.words import Desk
from gridzero.ports.clock import Clock

_PERIOD_S = 0.5
_NOTE_S = 12.0
_PAGES: dict[str, Page] = {"p": say_battery.cells, "b": say_battery.battery}
_LEAVES = {"q", "\x03", "\x04", "\x1b"}


class LiveDesk(Desk, Protocol):
    """A session that has a screen."""

    @property
    def terminal(self) -> Terminal:
        """Where to draw."""
        ...

    @property
    def clock(self) -> Clock:
        """For how long a note stands."""
        ...


def still(heard: Heard) -> list[Line]:
    """The screen as it is now, for those who have none: as high as it needs to be."""
    rows = screen(heard, Window(80, 60), Shown(_time_of_day()))[:-2]
    return list(dropwhile(lambda row: not row, reversed(rows)))[::-1]


def _time_of_day() -> str:
    return datetime.now(UTC).strftime("%H:%M:%SZ")


class Live:
    """While it runs, what words say is a note at the bottom."""

    def __init__(self, desk: LiveDesk) -> None:
        self._desk = desk
        self._note, self._noted_s = "", 0.0
        self._is_paused, self._has_more_keys = False, False
        self._page: Page | None = None

    async def run(self) -> None:
        """Until the person leaves the screen."""
        while True:
            if not self._is_paused:
                self._draw()
            key = await self._desk.terminal.key(_PERIOD_S)
            if key in _LEAVES:
                return
            if key:
                await self._pressed(key)

    async def _pressed(self, key: str) -> None:
        if key == " ":
            self._is_paused = not self._is_paused
        elif key in _PAGES:
            self._page = None if self._page is _PAGES[key] else _PAGES[key]
        elif key == "?":
            self._has_more_keys = not self._has_more_keys
        elif key in SINGLE_KEYS:
            await SINGLE_KEYS[key](self._desk)
        else:
            self.note("? shows the keys, q leaves")
        self._draw()

    def note(self, text: str) -> None:
        """Show a line at the bottom for a while."""
        self._note, self._noted_s = text, self._desk.clock.now_s()
        self._draw()

    async def is_sure(self, question: str, within_s: float) -> bool:
        """Whether the next key is a y, in time."""
        self._draw(question)
        return await self._desk.terminal.key(within_s) == "y"

    def _draw(self, question: str = "") -> None:
        age_s = self._desk.clock.now_s() - self._noted_s
        shown = Shown(
            clock=_time_of_day(),
            note=question or (self._note if age_s < _NOTE_S else ""),
            is_question=bool(question),
            is_paused=self._is_paused,
            has_more_keys=self._has_more_keys,
            page=self._page,
        )
        window = self._desk.terminal.window
        self._desk.terminal.draw(screen(self._desk.heard, window, shown))
