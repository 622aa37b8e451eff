"""Sums over the last minutes in bounded memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

_MINUTE_S = 60.0


class MinuteRing:
    """A column of minutes for each name; what is older than the ring is forgotten.

    Adding is O(1). A total is summed anew from its minutes, so that no rounding error lives
    longer than they do. Times are monotonic seconds.
    """

    def __init__(self, names: Iterable[str], minutes: int) -> None:
        self._size = minutes
        self._columns = {name: array("d", bytes(8 * minutes)) for name in names}
        self._minute: int | None = None
        self._at = 0

    def turn(self, now_s: float) -> None:
        """Begin the minute of now_s if it is a new one; minutes that were skipped are empty."""
        minute = int(now_s // _MINUTE_S)
        if self._minute is None:
            self._minute = minute
        passed = min(minute - self._minute, self._size)
        for _ in range(passed):
            self._at = (self._at + 1) % self._size
            for column in self._columns.values():
                column[self._at] = 0.0
        self._minute = minute

    def add(self, name: str, amount: float) -> None:
        """Add to this minute."""
        self._columns[name][self._at] += amount

    def rise(self, name: str, value: float) -> None:
        """Lift this minute to value, if it is lower."""
        column = self._columns[name]
        column[self._at] = max(column[self._at], value)

    def total(self, name: str, minutes: int) -> float:
        """Sum over this minute and those before it, so many in all."""
        return sum(self._last(name, minutes))

    def largest(self, name: str, minutes: int) -> float:
        """Largest value of the same minutes; 0 where nothing was higher."""
        return max(self._last(name, minutes))

    def _last(self, name: str, minutes: int) -> array[float]:
        column, first = self._columns[name], self._at + 1 - min(minutes, self._size)
        if first >= 0:
            return column[first : self._at + 1]
        return column[first:] + column[: self._at + 1]
