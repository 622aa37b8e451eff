"""When the battery was last full: cells are only level, and the count only sure, near the top."""

from __future__ import annotations

from math import isfinite
from typing import Any

_DAY_S = 86_400.0
_LONGEST_S = 100.0 * 365.0 * _DAY_S


class LastFull:
    """Monotonic seconds. due_days: after so many days without one it is due."""

    def __init__(self, due_days: float) -> None:
        self._due_s = due_days * _DAY_S
        self._full_s: float | None = None
        self._since_s: float | None = None
        self._now_s = 0.0
        self._before_s = 0.0

    def note(self, now_s: float, *, is_full: bool) -> None:
        """Look at one moment."""
        if self._since_s is None:
            self._since_s = now_s
            if self._full_s is not None:
                self._full_s += now_s
        self._now_s = now_s
        if is_full:
            self._full_s = now_s

    @property
    def ago_s(self) -> float | None:
        """How long ago it was full; None = not since it is watched."""
        return None if self._full_s is None else max(0.0, self._now_s - self._full_s)

    @property
    def is_due(self) -> bool:
        """Whether it was last full too long ago, or not at all in as long a time of watching."""
        ago_s = self.ago_s
        return (self._watched_s if ago_s is None else ago_s) >= self._due_s

    @property
    def _watched_s(self) -> float:
        begun_s = self._now_s if self._since_s is None else self._since_s
        return self._before_s + self._now_s - begun_s

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"ago_s": self.ago_s, "watched_s": self._watched_s}

    def restore(self, stored: dict[str, Any], age_s: float) -> None:
        """Take what to_dict wrote age_s ago, before the first note. What is no time is left out."""
        ago_s, watched_s = _seconds(stored.get("ago_s")), _seconds(stored.get("watched_s"))
        if ago_s is not None:
            self._full_s = -(ago_s + age_s)
        if watched_s is not None:
            self._before_s = watched_s + age_s


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and 0.0 <= value <= _LONGEST_S else None
