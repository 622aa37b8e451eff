"""When the next frame may and must leave; pure arithmetic over times in seconds.

One rule makes demand and query live together on a half-duplex wire. Two demands are never closer
than MIN_GAP_S, and a query leaves only within a short window after a demand. So whatever demand
comes next, the line was quiet long enough for the reply, and no demand ever waits for a query.

    0 ms  demand (17 ms on the wire)
   70 ms  query (17 ms); not sent at all if it would be later than 83 ms
  250 ms  next demand at the earliest: 150 ms of silence or more
"""

from __future__ import annotations

from typing import Final

MIN_GAP_S: Final = 0.25
QUERY_AFTER_S: Final = 0.070
FRAME_S: Final = 8 * 10 / 4800
REPLY_SILENCE_S: Final = 0.150

_QUERY_LATEST_S: Final = MIN_GAP_S - REPLY_SILENCE_S - FRAME_S
SOON_S: Final = 1e-6
"""Timers may fire a hair early."""
_NEVER: Final = float("inf")


class Pace:
    """Bookkeeping of what left when.

    period_s: time between demands that do not change. status_period_s: time between queries;
    None = never ask.
    """

    def __init__(self, period_s: float, status_period_s: float | None) -> None:
        self.demand_at_s = -_NEVER
        self._period_s = period_s
        self._status_period_s = status_period_s
        self._query_from_s = -_NEVER
        self._may_query = False

    def demand_left(self, now_s: float) -> None:
        """A demand was handed to the port."""
        self.demand_at_s = now_s
        self._may_query = self._status_period_s is not None and now_s >= self._query_from_s

    def demand_due_s(self, *, changed: bool) -> float:
        """When the next demand should leave; at once (-inf) before the first."""
        return self.demand_at_s + (MIN_GAP_S if changed else self._period_s)

    def demand_is_due(self, now_s: float, *, changed: bool) -> bool:
        """Whether the next demand should leave now."""
        return now_s + SOON_S >= self.demand_due_s(changed=changed)

    def query_due_s(self) -> float:
        """When the next query should leave; inf while none is due after the last demand."""
        return self.demand_at_s + QUERY_AFTER_S if self._may_query else _NEVER

    def take_query(self, now_s: float) -> bool:
        """Whether to send a query now. A window that was missed waits for the next demand."""
        if now_s + SOON_S < self.query_due_s():
            return False
        self._may_query = False
        if now_s > self.demand_at_s + _QUERY_LATEST_S:
            return False
        self._query_from_s = now_s + (self._status_period_s or 0.0)
        return True
