"""A load that climbs or falls steadily, such as the sun behind the edge of a cloud."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

_CHANGES = 3
_LEAST_SIGMAS = 1.0
_MOST_UNEVEN = 5.0
_STEEPEST_W_PER_S = 200.0


class RampWatch:
    """w_per_s: the slope of a steady ramp; 0 unless the last changes clearly agree.

    Three changes one way, each beyond the noise and none five times another: noise does so once
    in a great many readings, and a single step of the load never.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=_CHANGES + 1)
        self.w_per_s = 0.0

    def restart(self) -> None:
        """The past does not count any more."""
        self._seen.clear()
        self.w_per_s = 0.0

    def update(self, seconds: float, load_w: float, sigma_w: float) -> None:
        """One more reading, so long after the last. sigma_w: its standard deviation."""
        if seconds <= 0.0:
            return
        self._seen.append((load_w, seconds))
        changes_w = [after[0] - before[0] for before, after in pairwise(self._seen)]
        steady = len(changes_w) == _CHANGES and _agree(changes_w, _LEAST_SIGMAS * sigma_w)
        self.w_per_s = self._slope() if steady else 0.0

    def _slope(self) -> float:
        lasted_s = sum(seconds for _, seconds in list(self._seen)[1:])
        slope = (self._seen[-1][0] - self._seen[0][0]) / lasted_s
        return max(-_STEEPEST_W_PER_S, min(_STEEPEST_W_PER_S, slope))


def _agree(changes_w: list[float], least_w: float) -> bool:
    one_way = all(c > 0.0 for c in changes_w) or all(c < 0.0 for c in changes_w)
    sizes_w = [abs(change_w) for change_w in changes_w]
    return one_way and min(sizes_w) >= least_w and max(sizes_w) <= _MOST_UNEVEN * min(sizes_w)
