"""One cell group: an extended Kalman filter with three states.

    soc       state of charge, 0..1
    rc_v      voltage that the slow resistance holds, V
    offset_a  how much less flows than was said, A (shunt, share of the pack, leakage)

    soc'      = soc - (i - offset) dt / capacity
    rc_v'     = a rc_v + (1 - a) slow (i - offset)             a = exp(-dt / slow_s)
    voltage   = open(soc) - rc_v - ohmic (i - offset)

After G. L. Plett, "Extended Kalman filtering for battery management systems", J. Power Sources
134 (2004), parts 2 and 3, 10.1016/j.jpowsour.2004.02.032 and .033. Written out by hand: 108 cells
twice a second have to leave a small computer alone.

A curve that is wrong stays wrong however many readings there are, and an ordinary filter would
become ever surer of it. ``curve_gain`` follows how much of the curve's error is in the state of
charge by now (a considered parameter in the sense of S. F. Schmidt), and counts in ``sigma``.
"""

from __future__ import annotations

from math import exp, isfinite, sqrt
from typing import NamedTuple

from gridzero.battery.cells.model import CellModel

SOC_BOUNDS = (-0.05, 1.05)
WIDEST_SOC = 0.35
_WIDE_SOC = 0.03
_TOLD_SOC_SIGMA = 0.02
_WIDEST_SOC_VAR = WIDEST_SOC**2
_WIDEST_RC_VAR = 0.3**2
_LEAST = 1e-10


class Step(NamedTuple):
    """What the cells of a module share between two readings.

    dt_s: length. a: what is left of the slow voltage. ohmic, slow: Ohm at this temperature and
    half charge. blind_a: standard deviation of a current that is not known, A; 0 = it is.
    cycle_var: variance of the state of charge per unit of it that passed. drift_var: of the
    offset, A^2 per s.
    """

    dt_s: float
    a: float
    ohmic: float
    slow: float
    blind_a: float
    cycle_var: float
    drift_var: float


class Noise(NamedTuple):
    """How a voltage is believed.

    sigma_v: a reading. ohm_sigma: resistance, relative.
    repeat: by how much more than one reading counts as one. curve_v: how far the curve may be off,
    for the gate only. gate_sigma, gate_v: further off is left out; inf = nothing is.
    """

    sigma_v: float
    ohm_sigma: float
    repeat: float
    curve_v: float
    gate_sigma: float
    gate_v: float


