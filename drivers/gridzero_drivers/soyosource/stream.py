"""Finds frames in a byte stream that loses, inserts and merges bytes; pure.

A byte that cannot begin a valid frame is dropped and the search starts again at the next one, so
that the second of two merged replies survives (soyosource protocol notes, section 2.4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from gridzero_drivers.soyosource.codec import (
    DEMAND_BYTES,
    DEMAND_HEAD,
    QUERY,
    STATUS_BYTES,
    STATUS_HEAD,
    Demand,
    Query,
    Refusal,
    Status,
    parse_demand,
    parse_query,
    parse_status,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_WAIT: Final = -1


class Kind(NamedTuple, Generic[T_co]):
    """One kind of frame: how it starts, how long it is, and what reads it."""

    head: bytes
    length: int
    parse: Callable[[bytes], T_co | Refusal]


STATUS: Final[Kind[Status]] = Kind(STATUS_HEAD, STATUS_BYTES, parse_status)
DEMAND: Final[Kind[Demand]] = Kind(DEMAND_HEAD, DEMAND_BYTES, parse_demand)
DEMAND_UNCHECKED: Final[Kind[Demand]] = Kind(
    DEMAND_HEAD, DEMAND_BYTES, lambda data: parse_demand(data, strict=False)
)
STATUS_QUERY: Final[Kind[Query]] = Kind(QUERY, len(QUERY), parse_query)


class FrameStream(Generic[T]):
    """Bytes in, frames out. Between calls it keeps less than one frame.

    skip: called with a reason for each refused frame, and once with ``noise`` per piece that held
    bytes outside any frame.
    """

    def __init__(
        self, kinds: Sequence[Kind[T]], skip: Callable[[str], None] = lambda _why: None
    ) -> None:
        self.discarded_bytes = 0
        self.pending = b""
        self._skip = skip
        self._by_first_byte: dict[int, list[Kind[T]]] = {}
        for kind in kinds:
            self._by_first_byte.setdefault(kind.head[0], []).append(kind)
        self._first = re.compile(b"[" + re.escape(bytes(self._by_first_byte)) + b"]")

    def feed(self, data: bytes) -> list[T]:
        """Take bytes as they arrive; return the frames they complete, in order."""
        buffer = self.pending + data
        found: list[T] = []
        at = noise = 0
        while start := self._first.search(buffer, at):
            noise += start.start() - at
            at = start.start()
            length = self._read(buffer, at, found)
            if length == _WAIT:
                break
            noise += length == 0
            at += length or 1
        else:
            noise += len(buffer) - at
            at = len(buffer)
        self.pending = buffer[at:]
        self._drop(noise)
        return found

    def clear(self) -> None:
        """Forget an unfinished frame: the line was silent for longer than a frame may pause."""
        self._drop(len(self.pending))
        self.pending = b""

    def _read(self, buffer: bytes, at: int, found: list[T]) -> int:
        """Bytes taken by a frame at this place, 0 for none, _WAIT when more bytes will tell."""
        for kind in self._by_first_byte[buffer[at]]:
            if not kind.head.startswith(buffer[at : at + len(kind.head)]):
                continue
            if len(buffer) - at < kind.length:
                return _WAIT
            frame = kind.parse(buffer[at : at + kind.length])
            if not isinstance(frame, Refusal):
                found.append(frame)
                return kind.length
            self._skip(frame)
        return 0

    def _drop(self, noise: int) -> None:
        if noise:
            self.discarded_bytes += noise
            self._skip("noise")
