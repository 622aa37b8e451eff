"""The person at the keyboard: one line out, one line in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

_READ_BYTES = 4096
_LONGEST_LINE = 1000


class Left(Exception):
    """The person has said quit, or closed the terminal."""


class Person(Protocol):
    """Whom the list is read to."""

    def say(self, line: str) -> None:
        """Show a line."""
        ...

    async def answer(self, question: str) -> str:
        """Ask, and wait for a line. Raises Left."""
        ...


class Terminal:
    """Standard input and output. Reading a line can be cancelled, and blocks nothing.

    Needs a running loop. Anything with a file descriptor may stand for a keyboard: a terminal, a
    pipe, a file.
    """

    def __init__(self, descriptor: int, show: Callable[[str], None]) -> None:
        self._descriptor, self._show = descriptor, show
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._begun = b""
        try:
            asyncio.get_running_loop().add_reader(descriptor, self._read)
        except PermissionError:  # a plain file is always ready, and epoll takes none
            while self._read():
                pass

    def close(self) -> None:
        """Read no more."""
        with suppress(OSError, ValueError):
            asyncio.get_running_loop().remove_reader(self._descriptor)

    def say(self, line: str) -> None:
        """See Person."""
        self._show(line + "\n")

    async def answer(self, question: str) -> str:
        """See Person."""
        self._show(f"{question} ")
        line = await self._lines.get()
        if line is None or line.strip().lower() in {"quit", "q"}:
            raise Left
        return line.strip()

    def _read(self) -> bool:
        """Whether there may be more."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self.close()
            self._lines.put_nowait(None)
            return False
        *lines, self._begun = (self._begun + data).split(b"\n")
        self._begun = self._begun[:_LONGEST_LINE]
        for line in lines:
            self._lines.put_nowait(line[:_LONGEST_LINE].decode("utf-8", "replace"))
        return True


async def agrees(person: Person, words: str) -> bool:
    """Consent to something that moves power: the very words, or it is none."""
    typed = await person.answer(f"Type these words to go on, anything else to skip: {words}\n>")
    return typed == words


async def yes(person: Person, question: str) -> bool | None:
    """True, False; None for skip or anything that is neither."""
    typed = (await person.answer(f"{question} [yes/no/skip]")).lower()
    return {"yes": True, "y": True, "no": False, "n": False}.get(typed)


async def number(person: Person, question: str) -> float | None:
    """A number as people write it, with a comma too; None for skip, after three that are none."""
    for _ in range(3):
        typed = (await person.answer(f"{question} [a number, or skip]")).replace(",", ".")
        if typed.lower() == "skip":
            return None
        with suppress(ValueError):
            found = float(typed)
            if abs(found) < 1e6:
                return found
        person.say(f"{typed[:40]!r} is no number")
    return None