class CellFilter:
    """State and covariance of one cell group. Nothing outside ``battery.estimation`` changes it."""

    __slots__ = (
        "_soc_factor",
        "capacity_ah",
        "curve_gain",
        "model",
        "offset_a",
        "ohm_factor",
        "p00",
        "p01",
        "p02",
        "p11",
        "p12",
        "p22",
        "rc_v",
        "refused_s",
        "soc",
        "widest_a",
    )

    def __init__(
        self, model: CellModel, soc: float, soc_sigma: float, offset_sigma_a: float
    ) -> None:
        self.model = model
        self.capacity_ah = model.capacity_ah
        self.ohm_factor = 1.0
        self._soc_factor = model.at(soc).ohm_factor  # renewed with each voltage
        self.soc, self.rc_v, self.offset_a = soc, 0.0, 0.0
        self.p00, self.p11, self.p22 = soc_sigma**2, _LEAST, offset_sigma_a**2
        self.p01 = self.p02 = self.p12 = 0.0
        self.curve_gain = 0.0
        self.refused_s = 0.0
        self.widest_a = 4.0 * offset_sigma_a

    @property
    def sigma(self) -> float:
        """Standard deviation of the state of charge, what the curve may be wrong included."""
        return min(WIDEST_SOC, sqrt(self.p00 + self.curve_sigma**2))

    @property
    def curve_sigma(self) -> float:
        """The part of it that came through the curve, which may be wrong for all cells alike."""
        return min(WIDEST_SOC, abs(self.curve_gain) * self.model.ocv_sigma_v)

    def predict(self, current_a: float, step: Step) -> None:
        """Let a current (> 0 discharge) flow for a step."""
        k = step.dt_s / (3600.0 * self.capacity_ah)
        slow = step.slow * self.ohm_factor * self._soc_factor
        a, b = step.a, slow * (1.0 - step.a)
        flows_a = current_a - self.offset_a
        passed = flows_a * k
        self.soc -= passed
        self.rc_v = a * self.rc_v + b * flows_a
        p02, p12, p22 = self.p02, self.p12, self.p22
        p00 = self.p00 + 2.0 * k * p02 + k * k * p22
        p01 = a * (self.p01 + k * p12) - b * (p02 + k * p22)
        p11 = a * a * self.p11 - 2.0 * a * b * p12 + b * b * p22
        loose = 1.0 - a * a
        self.p00 = p00 + step.cycle_var * abs(passed)
        self.p01 = p01
        self.p02 = p02 + k * p22
        self.p11 = p11 + loose * (1e-6 + (0.15 * slow * flows_a) ** 2)
        self.p12 = a * p12 - b * p22
        self.p22 = p22 + step.drift_var * step.dt_s
        if step.blind_a:
            self._blind(k * step.blind_a, slow * step.blind_a, loose)
        self._bound()

    def _blind(self, soc_sigma: float, rc_sigma_v: float, loose: float) -> None:
        """A current that nobody knew flowed all the time in one direction, for all one can say."""
        self.p00 = (sqrt(max(self.p00, 0.0)) + soc_sigma) ** 2
        self.p11 += loose * rc_sigma_v**2
        self.p02 = self.p12 = 0.0  # nothing can be learned about an offset of nothing

    def correct(self, volts: float, current_a: float, step: Step, noise: Noise) -> bool:
        """Learn from a voltage at this current. False: it cannot be and was left out."""
        at = self.model.at(self.soc)
        self._soc_factor = at.ohm_factor
        open_v, slope, bend_v = at.open_v, at.slope_v, 0.0
        if self.p00 > _WIDE_SOC**2:
            open_v, slope, bend_v = self._spread(open_v)
        ohmic = step.ohmic * self.ohm_factor * at.ohm_factor
        flows_a = current_a - self.offset_a
        off_v = volts - (open_v - self.rc_v - ohmic * flows_a)
        # H = (slope, -1, ohmic); h0..h2 = P H'
        h0 = slope * self.p00 - self.p01 + ohmic * self.p02
        h1 = slope * self.p01 - self.p11 + ohmic * self.p12
        h2 = slope * self.p02 - self.p12 + ohmic * self.p22
        expected = slope * h0 - h1 + ohmic * h2
        drop_v = noise.ohm_sigma * ohmic * flows_a
        blind_v = ohmic * step.blind_a
        once = noise.sigma_v**2 + drop_v * drop_v + bend_v * bend_v + blind_v * blind_v
        gate = noise.gate_v + noise.gate_sigma * sqrt(expected + once + noise.curve_v**2)
        if not abs(off_v) <= gate:
            return False
        total = expected + once * noise.repeat
        k0, k1, k2 = h0 / total, h1 / total, h2 / total
        self.soc += k0 * off_v
        self.rc_v += k1 * off_v
        self.offset_a += k2 * off_v
        self.p00 -= k0 * h0
        self.p01 -= k0 * h1
        self.p02 -= k0 * h2
        self.p11 -= k1 * h1
        self.p12 -= k1 * h2
        self.p22 -= k2 * h2
        self.curve_gain -= k0 * (slope * self.curve_gain + 1.0)
        self._bound()
        return True

    def _spread(self, open_v: float) -> tuple[float, float, float]:
        """Voltage and slope over all that the state of charge may be, and what they leave out, V.

        A tangent says little about a curve with a knee while the place on it is not known.
        """
        sigma = sqrt(self.p00)
        low = self.model.open_v(max(SOC_BOUNDS[0], self.soc - sigma))
        high = self.model.open_v(min(SOC_BOUNDS[1], self.soc + sigma))
        return open_v, (high - low) / (2.0 * sigma), (high + low) / 2.0 - open_v

    def doubt(self, soc_sigma: float) -> None:
        """Be less sure of the state of charge."""
        self.p00 += soc_sigma**2
        self._bound()

    def move(self, by_soc: float) -> None:
        """A person knows the state of charge: it is off by so much, and hardly in doubt then."""
        self.soc += by_soc
        self.p00, self.p01, self.p02 = _TOLD_SOC_SIGMA**2, 0.0, 0.0
        self._bound()

    def _bound(self) -> None:
        """States and variances stay where physics and arithmetic hold; they nearly always are."""
        most_a = self.widest_a
        if not (
            SOC_BOUNDS[0] <= self.soc <= SOC_BOUNDS[1]
            and -most_a <= self.offset_a <= most_a
            and _LEAST <= self.p00 <= _WIDEST_SOC_VAR
            and _LEAST <= self.p11 <= _WIDEST_RC_VAR
            and _LEAST <= self.p22 <= most_a * most_a
        ):
            self._put_back(most_a)

    def _put_back(self, most_a: float) -> None:
        """Variances that are cut take their covariances with them, so that they stay possible."""
        self.soc = max(SOC_BOUNDS[0], min(SOC_BOUNDS[1], self.soc))
        self.offset_a = max(-most_a, min(most_a, self.offset_a))
        r0 = _shrink(self.p00, _WIDEST_SOC_VAR)
        r1 = _shrink(self.p11, _WIDEST_RC_VAR)
        r2 = _shrink(self.p22, most_a * most_a)
        self.p00 = max(self.p00 * r0 * r0, _LEAST)
        self.p11 = max(self.p11 * r1 * r1, _LEAST)
        self.p22 = max(self.p22 * r2 * r2, _LEAST)
        self.p01, self.p02, self.p12 = self.p01 * r0 * r1, self.p02 * r0 * r2, self.p12 * r1 * r2

    @property
    def is_sound(self) -> bool:
        """Whether all numbers are numbers."""
        return isfinite(self.soc + self.rc_v + self.offset_a + self.p00 + self.p11 + self.p22)


def left_after(dt_s: float, slow_s: float) -> float:
    """What is left of the slow voltage after so long."""
    return exp(-dt_s / slow_s)


def _shrink(variance: float, most: float) -> float:
    """The factor on a deviation that makes its variance at most so much."""
    return sqrt(most / variance) if variance > most > 0.0 else 1.0
