"""What the shunt adds when nothing flows, from rests that lie far apart.

Between two rests the charge that left is known from the states of charge. What the shunt counted
beyond that grows with time alone, so a week between two rests shows an offset of some 10 mA that
no single moment does. What cells lose on the way (coulombic efficiency) looks the same and is
taken off with it.
"""

from __future__ import annotations

from math import hypot

from gridzero.domain.ageing import Estimate

_SHORTEST_DAYS = 0.4
_WINDOW_DAYS = 10.0


class ShuntZero:
    """Compares each rest with one that lies up to two windows of 10 days back.

    Rests come as (day, Ah out as counted, state of charge, its sigma).
    """

    def __init__(self, sigma_a: float) -> None:
        self._start = self.estimate = Estimate(0.0, sigma_a)
        self._bases: list[tuple[float, float, float, float]] = []

    def restart(self) -> None:
        """The count was lost; what was found stands, less sure."""
        self._bases.clear()
        self._start = Estimate(
            self.estimate.value, min(self._start.sigma, 2.0 * self.estimate.sigma + 0.02)
        )

    def take(
        self, day: float, out_ah: float, soc: float, soc_sigma: float, capacity_ah: Estimate
    ) -> None:
        """Learn from one more rest."""
        if not self._bases or day - self._bases[-1][0] >= _WINDOW_DAYS:
            self._bases = [*self._bases[-1:], (day, out_ah, soc, soc_sigma)]
        from_day, from_ah, from_soc, from_sigma = self._bases[0]
        if day - from_day < _SHORTEST_DAYS:
            return
        hours, gone = 24.0 * (day - from_day), from_soc - soc
        seen_a = (out_ah - from_ah - capacity_ah.value * gone) / hours
        sigma_ah = hypot(capacity_ah.value * hypot(from_sigma, soc_sigma), capacity_ah.sigma * gone)
        self.estimate = _joined(self._start, Estimate(seen_a, sigma_ah / hours))


def _joined(one: Estimate, other: Estimate) -> Estimate:
    """Two independent opinions as one."""
    a, b = one.sigma**-2, other.sigma**-2
    return Estimate((a * one.value + b * other.value) / (a + b), (a + b) ** -0.5)
