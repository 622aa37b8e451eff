"""How long the battery may still last: a straight line through its capacity, with its doubt."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

from gridzero.battery.ageing.kept import BAD, number
from gridzero.domain.ageing import Estimate, RemainingLife

_EVERY_DAYS = 10.0
_MOST_POINTS = 60
_LEAST_POINTS = 6
_LEAST_SPAN_DAYS = 60.0
_SURE = 2.0
_LONGEST_DAYS = 20 * 365.0


class _Point(NamedTuple):
    day: float
    ah: float
    sigma: float


class Life:
    """Notes the capacity every ten days."""

    def __init__(self) -> None:
        self._points: list[_Point] = []

    def note(self, day: float, ah: Estimate) -> None:
        """The capacity of today, Ah, with the sigma of what varies from month to month alone."""
        if not self._points or day - self._points[-1].day >= _EVERY_DAYS:
            self._points = [*self._points, _Point(day, *ah)][-_MOST_POINTS:]

    def remaining(self, end_ah: float) -> RemainingLife | None:
        """Until end_ah; None until two months show a loss that is surely one."""
        points = self._points
        if len(points) < _LEAST_POINTS or points[-1].day - points[0].day < _LEAST_SPAN_DAYS:
            return None
        loss, now_ah = _line(points)
        if not loss.value > _SURE * loss.sigma:
            return None
        left_ah = max(0.0, now_ah - end_ah)
        slowest = loss.value - _SURE * loss.sigma
        most = left_ah / slowest
        return RemainingLife(
            days=min(left_ah / loss.value, _LONGEST_DAYS),
            from_days=min(left_ah / (loss.value + _SURE * loss.sigma), _LONGEST_DAYS),
            to_days=most if most <= _LONGEST_DAYS else None,
            end_ah=end_ah,
        )

    def to_list(self) -> list[list[float]]:
        """Plain values, for json.dumps."""
        return [list(point) for point in self._points]

    def restore(self, values: Any) -> list[str]:
        """Take what to_list wrote; what does not fit is left out, with the reason."""
        try:
            points = [
                _Point(number(day, 0.0, 1e6), number(ah, 1e-3, 1e6), number(sigma, 1e-9, 1e6))
                for day, ah, sigma in values[-_MOST_POINTS:]
            ]
        except BAD as error:
            return [f"capacity so far: {error}"]
        self._points = sorted(points)
        return []


def _line(points: list[_Point]) -> tuple[Estimate, float]:
    """Loss in Ah a day, and the capacity at the last point on the line; weighted least squares.

    The sigma of the loss is at least what the points' scatter about the line says.
    """
    weights = [point.sigma**-2 for point in points]
    total = sum(weights)
    day = sum(w * p.day for w, p in zip(weights, points, strict=True)) / total
    ah = sum(w * p.ah for w, p in zip(weights, points, strict=True)) / total
    spread = sum(w * (p.day - day) ** 2 for w, p in zip(weights, points, strict=True))
    slope = sum(w * (p.day - day) * p.ah for w, p in zip(weights, points, strict=True)) / spread
    misfit = sum(
        w * (p.ah - ah - slope * (p.day - day)) ** 2 for w, p in zip(weights, points, strict=True)
    ) / (len(points) - 2)
    sigma = sqrt(max(1.0, misfit) / spread)
    return Estimate(-slope, sigma), ah + slope * (points[-1].day - day)
