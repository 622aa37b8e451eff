"""Trips when the measured battery current stays above its limit."""

from __future__ import annotations

from collections import deque

from gridzero.domain.snapshot import Snapshot

_FACTOR, _MARGIN_A = 1.15, 3.0
_DELAY_S, _DWELL_S = 2.0, 30.0
_FRESH_S, _GAP_S = 2.0, 1.0


class OverCurrent:
    """Limits fall faster than converters follow, so an excess must last before it trips.

    The limit is the largest that held within the delay: a limit that has just been lowered is no
    over-current yet. A shunt that is not fresh says nothing, and neither does a gap in the ticks.
    """

    def __init__(self) -> None:
        self._within_s: float | None = None
        self._looked_s = float("-inf")
        self._tripped_s: float | None = None
        self._recent: deque[tuple[float, float, float]] = deque()

    def update(self, now: Snapshot) -> bool:
        """Whether power must be 0 now. Without a shunt there is nothing to compare."""
        if now.shunt is None or now.limits is None or not now.shunt_age_s <= _FRESH_S:
            self._within_s = None
        else:
            if now.now_s - self._looked_s > _GAP_S:
                self._within_s = None
            self._looked_s = now.now_s
            self._remember((now.now_s, now.limits.charge_a, now.limits.discharge_a))
            self._watch(now.shunt.at_s, now.shunt.current_a)
        return self._tripped_s is not None and now.now_s - self._tripped_s < _DWELL_S

    def _remember(self, newest: tuple[float, float, float]) -> None:
        """A limit that stands is one entry, so that a flood of meter messages costs nothing."""
        recent = self._recent
        if recent and recent[-1][1:] == newest[1:]:
            recent.pop()
        recent.append(newest)
        while newest[0] - recent[0][0] > 2 * _DELAY_S:
            recent.popleft()

    def _watch(self, now_s: float, current_a: float) -> None:
        """now_s: when the shunt measured, so that a repeated sample counts once."""
        limit_a = max((r[1] if current_a < 0 else r[2]) for r in self._recent)
        if abs(current_a) <= limit_a * _FACTOR + _MARGIN_A or self._within_s is None:
            self._within_s = now_s
        elif now_s - self._within_s >= _DELAY_S:
            self._tripped_s = now_s
