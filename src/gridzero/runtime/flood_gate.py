"""Lets a person's messages pass and a flood not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gridzero.ports.clock import Clock

BURST = 20.0
PER_S = 5.0
TELL_S = 60.0
_LOGGED_PER_S = 2.0 / 60.0

log = structlog.get_logger()


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float
    dropped: int = 0
    told_s: float = float("-inf")


class FloodGate:
    """A token bucket for each key. The number of keys is the caller's to bound.

    tell: called with a key and how many were dropped since it was last told: at the first one,
    then once a minute while they come. burst: how many pass at once; per_s: how many for long.
    """

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[str, int], None],
        *,
        burst: float = BURST,
        per_s: float = PER_S,
    ) -> None:
        self._clock, self._tell = clock, tell
        self._burst, self._per_s = burst, per_s
        self._buckets: dict[str, _Bucket] = {}

    def passes(self, key: str) -> bool:
        """Whether one more may be worked off now."""
        now_s = self._clock.now_s()
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now_s))
        bucket.left = min(self._burst, bucket.left + self._per_s * (now_s - bucket.at_s))
        bucket.at_s = now_s
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return True
        bucket.dropped += 1
        self._tell_seldom(key, bucket, now_s)
        return False

    def _tell_seldom(self, key: str, bucket: _Bucket, now_s: float) -> None:
        if now_s - bucket.told_s >= TELL_S:
            bucket.told_s, dropped, bucket.dropped = now_s, bucket.dropped, 0
            self._tell(key, dropped)


def log_gate(event: str, clock: Clock) -> Callable[[], bool]:
    """Whether to log this event once more: a few in a row, then two a minute and how many not."""

    def tell(_key: str, dropped: int) -> None:
        log.info("log.left_out", of=event, times=dropped)

    gate = FloodGate(clock, tell, per_s=_LOGGED_PER_S)
    return lambda: gate.passes(event)
