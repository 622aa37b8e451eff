"""Straight lines between points."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite


class Curve:
    """A fraction 0..1 over a quantity, straight between points and flat outside.

    Points are (x, fraction) with rising x.
    """

    __slots__ = ("points",)

    def __init__(self, *points: tuple[float, float]) -> None:
        if len(points) < 2 or any(a[0] >= b[0] for a, b in pairwise(points)):
            raise ValueError("a curve needs at least two points with rising x")
        self.points = points

    def at(self, x: float | None) -> float:
        """The fraction at x; 0 when x is unknown or not finite."""
        if x is None or not isfinite(x):
            return 0.0
        first, last = self.points[0], self.points[-1]
        if x <= first[0]:
            return first[1]
        if x >= last[0]:
            return last[1]
        for (x0, y0), (x1, y1) in pairwise(self.points):
            if x < x1:
                return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        return last[1]


def freshness(age_s: float, fresh_s: float, dead_s: float) -> float:
    """1 up to fresh_s, then a line to 0 at dead_s. An age that is not a number counts as dead."""
    if age_s <= fresh_s:
        return 1.0
    return (dead_s - age_s) / (dead_s - fresh_s) if age_s < dead_s else 0.0
