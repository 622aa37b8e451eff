"""Power that rises no faster than a person wants, and always falls at once.

It follows what was allowed before dispatch, not what dispatch made of it: a power that is still
too small for any converter must go on rising, or nothing would ever start.
"""

from __future__ import annotations

from gridzero.domain.reasons import Because

_LONGEST_TICK_S = 1.0


class Ramp:
    """Call ``allow`` once a tick."""

    def __init__(self) -> None:
        self._power_w = 0.0
        self._at_s: float | None = None

    def allow(self, power_w: float, now_s: float, per_s: float) -> tuple[float, Because | None]:
        """The power, W, > 0 discharge, and why where it is less than asked. per_s: 0 = no ramp."""
        before_s, self._at_s = self._at_s, now_s
        seconds = 0.0 if before_s is None else min(_LONGEST_TICK_S, max(0.0, now_s - before_s))
        if per_s <= 0.0:
            self._power_w = power_w
            return power_w, None
        begun_w = abs(self._power_w) if self._power_w * power_w > 0.0 else 0.0
        most_w = begun_w + per_s * seconds
        cut = abs(power_w) > most_w
        self._power_w = (most_w if power_w > 0.0 else -most_w) if cut else power_w
        return self._power_w, Because.RAMP if cut else None
