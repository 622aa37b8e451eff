"""A quantity that changes slowly, seen through noise and the odd mistake."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, sqrt
from typing import Any

from gridzero.battery.ageing.kept import number
from gridzero.domain.ageing import Estimate

_CREDIBLE = 3.0
_OPENING = 5
_MISFIT_MEMORY = 0.95


class Trend:
    """A scalar Kalman filter of a random walk.

    wander: how far it may move, as a part of its value per square root of a day. The first five
    values are collected and their median begins, so that a mistake cannot. Later a value further
    off than three standard deviations counts as far as three. ``first``: what it was when it had
    settled to settled (relative sigma).
    """

    __slots__ = ("_first", "_misfit", "_opening", "_settled", "_value", "_var", "_wander")

    def __init__(self, wander: float = 0.003, settled: float = 0.03) -> None:
        self._wander, self._settled = wander, settled
        self._opening: list[Estimate] = []
        self._value = self._var = 0.0
        self._misfit = 1.0
        self._first: float | None = None

    @property
    def estimate(self) -> Estimate | None:
        """What it is now; None until enough was seen."""
        if self._var <= 0.0:
            return None
        return Estimate(self._value, sqrt(self._var * max(1.0, self._misfit)))

    @property
    def growth(self) -> Estimate | None:
        """Now over the first settled value."""
        now = self.estimate
        if now is None or self._first is None:
            return None
        part = now.value / self._first
        return Estimate(part, sqrt((now.sigma / self._first) ** 2 + (part * self._settled) ** 2))

    def later(self, days: float) -> None:
        """Let time pass: less is known."""
        self._var += (self._wander * self._value) ** 2 * max(days, 0.0) if self._var > 0.0 else 0.0

    def add(self, value: float, sigma: float) -> None:
        """Learn from a value; what is not finite is left out."""
        if not (isfinite(value) and 0.0 < sigma < float("inf")):
            return
        if self._var <= 0.0:
            self._open(Estimate(value, sigma))
            return
        expected = self._var + sigma * sigma
        off = value - self._value
        score = off * off / expected
        reach = _CREDIBLE * sqrt(expected)
        part = self._var / expected
        self._value += part * max(-reach, min(reach, off))
        self._var *= 1.0 - part
        self._misfit += (1.0 - _MISFIT_MEMORY) * (min(score, _CREDIBLE**2) - self._misfit)
        if self._first is None and self._is_settled():
            self._first = self._value

    def _open(self, seen: Estimate) -> None:
        self._opening.append(seen)
        if len(self._opening) == _OPENING:
            middle = sorted(self._opening)[_OPENING // 2]
            self._value, self._var = middle.value, middle.sigma**2
            self._opening.clear()

    def _is_settled(self) -> bool:
        now = self.estimate
        return now is not None and now.sigma <= self._settled * abs(now.value)

    def to_dict(self) -> dict[str, float | None] | None:
        """Plain values, for json.dumps; None while there is nothing to keep."""
        if self._var <= 0.0:
            return None
        kept = {"value": self._value, "var": self._var, "misfit": self._misfit}
        return {**kept, "first": self._first}

    def restore(self, values: Mapping[str, Any] | None, low: float, high: float) -> None:
        """What to_dict wrote, between low and high. Raises as ``kept`` says."""
        if values is None:
            return
        value = number(values["value"], low, high)
        var = number(values["var"], 1e-30, high * high)
        misfit = number(values["misfit"], 0.0, 100.0)
        first = values["first"]
        self._first = None if first is None else number(first, low, high)
        self._value, self._var, self._misfit = value, var, misfit
