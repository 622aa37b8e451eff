"""A figure and the goal that it is held against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """limit: value should not be more; None = for information. detail: how it came about."""

    key: str
    what: str
    value: float
    limit: float | None = None
    unit: str = ""
    digits: int = 1
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """None without a limit. NaN meets nothing."""
        return None if self.limit is None else self.value <= self.limit

    @property
    def cells(self) -> list[str]:
        """What, goal, reached, yes or no."""
        goal = "" if self.limit is None else f"<= {self.limit:g}{self.unit}"
        met = {True: "yes", False: "no", None: ""}[self.met]
        return [self.what, goal, f"{self.value:.{self.digits}f}{self.unit}", met]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        return {**asdict(self), "value": float(f"{self.value:.5g}"), "met": self.met}
