"""How long a control law needs after a step of the load; for the bench and the service."""

from __future__ import annotations

BAND_W = 25.0
HELD_S = 10.0
_HAIR_S = 1e-6


class Settling:
    """From a step until the error stays within +-25 W for 10 s. lasted_s: since the step."""

    def __init__(self) -> None:
        self.lasted_s = 0.0
        self._held_s = 0.0

    def update(self, error_w: float, seconds: float) -> float | None:
        """The next error, which held for so long; the settling time once it is known, s."""
        self.lasted_s += seconds
        self._held_s = self._held_s + seconds if abs(error_w) < BAND_W else 0.0
        if self._held_s < HELD_S - _HAIR_S:
            return None
        return max(0.0, self.lasted_s - self._held_s)
