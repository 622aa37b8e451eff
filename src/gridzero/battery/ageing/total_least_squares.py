"""The slope of a line through the origin when both coordinates are noisy.

Recursive total least squares with fading memory for uncertainties of a fixed ratio: three sums
and the root of a quadratic (G. Plett, J. Power Sources 196 (2011) 2319, the proportional case,
doi 10.1016/j.jpowsour.2010.11.048). Ordinary least squares would come out too small, because
noise in x looks like more x.

Each pair is weighted with its own total variance; only how that splits between x and y is the
same for all (``ratio``). The split matters in second order alone, so the paper's quartic for free
splits would buy nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot, sqrt
from typing import Any

from gridzero.battery.ageing.kept import number
from gridzero.domain.ageing import Estimate

_CREDIBLE = 3.0
_MISFIT_MEMORY = 0.9
_HUGE = 1e12


class TotalLeastSquares:
    """The slope y/x, near 1 in the units it is given.

    Starts from prior. ratio: typical sigma of x over that of y. A pair further off than three
    standard deviations counts as far as three, so that one bad pair cannot carry the slope away.
    """

    def __init__(self, prior: Estimate, ratio: float = 3.0) -> None:
        self._ratio = ratio
        weight = 1.0 / prior.sigma**2
        self._xx, self._xy, self._yy = weight, weight * prior.value, weight * prior.value**2
        self._misfit = 1.0
        self.pairs = 0

    @property
    def estimate(self) -> Estimate:
        """The slope and its standard deviation, wider where pairs disagree more than they may."""
        slope = self._slope()
        return Estimate(slope, sqrt(max(1.0, self._misfit) / self._xx))

    def fade(self, keep: float) -> None:
        """Forget: what is known counts only keep (0..1) of what it did."""
        self._xx, self._xy, self._yy = keep * self._xx, keep * self._xy, keep * self._yy

    def add(self, x: float, y: float, x_sigma: float, y_sigma: float) -> None:
        """Learn from a pair. NaN or a sigma that is not positive is left out."""
        slope, own_sigma = self.estimate
        sigma = hypot(y_sigma, slope * x_sigma)
        off = abs(y - slope * x)
        if not (sigma > 0.0 and off < _HUGE and abs(x) < _HUGE):
            return
        score = off / hypot(sigma, own_sigma * x)
        weight = min(1.0, _CREDIBLE / score if score > 0.0 else 1.0) / sigma**2
        self._xx, self._xy = self._xx + weight * x * x, self._xy + weight * x * y
        self._yy += weight * y * y
        self._misfit += (1.0 - _MISFIT_MEMORY) * (min(score, _CREDIBLE) ** 2 - self._misfit)
        self.pairs += 1

    def _slope(self) -> float:
        """Root of the quadratic, in coordinates in which both noises are alike: y times ratio."""
        k = self._ratio
        xx, xy, yy = self._xx, k * self._xy, k * k * self._yy
        return (yy - xx + sqrt((yy - xx) ** 2 + 4.0 * xy * xy)) / (2.0 * xy * k)

    def to_dict(self) -> dict[str, float]:
        """Plain values, for json.dumps."""
        sums = {"xx": self._xx, "xy": self._xy, "yy": self._yy}
        return {**sums, "misfit": self._misfit, "pairs": self.pairs}

    def restore(self, values: Mapping[str, Any], low: float, high: float) -> None:
        """What to_dict wrote, if its slope is from low to high. Raises as ``kept`` says."""
        made = TotalLeastSquares(Estimate(1.0, 1.0), self._ratio)
        made._xx, made._xy, made._yy = (
            number(values[key], 1e-9, _HUGE) for key in ("xx", "xy", "yy")
        )
        made._misfit = number(values["misfit"], 0.0, 100.0)
        made.pairs = int(number(values["pairs"], 0, _HUGE))
        number(made.estimate.value, low, high)
        self._xx, self._xy, self._yy = made._xx, made._xy, made._yy
        self._misfit, self.pairs = made._misfit, made.pairs
