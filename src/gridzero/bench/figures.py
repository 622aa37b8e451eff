"""Figures with their goals, as a table and as JSON."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. at_most, at_least: its goal, None = there is none."""

    key: str
    title: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    @property
    def goal(self) -> str:
        """The goal in words, empty without one."""
        if self.at_most is not None:
            return f"<= {self.at_most:g} {self.unit}"
        return "" if self.at_least is None else f">= {self.at_least:g} {self.unit}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        goal = self.goal or None
        rounded = float(f"{self.value:.4g}")
        return {"value": rounded, "unit": self.unit, "goal": goal, "met": self.met}


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that is not below share (0..1] of all of them. Needs one sample."""
    return sorted(samples)[ceil(share * len(samples)) - 1]


_MARKS = {True: "met", False: "MISSED", None: ""}


def table(figures: Iterable[Figure]) -> str:
    """One line a figure."""
    rows = [(f.title, _written(f.value), f.unit, f.goal, _MARKS[f.met]) for f in figures]
    wide = max(len(row[0]) for row in rows)
    lines = (
        f"{title:<{wide}}  {value:>11}  {unit:<12}  {goal:<17}  {mark}"
        for title, value, unit, goal, mark in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _written(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> dict[str, Any]:
    """What the figures were measured on. load: how many programs wanted a core, 1 min mean."""
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load": round(os.getloadavg()[0], 2),
    }


def machine_line(facts: dict[str, Any]) -> str:
    """The same in one line."""
    return (
        f"{facts['implementation']} {facts['python']}, {facts['cores']} cores of "
        f"{facts['processor']}, {facts['system']}, load {facts['load']}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return platform.machine()
