"""The client's side of the protocol: what to show, and how a script talks; pure."""

from __future__ import annotations

from collections.abc import Generator

from gridzero.outputs.console.marks import ASKS_PASSWORD, ASKS_WORD, ENDS, SCRIPT_TERMINAL
from gridzero.outputs.console.telnet import IAC, SB, SE, WILL, Window, client_opening

_TWO_BYTES = range(WILL, IAC)
_ASKED_IN_VAIN = "the console asks for a password: set GRIDZERO_CONSOLE_PASSWORD or give --config\n"


def plain_bytes() -> Generator[bytes, bytes, None]:
    """Pieces of what a server sends in, what to show out: without the telnet commands in them."""
    shown, state = bytearray(), ""
    while True:
        data = yield bytes(shown)
        shown.clear()
        for byte in data:
            state = _next(state, byte, shown)


def _next(state: str, byte: int, shown: bytearray) -> str:
    """state: "" data, then after IAC, after IAC and order, in SB, after IAC in SB."""
    if state == "":
        if byte == IAC:
            return "command"
        shown.append(byte)
        return ""
    if state == "command":
        if byte == IAC:
            shown.append(byte)
        return "sub" if byte == SB else "option" if byte in _TWO_BYTES else ""
    if state == "sub":
        return "sub command" if byte == IAC else "sub"
    if state == "sub command":
        return "" if byte == SE else "sub"
    return ""


class Script:
    """One word run by a program. code: how it went, None while it runs."""

    def __init__(self, word: str, password: str, *, sure: bool) -> None:
        self.code: int | None = None
        self.opening = client_opening(SCRIPT_TERMINAL, Window(80, 24))
        self._word, self._password, self._sure = " ".join(word.split()), password, sure
        self._bytes = plain_bytes()
        next(self._bytes)
        self._text, self._ending = "", ""
        self._is_ending = False

    def feed(self, data: bytes) -> bytes:
        """What the server sent; returns what to send back."""
        answers = [self._take(char) for char in self._bytes.send(data).decode(errors="replace")]
        return "".join(answers).encode()

    def take_text(self) -> str:
        """What there is to show since the last time."""
        text, self._text = self._text.replace("\r\n", "\n"), ""
        return text

    def _take(self, char: str) -> str:
        if self._is_ending:
            return self._take_code(char)
        if char == ENDS:
            self._is_ending = True
        elif char == ASKS_PASSWORD:
            return self._give_password()
        elif char == ASKS_WORD:
            return f"{self._word}\r{'y' if self._sure else 'n'}\r"
        else:
            self._text += char
        return ""

    def _take_code(self, char: str) -> str:
        if char == "\n" and self._ending.strip().isdecimal():
            self.code = int(self._ending)
        self._ending += char
        return ""

    def _give_password(self) -> str:
        """Once: a wrong one is wrong the second time, too."""
        if not self._password:
            self._text += _ASKED_IN_VAIN
            self.code = 1
        password, self._password = self._password, ""
        return f"{password}\r"
