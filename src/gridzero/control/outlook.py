"""Where the state of charge is heading: what was told of late, else what the last days showed.

A battery that ran into its lower limit within 36 hours, and not into its upper one, runs empty
before it refills; the other way round it is full before it is used. Both or neither says nothing:
between the seasons it does both each day.
"""

from __future__ import annotations

from gridzero.domain.reasons import Because
from gridzero.domain.value import Outlook

_SHOWS_S = 36 * 3600.0
_TOLD_S = 24 * 3600.0
_EMPTY = frozenset(
    {
        *(Because.CELL_LOW, Because.SOC_LOW, Because.CELL_EMPTY, Because.CELL_UNDER),
        *(Because.MIN_SOC, Because.RESERVE_SOC),
    }
)
_FULL = frozenset(
    {
        *(Because.CELL_HIGH, Because.SOC_HIGH, Because.CELL_FULL, Because.CELL_OVER),
        Because.MAX_SOC,
    }
)


class OutlookWatch:
    """Monotonic seconds; a moment before the start is negative or small. None = never."""

    def __init__(self) -> None:
        self.empty_s: float | None = None
        self.full_s: float | None = None
        self.told: Outlook | None = None
        self.told_s = 0.0

    def note(self, now_s: float, charge: Because, discharge: Because) -> None:
        """What keeps the power of each direction where it is, at this moment."""
        if discharge in _EMPTY:
            self.empty_s = now_s
        if charge in _FULL:
            self.full_s = now_s

    def tell(self, outlook: Outlook | None, now_s: float) -> None:
        """Believe this for 24 hours; None = go by what the battery shows."""
        self.told, self.told_s = outlook, now_s

    def is_told(self, now_s: float) -> bool:
        """Whether somebody said so less than 24 hours ago."""
        return self.told is not None and 0.0 <= now_s - self.told_s < _TOLD_S

    def at(self, now_s: float) -> Outlook:
        """The outlook of this moment."""
        if self.told is not None and self.is_told(now_s):
            return self.told
        empty, full = _late(self.empty_s, now_s), _late(self.full_s, now_s)
        if empty == full:
            return Outlook.UNKNOWN
        return Outlook.EMPTYING if empty else Outlook.FILLING


def _late(at_s: float | None, now_s: float) -> bool:
    return at_s is not None and 0.0 <= now_s - at_s < _SHOWS_S
