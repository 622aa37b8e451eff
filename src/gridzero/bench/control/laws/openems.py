"""OpenEMS Edge, controller ess.balancing, with and without its PID filter.

Source: OpenEMS/openems, io.openems.edge.controller.ess.balancing and PidFilter.java (control
notes, A.2).
"""

from __future__ import annotations

from gridzero.bench.control.laws.law import OutputReport, Setting

_P, _I, _D = 0.3, 0.3, 0.1
_SUM_LIMIT = 10.0
_CYCLE_S = 1.0
_GAIN = 0.96


class PidFilter:
    """A PID around the inverter power. least_w, most_w: limits of input and output."""

    def __init__(self, least_w: float, most_w: float) -> None:
        self._least_w, self._most_w = least_w, most_w
        self._sum_w = 0.0
        self._last_power_w: float | None = None

    def apply(self, power_w: float, target_w: float) -> float:
        """power_w: measured now. target_w: wanted. Returns the set-point, W."""
        target_w = self._clip(target_w)
        error_w = target_w - power_w
        if error_w == 0.0:
            return target_w
        moved_w = power_w - self._last_power_w if self._last_power_w is not None else 0.0
        output_w = _P * error_w + _I * self._sum_w - _D * moved_w
        bound_w = _SUM_LIMIT * max(abs(self._least_w), abs(self._most_w))
        self._sum_w = max(-bound_w, min(bound_w, self._sum_w + error_w))
        self._last_power_w = power_w
        return self._clip(output_w)

    def _clip(self, power_w: float) -> float:
        return max(self._least_w, min(self._most_w, power_w))


class OpenEms:
    """Meets law.Law and HearsOutput. A cycle of 1 s that takes what it finds.

    The inverter's power is read every 0.5 s and is 0.3 s old: as old as the meter's value. It sets
    watts AC, so a driver that knows the nominal gain is taken to stand between it and the demand.
    """

    timer_s: float | None = _CYCLE_S
    report_s = 0.5
    report_age_s = 0.3

    def __init__(self, setting: Setting, *, pid: bool) -> None:
        self._setting = setting
        self._filter = PidFilter(setting.least_w, setting.most_w) if pid else None
        self._grid_w: float | None = None
        self._power_w = 0.0
        self._command_w = 0.0
        self._next_s = 0.0

    def on_output(self, _now_s: float, report: OutputReport) -> None:
        """See law.HearsOutput."""
        self._power_w = report.battery_w

    def on_meter(self, _now_s: float, grid_w: float) -> None:
        """See law.Law."""
        self._grid_w = grid_w

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if self._grid_w is not None and now_s >= self._next_s - 1e-6:
            self._next_s = now_s + _CYCLE_S
            target_w = self._grid_w + self._power_w
            if self._filter is None:
                self._command_w = self._setting.within(target_w)
            else:
                self._command_w = self._filter.apply(self._power_w, target_w)
        return self._command_w if self._command_w < 0.0 else self._command_w / _GAIN
