"""What a person types, as keys for prompt_toolkit, held in memory.

prompt_toolkit's own pipe blocks the whole loop when it is full, its parser remembers every
beginning of an escape sequence for ever, and a paste that never ends grows without limit. Here
all is bounded: a sequence is known or dropped, and pasted text is like typed text.
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count

from prompt_toolkit.input import Input
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.typeahead import clear_typeahead, get_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

_LONGEST_SEQUENCE = 16
_MOST_KEYS = 4096
_ESC = "\x1b"
_NOT_TAKEN = {Keys.BracketedPaste, Keys.Ignore, Keys.CPRResponse, Keys.Vt100MouseEvent}


class KeyReader:
    """Characters in, keys out."""

    def __init__(self) -> None:
        self._sequence = ""

    def feed(self, text: str) -> Iterator[KeyPress]:
        """The keys that these characters complete."""
        for char in text:
            if self._sequence:
                yield from self._more(char)
            elif char == _ESC:
                self._sequence = _ESC
            else:
                yield from _single(char)

    def flush(self) -> Iterator[KeyPress]:
        """Nothing follows for now: a lone escape is the escape key."""
        alone, self._sequence = self._sequence == _ESC, ""
        if alone:
            yield KeyPress(Keys.Escape, _ESC)

    def _more(self, char: str) -> Iterator[KeyPress]:
        self._sequence += char
        if _is_open(self._sequence):
            return
        sequence, self._sequence = self._sequence, ""
        if sequence[1] in "[O":
            yield from _known(sequence)
        elif char != _ESC:
            yield KeyPress(Keys.Escape, _ESC)
            yield from _single(char)


def _is_open(sequence: str) -> bool:
    """More characters belong to it: ESC [ parameters letter, or ESC O letter."""
    if len(sequence) >= _LONGEST_SEQUENCE:
        return False
    if len(sequence) == 2:
        return sequence[1] in "[O"
    return sequence[1] == "[" and (sequence[-1] == "[" or not "@" <= sequence[-1] <= "~")


def _known(sequence: str) -> Iterator[KeyPress]:
    keys = ANSI_SEQUENCES.get(sequence, ())
    for key in keys if isinstance(keys, tuple) else (keys,):
        if key not in _NOT_TAKEN:
            yield KeyPress(key, sequence)


def _single(char: str) -> Iterator[KeyPress]:
    if char in ANSI_SEQUENCES:
        yield from _known(char)
    elif char.isprintable():
        yield KeyPress(char, char)


class MemoryInput(Input):
    """One session's keyboard. keys_dropped: typed while nobody read and all was full."""

    _numbers = count(1)

    def __init__(self) -> None:
        self.keys_dropped = 0
        self._name = f"gridzero-console-{next(self._numbers)}"
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._reader = KeyReader()
        self._keys: deque[KeyPress] = deque()
        self._ready: Callable[[], None] | None = None
        self._news = asyncio.Event()
        self._is_closed = False

    def feed(self, data: bytes) -> None:
        """Bytes as they were typed."""
        for key in self._reader.feed(self._decoder.decode(data)):
            if len(self._keys) < _MOST_KEYS:
                self._keys.append(key)
            else:
                self.keys_dropped += 1
        self._tell()

    def close(self) -> None:
        """The person has gone: whoever waits for a key hears the end."""
        self._is_closed = True
        clear_typeahead(self)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        if self._ready is not None:
            self._ready()

    async def key(self, within_s: float) -> KeyPress | None:
        """The next key, or None. Raises EOFError when the person has gone."""
        self._keys.extendleft(reversed(get_typeahead(self)))
        if not self._keys and not self._is_closed:
            await self._wait(within_s)
        if self._keys:
            return self._keys.popleft()
        if self._is_closed:
            raise EOFError
        return None

    async def _wait(self, within_s: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            self._keys.extend(self._reader.flush())

    def read_keys(self) -> list[KeyPress]:
        """All keys that are here."""
        keys = list(self._keys)
        self._keys.clear()
        return keys

    def flush_keys(self) -> list[KeyPress]:
        """The keys that become clear because nothing follows."""
        return list(self._reader.flush())

    @contextmanager
    def attach(self, input_ready_callback: Callable[[], None]) -> Iterator[None]:
        """Tell this function of keys, at once of those that are here."""
        before, self._ready = self._ready, input_ready_callback
        if self._keys or self._is_closed:
            asyncio.get_running_loop().call_soon(self._tell)
        try:
            yield
        finally:
            self._ready = before

    @contextmanager
    def detach(self) -> Iterator[None]:
        """Tell nobody for a while."""
        before, self._ready = self._ready, None
        try:
            yield
        finally:
            self._ready = before

    @property
    def closed(self) -> bool:
        """The person has gone, and every key was read."""
        return self._is_closed and not self._keys

    def raw_mode(self) -> AbstractContextManager[None]:
        """The other side has it."""
        return nullcontext()

    cooked_mode = raw_mode

    def fileno(self) -> int:
        """There is none."""
        raise NotImplementedError

    def typeahead_hash(self) -> str:
        """A name for what is typed ahead."""
        return self._name
