"""A person's terminal: prompts, lines, single keys. One with colours, and one for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import Style

from gridzero.outputs.console.keys import MemoryInput
from gridzero.outputs.console.marks import ASKS_PASSWORD, ASKS_WORD, ENDS, SCRIPT_TERMINAL
from gridzero.outputs.console.paint import STYLES, Fragment, Line, cut, plain
from gridzero.outputs.console.telnet import Window
from gridzero.outputs.console.wire import Outlet

LONGEST_LINE = 500
_STYLE = Style.from_dict(STYLES)
_CTRL_C, _CTRL_D = "\x03", "\x04"
_NAMES = {Keys.ControlC: _CTRL_C, Keys.ControlD: _CTRL_D, Keys.ControlM: "\r", Keys.Escape: "\x1b"}
_DUMB = {"", "dumb", "unknown", "network"}


class Terminal(Protocol):
    """Where a session reads and writes."""

    is_screen: bool
    """It can show the live screen."""
    is_script: bool
    """Nobody is there to be greeted."""

    @property
    def window(self) -> Window:
        """Columns and rows, both sensible."""
        ...

    async def prompt(
        self, message: Line, completer: Completer | None = None, *, secret: bool = False
    ) -> str:
        """One line. Raises EOFError when the person leaves, KeyboardInterrupt for Ctrl-C."""
        ...

    async def key(self, within_s: float) -> str | None:
        """One key as a character, "" for one that is none, None when none came in time."""
        ...

    def write(self, lines: Iterable[Line]) -> None:
        """Lines below what stands there."""
        ...

    def draw(self, lines: Sequence[Line]) -> None:
        """A whole screen in place of the last one; left out while the last one is on its way."""
        ...

    def leave_screen(self) -> None:
        """Back to lines."""
        ...

    def end_script(self, text: str) -> None:
        """A last line for a script, as it is."""
        ...


def sensible(window: Window | None) -> Window:
    """A window that can be drawn in; clients may tell 0 by 0, or 65535."""
    if window is None or window.columns == 0 or window.rows == 0:
        return Window(80, 24)
    return Window(min(max(window.columns, 20), 300), min(max(window.rows, 4), 120))


class ColourTerminal:
    """With line editing, completion, history and colours."""

    is_screen = True
    is_script = False

    def __init__(self, keyboard: MemoryInput, outlet: Outlet, kind: str) -> None:
        self._keyboard, self._outlet = keyboard, outlet
        self._window = sensible(None)
        self._on_screen: list[Line] | None = None
        self._session: PromptSession[str] | None = None
        self._depth = ColorDepth.DEPTH_8_BIT if "256" in kind else ColorDepth.DEPTH_4_BIT
        self._output = Vt100_Output(
            cast("TextIO", outlet),
            lambda: Size(rows=self._window.rows, columns=self._window.columns),
            term=kind,
            default_color_depth=self._depth,
            enable_cpr=False,
        )

    @property
    def window(self) -> Window:
        """As the client told."""
        return self._window

    def resize(self, window: Window) -> None:
        """The client has another size now."""
        self._window = sensible(window)
        self._on_screen = None if self._on_screen is None else []
        if self._session is not None:
            self._session.app.invalidate()

    async def prompt(
        self, message: Line, completer: Completer | None = None, *, secret: bool = False
    ) -> str:
        """One line, edited with prompt_toolkit."""
        if secret or self._session is None:
            session = self._made(instant=not secret)
            self._session = None if secret else session
        else:
            session = self._session
        text: str = await session.prompt_async(
            FormattedText(_classes(cut(message, 0))),
            completer=completer,
            is_password=secret,
            set_exception_handler=False,  # the loop and its signals belong to the process
            handle_sigint=False,
        )
        return text[:LONGEST_LINE]

    def _made(self, *, instant: bool) -> PromptSession[str]:
        session: PromptSession[str] = PromptSession(
            input=self._keyboard,
            output=self._output,
            style=_STYLE,
            color_depth=self._depth,
            history=InMemoryHistory(),
            complete_while_typing=False,
            complete_style=CompleteStyle.COLUMN,
            reserve_space_for_menu=6,
            key_bindings=_instant_keys() if instant else None,
        )
        session.default_buffer.on_text_changed += _shorten
        return session

    async def key(self, within_s: float) -> str | None:
        """One key."""
        press = await self._keyboard.key(within_s)
        return None if press is None else _char_of(press)

    def write(self, lines: Iterable[Line]) -> None:
        """Lines in colour."""
        fragments: list[Fragment] = []
        for one in lines:
            fragments += [*_classes(cut(one, 0)), ("", "\n")]
        self._print(fragments)

    def draw(self, lines: Sequence[Line]) -> None:
        """Only rows that differ from what stands there are sent."""
        if not self._outlet.is_clear:
            return
        before = self._on_screen
        if before is None:
            self._output.enter_alternate_screen()
            self._output.hide_cursor()
        if not before:
            self._output.erase_screen()
        shown = [cut(one, self._window.columns) for one in lines[: self._window.rows]]
        fragments: list[Fragment] = []
        for row, one in enumerate(shown):
            if not before or row >= len(before) or before[row] != one:
                fragments += [_raw(f"\x1b[{row + 1};1H"), *_classes(one), _raw("\x1b[0m\x1b[K")]
        if before and len(before) > len(shown):
            fragments.append(_raw(f"\x1b[{len(shown) + 1};1H\x1b[J"))
        self._on_screen = shown
        self._print(fragments)

    def leave_screen(self) -> None:
        """Show the lines of before again."""
        if self._on_screen is not None:
            self._on_screen = None
            self._output.quit_alternate_screen()
            self._output.show_cursor()
            self._output.flush()

    def end_script(self, text: str) -> None:
        """People need none."""

    def _print(self, fragments: list[Fragment]) -> None:
        print_formatted_text(
            self._output, FormattedText(fragments), _STYLE, color_depth=self._depth
        )


def _raw(sequence: str) -> Fragment:
    return "[ZeroWidthEscape]", sequence


def _classes(one: Line) -> Line:
    return [(f"class:{style}" if style else "", text) for style, text in one]


def _char_of(press: KeyPress) -> str:
    if isinstance(press.key, Keys):
        return _NAMES.get(press.key, "")
    return press.key


INSTANT = "R-%!CB "
"""Keys that no word begins with: at an empty prompt they act at once."""


def _instant_keys() -> KeyBindings:
    bindings = KeyBindings()

    def act(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.text:
            buffer.insert_text(event.data)
        else:
            event.app.exit(result=event.data)

    for key in INSTANT:
        bindings.add(key)(act)
    return bindings


def _shorten(buffer: Buffer) -> None:
    """A line that is far too long is a flood."""
    if len(buffer.text) > 2 * LONGEST_LINE:
        buffer.reset()


class PlainTerminal:
    """Lines in and out, without colours: for scripts and for terminals that can no more.

    echo: whether the client leaves it to us to show what is typed.
    """

    is_screen = False

    def __init__(
        self, keyboard: MemoryInput, outlet: Outlet, *, is_script: bool, echo: bool = False
    ) -> None:
        self._keyboard, self._outlet, self._echo = keyboard, outlet, echo
        self.is_script = is_script
        self._window = sensible(None)

    @property
    def window(self) -> Window:
        """80 columns unless the client told another size."""
        return self._window

    def resize(self, window: Window) -> None:
        """The client has another size now."""
        self._window = sensible(window)

    async def prompt(
        self, message: Line, _completer: Completer | None = None, *, secret: bool = False
    ) -> str:
        """One line, as it comes."""
        if self.is_script:
            self._outlet.write(ASKS_PASSWORD if secret else ASKS_WORD)
        else:
            self._outlet.write(plain([message]) + " ")
        text = ""
        while (char := await self.key(3600.0)) != "\r":
            if char == _CTRL_C:
                raise KeyboardInterrupt
            if char == _CTRL_D and not text:
                raise EOFError
            text = text[:-1] if char in {"\b", "\x7f"} else (text + (char or ""))[:LONGEST_LINE]
            if self._echo and not secret and char and char.isprintable():
                self._outlet.write(char)
        if self._echo:
            self._outlet.write("\n")
        return text

    async def key(self, within_s: float) -> str | None:
        """One key."""
        press = await self._keyboard.key(within_s)
        if press is not None and press.key in {Keys.Backspace, Keys.ControlH}:
            return "\b"
        return None if press is None else _char_of(press)

    def write(self, lines: Iterable[Line]) -> None:
        """Lines."""
        text = plain(lines)
        self._outlet.write(text + "\n" if text else "")

    def draw(self, lines: Sequence[Line]) -> None:
        """There is no screen."""

    def leave_screen(self) -> None:
        """There is none."""

    def end_script(self, text: str) -> None:
        """The exit code."""
        self._outlet.write(f"{ENDS}{text}\n")


AnyTerminal = ColourTerminal | PlainTerminal


def terminal_of(kind: str | None, keyboard: MemoryInput, outlet: Outlet) -> AnyTerminal:
    """The terminal for what a client says it is; None = it does not speak of terminals."""
    name = "".join(char for char in (kind or "")[:40] if char.isalnum() or char in "-_.")
    if name == SCRIPT_TERMINAL:
        return PlainTerminal(keyboard, outlet, is_script=True)
    if name in _DUMB:
        return PlainTerminal(keyboard, outlet, is_script=False, echo=kind is not None)
    return ColourTerminal(keyboard, outlet, name)
