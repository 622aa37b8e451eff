"""What waits to be published."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

MOST_WAITING = 1000


class Outgoing(NamedTuple):
    """One message on its way to the broker."""

    topic: str
    payload: str | bytes
    retain: bool


class Outbox:
    """A bounded queue that, when full, forgets old news before it forgets something unsaid."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: deque[Outgoing] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Outgoing) -> bool:
        """Add a message; False when another had to go for it.

        The oldest message on the same topic goes first, else the oldest of all.
        """
        fits = len(self._waiting) < self._most
        if not fits:
            self._forget_one(message.topic)
        self._waiting.append(message)
        return fits

    def _forget_one(self, topic: str) -> None:
        old = next((i for i, each in enumerate(self._waiting) if each.topic == topic), 0)
        del self._waiting[old]

    def take(self, most: int) -> list[Outgoing]:
        """Remove up to most messages, oldest first."""
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def clear(self) -> int:
        """Forget all; returns how many that were."""
        count = len(self._waiting)
        self._waiting.clear()
        return count
