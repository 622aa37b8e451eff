"""The heat of one module: a first-order model that learns its surroundings.

    heat capacity * dT/dt = losses - heat capacity * (T - ambient) / tau

Ambient temperature and tau are not measured. An extended Kalman filter with these two states
(ambient, ln tau) compares every half hour what the module's temperature did with what the model
had said. The heat capacity is given, because losses, capacity and tau cannot all be told apart.
"""

from __future__ import annotations

from math import exp, inf, isfinite, log, sqrt
from typing import NamedTuple

from gridzero.battery.thermal.rules import ThermalRules

WINDOW_S = 1800.0
_NOISE_C2 = 0.2  # two readings in steps of 0.5 K, degC squared
_AMBIENT_PER_H_C2 = 1.0
_TAU_PER_H_2 = 2e-5
_FIRST_AMBIENT_C2 = 36.0
_FIRST_TAU_2 = 0.25
_LEAST_C, _MOST_C = -40.0, 60.0
_GATE = 4.0  # standard deviations; what differs more is no matter of learning, until it lasts


class _Window(NamedTuple):
    began_s: float
    temp_c: float
    loss_j: float
    is_heated: bool


class Surroundings:
    """Learned of one module: ambient_c and tau_s."""

    def __init__(self, rules: ThermalRules, ambient_c: float, tau_s: float | None = None) -> None:
        self._rules = rules
        self.ambient_c = ambient_c
        self._ln_tau = log(tau_s or rules.tau_s)
        self._aa, self._at, self._tt = _FIRST_AMBIENT_C2, 0.0, _FIRST_TAU_2
        self._window: _Window | None = None

    @property
    def tau_s(self) -> float:
        """Time constant to the surroundings, s."""
        return exp(self._ln_tau)

    def later_c(self, temp_c: float, loss_w: float, seconds: float) -> float:
        """Temperature after so long with these losses."""
        goal_c = self.ambient_c + loss_w * self.tau_s / self._rules.heat_j_per_k
        return goal_c + (temp_c - goal_c) * exp(-seconds / self.tau_s)

    def bearable_w(self, temp_c: float, limit_c: float, seconds: float) -> float:
        """Losses that bring it just to the limit after so long, W >= 0."""
        left = exp(-seconds / self.tau_s)
        rise_c = limit_c - self.ambient_c - (temp_c - self.ambient_c) * left
        return max(0.0, rise_c / (1.0 - left) * self._rules.heat_j_per_k / self.tau_s)

    def learn(
        self, now_s: float, seconds: float, temp_c: float, loss_w: float, heated: bool
    ) -> None:
        """One more reading; windows in which a heater ran teach nothing."""
        window = self._window
        if window is None:
            self._window = _Window(now_s, temp_c, 0.0, heated)
            return
        window = window._replace(
            loss_j=window.loss_j + loss_w * seconds, is_heated=window.is_heated or heated
        )
        self._window = window
        if now_s - window.began_s >= WINDOW_S:
            if not window.is_heated:
                self._correct(window, now_s - window.began_s, temp_c)
            self._window = _Window(now_s, temp_c, 0.0, heated)

    def forget_window(self) -> None:
        """After a gap nobody knows what happened."""
        self._window = None

    def _correct(self, window: _Window, seconds: float, temp_c: float) -> None:
        loss_w = window.loss_j / seconds
        self._aa += _AMBIENT_PER_H_C2 * seconds / 3600.0
        self._tt += _TAU_PER_H_2 * seconds / 3600.0
        error_c = temp_c - self.later_c(window.temp_c, loss_w, seconds)
        ha, ht = self._slopes(window.temp_c, loss_w, seconds)
        pa, pt = self._aa * ha + self._at * ht, self._at * ha + self._tt * ht
        variance = ha * pa + ht * pt + _NOISE_C2
        if not abs(error_c) <= _GATE * sqrt(variance):
            return
        self.ambient_c += pa / variance * error_c
        self.ambient_c = min(max(self.ambient_c, _LEAST_C), _MOST_C)
        self._ln_tau += pt / variance * error_c
        self._aa -= pa * pa / variance
        self._at -= pa * pt / variance
        self._tt -= pt * pt / variance
        low, high = log(self._rules.least_tau_s), log(self._rules.most_tau_s)
        self._ln_tau = min(max(self._ln_tau, low), high)

    def _slopes(self, temp_c: float, loss_w: float, seconds: float) -> tuple[float, float]:
        """Derivatives of ``later_c`` by ambient and by ln tau."""
        left = exp(-seconds / self.tau_s)
        lift_c = loss_w * self.tau_s / self._rules.heat_j_per_k
        away_c = temp_c - self.ambient_c - lift_c
        return 1.0 - left, lift_c * (1.0 - left) + away_c * left * seconds / self.tau_s


