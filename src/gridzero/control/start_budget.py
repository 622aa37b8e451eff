"""What one more start of a converter has to save, in watt-seconds of grid error.

Starts wear relays, fans and patience. They are not forbidden but rationed: while few were needed
lately one is cheap, and each one makes the next dearer until time has passed. So a calm day is
held as well as can be, and a wild one does not click all day long.
"""

from __future__ import annotations

from math import exp

_PER_HOUR = 15.0
_SAVED_UP = 6.0
_STEEPNESS = 3.0
_DEAREST = 3.0
_LOWEST = -8.0  # so that a wild hour is forgiven in the next


class StartBudget:
    """Fifteen starts an hour; six may be saved up."""

    def __init__(self) -> None:
        self._left = _SAVED_UP
        self._at_s: float | None = None

    def spend(self, now_s: float, starts: float = 1.0) -> None:
        """A converter was started; a fraction counts what wears less."""
        self._refill(now_s)
        self._left = max(_LOWEST, self._left - starts)

    def price(self, now_s: float) -> float:
        """By what factor a start is dearer than at rest, 1 .. 3."""
        self._refill(now_s)
        return min(_DEAREST, exp(_STEEPNESS * (1.0 - self._left / _SAVED_UP)))

    def _refill(self, now_s: float) -> None:
        if self._at_s is not None and now_s > self._at_s:
            grown = self._left + (now_s - self._at_s) * _PER_HOUR / 3600.0
            self._left = min(_SAVED_UP, grown)
        self._at_s = now_s
