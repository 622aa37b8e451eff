"""What grows in a process that lives for a month: samples at each midnight, and their slope."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import NamedTuple

_KB = 1024.0


class Sample(NamedTuple):
    """The process at one moment. blocks: memory blocks that Python has handed out."""

    day: float
    resident_kb: float
    blocks: int
    objects: int
    tasks: int
    descriptors: int
    threads: int


class Slope(NamedTuple):
    """How much more per day, and the standard error of that; nan with fewer than 3 samples."""

    per_day: float
    error: float

    @property
    def grows(self) -> bool:
        """More than its noise: by two standard errors."""
        return self.per_day > 2.0 * self.error


def sample(day: float) -> Sample:
    """Now, after a full collection."""
    gc.collect()
    return Sample(
        day=day,
        resident_kb=resident_kb(),
        blocks=sys.getallocatedblocks(),
        objects=len(gc.get_objects()),
        tasks=len(asyncio.all_tasks()),
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
        threads=threading.active_count(),
    )


def resident_kb() -> float:
    """Resident memory of this process, kB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _KB


def slope(days: Sequence[float], values: Sequence[float]) -> Slope:
    """The line through all samples with the least squares, and the error of its rise."""
    count = len(days)
    if count < 3:
        return Slope(float("nan"), float("nan"))
    mean_x, mean_y = sum(days) / count, sum(values) / count
    spread = sum((x - mean_x) ** 2 for x in days)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in zip(days, values, strict=True)) / spread
    rest = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in zip(days, values, strict=True))
    return Slope(rise, sqrt(rest / (count - 2) / spread))
