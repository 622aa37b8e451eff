"""The browsers that look on: each gets news at its own pace, and nobody waits for another.

One message is under way to a browser at a time; the next one goes when the browser has drawn it,
with everything that has changed until then. So a slow browser sees fewer pictures, and one that
never reads costs one message until it is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gridzero.outputs.dashboard.board import Board
from gridzero.ports.clock import Clock

PERIOD_S: Final = 0.5
PATIENCE_S: Final = 30.0
"""A browser that has not drawn a picture after so long is dropped; it may come again."""
MOST_VIEWERS: Final = 60
MOST_ASKS: Final = 4
ASKS_PER_S: Final = 2.0


@dataclass(slots=True, eq=False)
class Viewer:
    """One page in one browser. show, drop: what reaches it. may_stay: its login still counts."""

    show: Callable[[int, dict[str, Any]], None]
    drop: Callable[[str], None]
    may_stay: Callable[[], bool] = lambda: True
    may_ask: bool = True
    is_ready: bool = False
    since_s: float = 0.0
    turn: int = 0
    drawn: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    tokens: float = MOST_ASKS
    asked_s: float = 0.0

    def may_ask_now(self, now_s: float) -> bool:
        """Count one request of this browser; False where it asks too often."""
        more = (now_s - self.asked_s) * ASKS_PER_S
        self.tokens, self.asked_s = min(float(MOST_ASKS), self.tokens + more), now_s
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class Viewers:
    """All browsers of this process."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board, self._clock = board, clock
        self._all: list[Viewer] = []
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_full(self) -> bool:
        """Whether another page would be one too many."""
        return len(self._all) >= MOST_VIEWERS

    def add(self, viewer: Viewer) -> None:
        """Begin to serve a page. It counts from now on, also before it is connected."""
        viewer.since_s = self._clock.now_s()
        self._all.append(viewer)

    def remove(self, viewer: Viewer) -> None:
        """The page is gone; harmless when it is gone already."""
        if viewer in self._all:
            self._all.remove(viewer)

    def drawn(self, viewer: Viewer, turn: object) -> None:
        """The browser has drawn the picture of this turn; anything else it says counts nothing."""
        if turn == viewer.turn:
            viewer.drawn, viewer.is_ready = viewer.turn, True

    async def run(self) -> None:
        """Serve everybody twice a second, until cancelled."""
        while True:
            self.serve()
            await self._clock.sleep_s(PERIOD_S)

    def serve(self) -> None:
        """One round."""
        self._board.refresh()
        now_s = self._clock.now_s()
        for viewer in list(self._all):
            if not viewer.may_stay():
                self._end(viewer, "your login has ended")
            elif viewer.drawn != viewer.turn or not viewer.is_ready:
                if now_s - viewer.since_s > PATIENCE_S:
                    self._end(viewer, "this browser does not read")
            else:
                self._show(viewer, now_s)

    def _show(self, viewer: Viewer, now_s: float) -> None:
        changes = self._board.changes(viewer.seen)
        if changes:
            viewer.turn, viewer.since_s = viewer.turn + 1, now_s
            viewer.show(viewer.turn, changes)

    def _end(self, viewer: Viewer, why: str) -> None:
        self.dropped += 1
        self.remove(viewer)
        viewer.drop(why)
