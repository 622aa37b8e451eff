"""Trips when the measured battery current stays above its limit."""

from __future__ import annotations

from gridzero.domain.snapshot import Snapshot

_FACTOR, _MARGIN_A = 1.15, 3.0
_DELAY_S, _DWELL_S = 2.0, 30.0


class OverCurrent:
    """Limits fall faster than converters follow, so an excess must last before it trips.

    The limit is the largest that held within the delay: a limit that has just been lowered is no
    over-current yet.
    """

    def __init__(self) -> None:
        self._within_s: float | None = None
        self._tripped_s: float | None = None
        self._recent: list[tuple[float, float, float]] = []

    def update(self, now: Snapshot) -> bool:
        """Whether power must be 0 now. Without a shunt there is nothing to compare."""
        if now.shunt is not None and now.limits is not None:
            self._recent.append((now.now_s, now.limits.charge_a, now.limits.discharge_a))
            self._recent = [r for r in self._recent if now.now_s - r[0] <= _DELAY_S + _DELAY_S]
            self._watch(now.now_s, now.shunt.current_a)
        return self._tripped_s is not None and now.now_s - self._tripped_s < _DWELL_S

    def _watch(self, now_s: float, current_a: float) -> None:
        limit_a = max((r[1] if current_a < 0 else r[2]) for r in self._recent)
        if abs(current_a) <= limit_a * _FACTOR + _MARGIN_A or self._within_s is None:
            self._within_s = now_s
        elif now_s - self._within_s >= _DELAY_S:
            self._tripped_s = now_s
