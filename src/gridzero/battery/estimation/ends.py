"""Whether the battery is full or empty: a voltage that stays there once the current is small."""

from __future__ import annotations

from collections.abc import Sequence

from gridzero.battery.estimation.settings import Window

_TAPER_V = 0.020
_RELEASE_V = 0.050
_DWELL_S = 10.0

Shown = tuple[float, float]
"""A cell's voltage as it reads, and without what the current costs it, V."""


class End:
    """One end of the window. sign: +1 full, -1 empty.

    It begins when a cell has read beyond the limit for a while and little of that is due to the
    current, so when the charge tapers or has just been stopped by the limit. It ends when the
    voltage without losses is well away from the limit.
    """

    def __init__(self, limit_v: float, sign: float) -> None:
        self._limit_v, self._sign = limit_v, sign
        self._beyond_since_s: float | None = None
        self.is_reached = False

    def update(self, cells: Sequence[Shown], now_s: float) -> bool:
        """The extreme cells of the modules. True: it has just begun."""
        if not cells:
            return False
        reads_v, rests_v = (max(self._sign * shown[i] for shown in cells) for i in (0, 1))
        limit_v = self._sign * self._limit_v
        if self.is_reached:
            self.is_reached = rests_v > limit_v - _RELEASE_V
            return False
        return self._begins(reads_v >= limit_v and rests_v >= limit_v - _TAPER_V, now_s)

    def _begins(self, is_beyond: bool, now_s: float) -> bool:
        if not is_beyond:
            self._beyond_since_s = None
            return False
        if self._beyond_since_s is None or now_s < self._beyond_since_s:
            self._beyond_since_s = now_s
        self.is_reached = now_s - self._beyond_since_s >= _DWELL_S
        if self.is_reached:
            self._beyond_since_s = None
        return self.is_reached


class Ends:
    """Full and empty of one battery."""

    def __init__(self, window: Window) -> None:
        self._full, self._empty = End(window.full_v, 1.0), End(window.empty_v, -1.0)

    @property
    def is_full(self) -> bool:
        """The highest cell is at the upper end."""
        return self._full.is_reached

    @property
    def is_empty(self) -> bool:
        """The lowest cell is at the lower end."""
        return self._empty.is_reached

    def update(self, tops: Sequence[Shown], bottoms: Sequence[Shown], now_s: float) -> bool:
        """True when one of the two has just begun."""
        is_new_full = self._full.update(tops, now_s)
        return self._empty.update(bottoms, now_s) or is_new_full
