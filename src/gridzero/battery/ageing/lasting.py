"""For how long a module has not been level, although balancing has had its time."""

from __future__ import annotations

from typing import Any

from gridzero.battery.ageing.kept import BAD, by_name, numbers
from gridzero.domain.ageing import Imbalance

_LEVEL_ENOUGH = 0.02
_BETTER = 0.8
_PATIENCE_DAYS = 14.0


class Lasting:
    """Per module the day and the level from which on it had to become better."""

    def __init__(self) -> None:
        self._marks: dict[str, tuple[float, float]] = {}
        self._days: dict[str, float] = {}

    def note(self, module: str, day: float, seen: Imbalance) -> None:
        """What a rest has shown."""
        mark = self._marks.get(module)
        if seen.level_part < _LEVEL_ENOUGH:
            self._marks.pop(module, None)
        elif mark is None or seen.level_part < _BETTER * mark[1]:
            self._marks[module] = (day, seen.level_part)
        since = self._marks.get(module, (day, 0.0))[0]
        self._days[module] = day - since

    def staying(self) -> dict[str, float]:
        """Modules out of patience, with the days."""
        return {name: days for name, days in self._days.items() if days >= _PATIENCE_DAYS}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {name: list(mark) for name, mark in self._marks.items()}

    def restore(self, values: Any) -> list[str]:
        """Take what to_dict wrote; what does not fit is left out, with the reason."""
        try:
            for name, mark in by_name(values).items():
                day, part = numbers(mark, 2, 0.0, 1e6)
                self._marks[name] = (day, part)
        except BAD as error:
            return [f"imbalance so far: {error}"]
        return []