class Unexplained:
    """Warming that neither losses nor surroundings explain, forgotten over some minutes.

    A leaky sum. What explains is counted generously; being colder than explained counts only a
    little, so that it cannot hide a runaway for long.
    """

    def __init__(self, rules: ThermalRules) -> None:
        self._rules = rules
        self.warming_c = 0.0

    def add(self, seconds: float, rise_c: float, explained_c: float) -> None:
        """What one step brought."""
        kept = exp(-seconds / self._rules.odd_s)
        self.warming_c = max(-self._rules.credit_c, self.warming_c * kept + rise_c - explained_c)


class ModuleHeat:
    """One module over time: smoothed temperature, losses, prediction, and what is odd."""

    def __init__(self, rules: ThermalRules, stored: tuple[float, float] | None = None) -> None:
        """stored: ambient_c and tau_s of an earlier run."""
        self._rules = rules
        self._stored = stored
        self._seen_s = -inf
        self._sensors = 0
        self.surroundings: Surroundings | None = None
        self.temp_c: float | None = None
        self.loss_w = 0.0
        self.odd = Unexplained(rules)

    def forget(self) -> None:
        """Its temperature is not known: what was odd stays, the course of it begins anew."""
        self.temp_c = None
        if self.surroundings is not None:
            self.surroundings.forget_window()

    def sensors_are(self, count: int) -> None:
        """A sensor that comes or goes shifts the reading without any warming."""
        if count != self._sensors:
            self.forget()
        self._sensors = count

    def update(self, now_s: float, temp_c: float, loss_w: float, *, heated: bool) -> None:
        """A finite temperature and the present losses, W."""
        seconds, self._seen_s = now_s - self._seen_s, now_s
        if self.temp_c is None or not 0.0 <= seconds <= 2.0 * self._rules.fresh_s:
            self._begin(temp_c, loss_w)
            return
        before_c = self.temp_c
        self.temp_c += (temp_c - before_c) * (1.0 - exp(-seconds / self._rules.smooth_s))
        self.loss_w += (loss_w - self.loss_w) * (1.0 - exp(-seconds / self._rules.mean_s))
        assert self.surroundings is not None
        explained_c = self._explained_c(seconds, before_c, loss_w, heated=heated)
        self.odd.add(seconds, self.temp_c - before_c, explained_c)
        self.surroundings.learn(now_s, seconds, self.temp_c, loss_w, heated)

    def _begin(self, temp_c: float, loss_w: float) -> None:
        self.temp_c, self.loss_w = temp_c, loss_w
        if self.surroundings is None:
            ambient_c, tau_s = self._stored or (temp_c, None)
            self.surroundings = Surroundings(self._rules, ambient_c, tau_s)
        self.surroundings.forget_window()

    def _explained_c(self, seconds: float, temp_c: float, loss_w: float, *, heated: bool) -> float:
        rules = self._rules
        assert self.surroundings is not None
        warmer_c = self.surroundings.ambient_c + rules.ambient_margin_c - temp_c
        per_s = rules.loss_margin * loss_w / rules.heat_j_per_k
        per_s += max(0.0, warmer_c) / rules.least_tau_s
        per_s += rules.heater_c_per_h / 3600.0 if heated else 0.0
        return per_s * seconds

    @property
    def predicted_c(self) -> float | None:
        """Temperature at the end of the horizon with the present mean losses."""
        if self.temp_c is None or self.surroundings is None:
            return None
        return self.surroundings.later_c(self.temp_c, self.loss_w, self._rules.horizon_s)

    def bearable_a(self, limit_c: float, ohm: float) -> float:
        """Current that keeps it below the limit over the horizon, A; 0 when unknown or beyond.

        It aims a little lower, so that steps of the sensor do not end the current at the limit.
        """
        if self.temp_c is None or self.surroundings is None or not self.temp_c < limit_c:
            return 0.0
        goal_c = limit_c - self._rules.reserve_c
        watts = self.surroundings.bearable_w(self.temp_c, goal_c, self._rules.horizon_s)
        amps = sqrt(watts / ohm)
        return amps if isfinite(amps) else 0.0
