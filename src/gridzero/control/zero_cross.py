"""One direction at a time: charge and discharge are at least a few seconds apart."""

from __future__ import annotations


class ZeroCrossHold:
    """The opposite direction must persist for hold_s, meanwhile the battery rests at 0 W.

    Six seconds cost almost nothing in grid error and save a third of all starts (control notes,
    section A.11).
    """

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._direction = 0
        self._active_s = float("-inf")

    def allow(self, wish_w: float, now_s: float) -> float:
        """The wish, or 0 while its direction is still held back."""
        direction = (wish_w > 0) - (wish_w < 0)
        opposite = direction == -self._direction
        if opposite and now_s - self._active_s < self._hold_s:
            return 0.0
        return wish_w if direction else 0.0

    def ran(self, battery_w: float, now_s: float) -> None:
        """What was really commanded: only power that flowed holds the other direction back."""
        if battery_w != 0:
            self._direction = 1 if battery_w > 0 else -1
            self._active_s = now_s
