"""The telnet protocol as far as a console needs it (RFC 854, 855, 857, 858, 1073, 1091); pure.

Whatever arrives is taken: negotiations of unknown options are refused once each, sub-negotiations
that are too long are forgotten, so neither memory nor answers grow with what a client sends.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, NamedTuple

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
_INTERRUPTS: Final = {243, 244}  # break, interrupt process
_ARE_YOU_THERE: Final = 246
_ECHO, _GO_AHEAD, _TERMINAL, _WINDOW = 1, 3, 24, 31
_IS, _SEND = 0, 1
_LONGEST: Final = 64
_CTRL_C: Final = 3
_CR, _LF, _NUL = 13, 10, 0

OPENING: Final = bytes(
    byte
    for order, option in (
        (WILL, _ECHO),
        (WILL, _GO_AHEAD),
        (DO, _GO_AHEAD),
        (DO, _WINDOW),
        (DO, _TERMINAL),
    )
    for byte in (IAC, order, option)
)
"""The server echoes; nobody says "go ahead"; window and terminal are of interest."""
CLOSING: Final = bytes((IAC, WONT, _ECHO))
_ASK_TERMINAL: Final = bytes((IAC, SB, _TERMINAL, _SEND, IAC, SE))
_WILLING: Final = {WILL: {_TERMINAL, _WINDOW, _GO_AHEAD}, DO: {_ECHO, _GO_AHEAD}}
_NO: Final = {WILL: DONT, DO: WONT}


class Window(NamedTuple):
    """The size of the client's window, characters."""

    columns: int
    rows: int


class Heard(NamedTuple):
    """What a piece of a stream came to.

    data: what was typed, line ends as one CR. answer: what the protocol wants sent back.
    window, terminal: None where not told.
    """

    data: bytes
    answer: bytes
    window: Window | None
    terminal: str | None


class TelnetStream:
    """Bytes from a telnet client in, what they mean out. has_spoken: it speaks telnet at all."""

    def __init__(self) -> None:
        self.has_spoken = False
        self._told: set[tuple[int, int]] = set()
        self._after_cr = False
        self._steps = self._run()
        next(self._steps)
        self._clear()

    def _clear(self) -> None:
        self._data, self._answer = bytearray(), bytearray()
        self._window: Window | None = None
        self._terminal: str | None = None

    def feed(self, data: bytes) -> Heard:
        """Take a piece as it came. Raises nothing."""
        self._clear()
        for byte in data:
            self._steps.send(byte)
        return Heard(bytes(self._data), bytes(self._answer), self._window, self._terminal)

    def _run(self) -> Generator[None, int, None]:
        while True:
            byte = yield
            if byte != IAC:
                self._typed(byte)
                continue
            command = yield
            if command == IAC:
                self._typed(IAC)
            elif command in (WILL, WONT, DO, DONT):
                self._negotiate(command, (yield))
            elif command == SB:
                self._told_more(bytes((yield from self._sub())))
            else:
                self._ordered(command)

    def _typed(self, byte: int) -> None:
        """CR NUL and CR LF, as clients send for one press of Enter, are one CR."""
        if not (self._after_cr and byte in (_LF, _NUL)) and byte != _NUL:
            self._data.append(_CR if byte == _LF else byte)
        self._after_cr = byte == _CR

    def _ordered(self, command: int) -> None:
        if command in _INTERRUPTS:
            self._data.append(_CTRL_C)
        elif command == _ARE_YOU_THERE:
            self._answer += b"\r\n[gridzero]\r\n"

    def _negotiate(self, command: int, option: int) -> None:
        """Answer each offer or wish once; refusals need no answer."""
        self.has_spoken = True
        if (command, option) in self._told or command not in _NO:
            return
        self._told.add((command, option))
        if option not in _WILLING[command]:
            self._answer += bytes((IAC, _NO[command], option))
        elif command == WILL and option == _TERMINAL:
            self._answer += _ASK_TERMINAL

    def _sub(self) -> Generator[None, int, bytearray]:
        """The bytes of a sub-negotiation; of one that is too long, none."""
        found = bytearray()
        while True:
            byte = yield
            if byte == IAC:
                byte = yield
                if byte == SE:
                    return bytearray() if len(found) > _LONGEST else found
            if len(found) <= _LONGEST:
                found.append(byte)

    def _told_more(self, found: bytes) -> None:
        self.has_spoken = True
        if len(found) == 5 and found[0] == _WINDOW:
            columns, rows = found[1] << 8 | found[2], found[3] << 8 | found[4]
            self._window = Window(columns, rows)
        elif found[:2] == bytes((_TERMINAL, _IS)):
            self._terminal = found[2:].decode("ascii", "replace").lower()


def client_opening(terminal: str, window: Window | None) -> bytes:
    """What our own client says at once: it echoes nothing, and has this terminal and window."""
    offers = bytes((IAC, DO, _ECHO, IAC, DO, _GO_AHEAD, IAC, WILL, _TERMINAL))
    name = bytes((IAC, SB, _TERMINAL, _IS)) + terminal.encode("ascii", "replace")
    told = offers + name + bytes((IAC, SE))
    return told if window is None else told + bytes((IAC, WILL, _WINDOW)) + window_told(window)


def window_told(window: Window) -> bytes:
    """A client's message that its window has this size."""
    sides = b"".join(min(side, 0xFFFE).to_bytes(2, "big") for side in window)
    return bytes((IAC, SB, _WINDOW)) + escaped(sides) + bytes((IAC, SE))


def escaped(data: bytes) -> bytes:
    """Data with the byte that begins commands doubled."""
    return data.replace(bytes((IAC,)), bytes((IAC, IAC)))
