"""A short reduction of AstraMeter's balancer for one battery; not its code, nor a battery's law.

Source: tomquist/AstraMeter, src/astrameter/ct002/balancer.py (control notes, A.9).
"""

from __future__ import annotations

from gridzero.bench.control.laws.law import OutputReport, Setting

_CALL_S = 1.0
_TRUST, _LEAST_TRUST, _MOST_TRUST = 0.5, 0.15, 0.9
_SURPRISE_W = 40.0
_CAP_W, _MOST_CAP_W, _MOVES_W = 30.0, 100.0, 5.0
_UNDAMPED_W = 300.0
_TRIM_AFTER, _TRIM_BELOW_W, _TRIM_W = 6, 120.0, 15.0


class AstraMeterLike:
    """Meets law.Law and HearsOutput (power every second, 0.5 s old).

    From rest its first step is at least what the rectifier can hold, or it would never start.
    """

    timer_s: float | None = _CALL_S
    report_s = 1.0
    report_age_s = 0.5

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._estimate_w: float | None = None
        self._trust = _TRUST
        self._last_surprise_w = 0.0
        self._score = 0.0
        self._last_residual_w = 0.0
        self._cap_w = _CAP_W
        self._power_w = 0.0
        self._moved_w = 0.0
        self._imports = 0
        self._command_w = 0.0
        self._next_s = 0.0

    def on_output(self, _now_s: float, report: OutputReport) -> None:
        """The battery moved: the grid must have moved the other way."""
        self._moved_w = report.battery_w - self._power_w
        self._power_w = report.battery_w
        if self._estimate_w is not None:
            self._estimate_w -= self._moved_w

    def on_meter(self, _now_s: float, grid_w: float) -> None:
        """See law.Law."""
        if self._estimate_w is None:
            self._estimate_w = grid_w
        surprise_w = grid_w - self._estimate_w
        if abs(surprise_w) >= _SURPRISE_W:
            same = surprise_w * self._last_surprise_w > 0
            trust = self._trust + 0.2 if same else self._trust * 0.5
            self._trust = max(_LEAST_TRUST, min(_MOST_TRUST, trust))
            self._last_surprise_w = surprise_w
        self._estimate_w += self._trust * surprise_w
        self._imports = self._imports + 1 if 0 < grid_w < _TRIM_BELOW_W else 0

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if self._estimate_w is None or now_s < self._next_s - 1e-6:
            return self._command_w
        self._next_s = now_s + _CALL_S
        residual_w = self._damped(self._estimate_w)
        if self._imports >= _TRIM_AFTER:
            residual_w += _TRIM_W
            self._imports = 0
        self._pace(residual_w)
        step_w = max(-self._charge_cap_w(), min(self._cap_w, residual_w))
        self._command_w = self._setting.within(self._power_w + step_w)
        return self._command_w

    def _charge_cap_w(self) -> float:
        rectifier = self._setting.plant.rectifier
        if self._power_w > 0.0 or rectifier is None:
            return self._cap_w
        return max(self._cap_w, rectifier.min_w)

    def _damped(self, residual_w: float) -> float:
        turned = residual_w * self._last_residual_w < 0
        self._score = min(1.0, self._score + 0.3) if turned else self._score * 0.95
        if abs(residual_w) > _UNDAMPED_W:
            return residual_w
        return residual_w * (1.0 - 0.95 * self._score)

    def _pace(self, residual_w: float) -> None:
        if residual_w * self._last_residual_w < 0:
            self._cap_w = _CAP_W
        elif abs(self._moved_w) >= _MOVES_W:
            self._cap_w = min(_MOST_CAP_W, self._cap_w * 2)
        self._last_residual_w = residual_w
