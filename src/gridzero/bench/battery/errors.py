"""How far an estimate is from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

SETTLING_S = 600.0


class Point(NamedTuple):
    """One estimate. error, sigma: of the state of charge, 0..1."""

    time_s: float
    error: float
    sigma: float


class Errors(NamedTuple):
    """Percent of the state of charge. late: after the first ten minutes; None when shorter.

    within: part of the estimates that are off by less than twice their own deviation.
    """

    rms: float
    most: float
    late_rms: float | None
    late_most: float | None
    within: float


def errors(points: Sequence[Point]) -> Errors:
    """Needs at least one point."""
    first_s = points[0].time_s
    late = [point for point in points if point.time_s - first_s >= SETTLING_S]
    return Errors(
        rms=_rms(points),
        most=_most(points),
        late_rms=_rms(late) if late else None,
        late_most=_most(late) if late else None,
        within=sum(abs(p.error) < 2.0 * p.sigma for p in points) / len(points),
    )


def _rms(points: Sequence[Point]) -> float:
    return 100.0 * sqrt(sum(p.error**2 for p in points) / len(points))


def _most(points: Sequence[Point]) -> float:
    return 100.0 * max(abs(p.error) for p in points)


HEADER = ("rms %", "max %", "rms after 10 min", "max after 10 min", "within 2 sigma")


def cells(found: Errors) -> tuple[str, ...]:
    """Texts for HEADER."""
    late = ("-" if x is None else f"{x:.2f}" for x in (found.late_rms, found.late_most))
    return (f"{found.rms:.2f}", f"{found.most:.2f}", *late, f"{100 * found.within:.0f} %")


def plain(found: Errors) -> dict[str, float | None]:
    """Figures for JSON."""
    return {key: None if v is None else round(v, 3) for key, v in found._asdict().items()}
