"""The Dynamic Power Limiter of hoylabs/OpenDTU-OnBattery, and its AC charger law.

Source: src/PowerLimiter.cpp and src/gridcharger/huawei/Provider.cpp (control notes, A.1).
"""

from __future__ import annotations

from gridzero.bench.control.laws.law import OutputReport, Setting

_ACKNOWLEDGED_S = 1.0
_SETTLES_S = 2.0
_LEAST_W = 10.0
_CHARGE_LEAST_W, _CHARGE_REST_S = 150.0, 5.0
_EFFICIENCY = 0.95
_STOPPED_W = 5.0


class Dpl:
    """Meets law.Law and HearsOutput.

    One calculation when three things have come in turn: the acknowledgement of the last command
    (1 s by radio), statistics newer than it, a reading more than 2 s newer than those. Statistics
    come every second and are 0.3 s old here. The charger rests while the inverter gives anything,
    and the inverter while the charger runs.
    """

    timer_s: float | None = None
    report_s = 1.0
    report_age_s = 0.3

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._limit_w = 0.0
        self._charge_w = 0.0
        self._commanded_s = float("-inf")
        self._statistics_s: float | None = None
        self._charge_from_s = float("-inf")
        self._output = OutputReport(0.0, 0.0, 0.0)

    def on_output(self, now_s: float, report: OutputReport) -> None:
        """See law.HearsOutput."""
        self._output = report
        if self._statistics_s is None and report.at_s >= self._commanded_s + _ACKNOWLEDGED_S:
            self._statistics_s = now_s

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""
        self._charge(now_s, grid_w)
        if self._statistics_s is None or now_s <= self._statistics_s + _SETTLES_S:
            return
        limit_w = self._new_limit(round(grid_w))
        if limit_w != self._limit_w:
            self._limit_w, self._commanded_s, self._statistics_s = limit_w, now_s, None

    def command(self, _now_s: float) -> float:
        """See law.Law."""
        return -self._charge_w if self._charge_w > 0.0 else self._limit_w

    def _new_limit(self, grid_w: float) -> float:
        if self._charge_w > 0.0:
            return 0.0
        limit_w = max(0.0, min(self._setting.most_w, self._limit_w + grid_w))
        return limit_w if limit_w >= _LEAST_W else 0.0

    def _charge(self, now_s: float, grid_w: float) -> None:
        most_w = -self._setting.least_w
        if most_w <= 0.0 or now_s < self._charge_from_s:
            return
        power_w = self._output.charger_w - _EFFICIENCY * grid_w
        if self._output.inverter_w > _STOPPED_W or self._limit_w > 0.0:
            power_w = 0.0
        power_w = min(most_w, power_w) if power_w > _CHARGE_LEAST_W else 0.0
        if power_w != self._charge_w:
            self._charge_w = power_w
            self._charge_from_s = now_s + _CHARGE_REST_S if power_w > 0.0 else now_s
