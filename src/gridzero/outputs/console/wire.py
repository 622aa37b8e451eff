"""A connection as a session sees it, and the limits that each one keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

_MOST_WAITING = 256 * 1024


class Wire(Protocol):
    """Bytes to and from one person."""

    @property
    def address(self) -> str:
        """Where the person is, for limits and logs."""
        ...

    def send(self, data: bytes) -> None:
        """Queue bytes; never waits."""
        ...

    def waiting(self) -> int:
        """Bytes that were queued and have not left."""
        ...

    def hang_up(self, *, at_once: bool) -> None:
        """End the connection; not at once: after what is queued has left."""
        ...


class Outlet:
    """Text that goes to a person, as the file that prompt_toolkit writes to.

    Nothing waits: a client that does not read loses its session before it costs memory.
    """

    encoding = "utf-8"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.is_open = True

    def write(self, text: str) -> None:
        """Queue text, or hang up on a client that is too slow."""
        if not self.is_open:
            return
        data = text.encode(errors="replace").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self._wire.waiting() + len(data) > _MOST_WAITING:
            self.is_open = False
            self._wire.hang_up(at_once=True)
        else:
            self._wire.send(data)

    def flush(self) -> None:
        """All is on its way."""

    def isatty(self) -> bool:
        """prompt_toolkit may use what terminals can do."""
        return True

    @property
    def is_clear(self) -> bool:
        """Everything so far has left."""
        return self._wire.waiting() == 0


class Stall:
    """Notices a client that reads nothing for long, though it is not sent much."""

    def __init__(self, waiting: Callable[[], int], limit_s: float) -> None:
        self._waiting, self._limit_s = waiting, limit_s
        self._least = 0
        self._since_s: float | None = None

    def is_dead(self, now_s: float) -> bool:
        """Nothing has left for limit_s although something waits."""
        waiting = self._waiting()
        if waiting == 0 or self._since_s is None or waiting < self._least:
            self._since_s, self._least = (None if waiting == 0 else now_s), waiting
            return False
        return now_s - self._since_s > self._limit_s


class Throttle:
    """How fast a person may type: nobody types or pastes faster, but a flood would."""

    def __init__(self, per_s: float = 1000.0, burst: float = 2048.0) -> None:
        self._per_s, self._burst = per_s, burst
        self._level, self._at_s = 0.0, 0.0

    def pause_s(self, count: int, now_s: float) -> float:
        """How long not to read after these bytes, s; 0 for people."""
        drained = (now_s - self._at_s) * self._per_s
        self._level = max(self._level - drained, 0.0) + count
        self._at_s = now_s
        return max(self._level - self._burst, 0.0) / self._per_s
