"""What the panels of the house make, as somebody tells it by MQTT. Control does without it."""

from __future__ import annotations

from math import isfinite

from gridzero.ports.clock import Clock

_LARGEST_W = 1e6


class Production:
    """The last power that was told, for as long as it holds.

    scale: W per unit of what is told. hold_s: how long a value holds.
    """

    def __init__(self, clock: Clock, *, scale: float = 1.0, hold_s: float = 120.0) -> None:
        self._clock, self._scale, self._hold_s = clock, scale, hold_s
        self._power_w: float | None = None
        self._told_s = float("-inf")

    def take(self, text: str) -> None:
        """A power as text; what is none makes it unknown. Below 0 (own use at night) is 0."""
        try:
            power_w = float(text) * self._scale
        except ValueError:
            power_w = float("nan")
        known = isfinite(power_w) and abs(power_w) <= _LARGEST_W
        self._power_w, self._told_s = max(0.0, power_w) if known else None, self._clock.now_s()

    def power_w(self) -> float | None:
        """W >= 0; None = not known now."""
        return self._power_w if self._clock.now_s() - self._told_s <= self._hold_s else None
