"""The reference ESP32 controller: an integrator with hold times (vw-gte notes, section 6.6)."""

from __future__ import annotations

from gridzero.bench.control.laws.law import OutputReport, Setting

_GAIN, _BIAS_W = 0.85, 20
_INVERT_ABOVE_W, _CHARGE_BELOW_W, _START_BELOW_W = 50, -120, -270
_SWITCH_HOLD_S, _START_HOLD_S, _START_PART = 1.0, 8.5, 0.8
_FORGETS_S = 3.5


class ReferenceEsp32:
    """anikrooz/housebatt, housebatt.ino. Meets law.Law and HearsOutput (its shunt, 250 ms).

    When the demand falls between -120 and 50 W it sends the inverter nothing and relies on its
    time-out: here the inverter goes on for 3.5 s, the shorter of the two times that are told.
    """

    timer_s: float | None = 0.5
    report_s = 0.25
    report_age_s = 0.0

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._may_charge = setting.least_w < 0.0
        self._flows = False
        self._inverting = self._charging = False
        self._hold_until_s = float("-inf")
        self._silent_until_s = float("-inf")
        self._left_w = 0.0
        self.demand_w = 0

    def on_output(self, _now_s: float, report: OutputReport) -> None:
        """Its shunt: below 35 mA, some 2 W, counts as nothing."""
        self._flows = abs(report.battery_w) > 2.0

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""
        if now_s < self._hold_until_s:
            return
        self.demand_w = self._integrated(int(grid_w))
        if self.demand_w > _INVERT_ABOVE_W:
            self._discharge()
        elif self.demand_w < _CHARGE_BELOW_W and self._may_charge:
            self._charge(now_s)
        else:
            self._rest(now_s)

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if self._inverting or self._charging:
            starting = self._charging and now_s < self._hold_until_s
            return self.demand_w * (_START_PART if starting else 1.0)
        return self._left_w if now_s < self._silent_until_s else 0.0

    def _integrated(self, grid_w: int) -> int:
        demand_w = self.demand_w if self._flows else 0
        if demand_w > 0:
            grid_w -= _BIAS_W
        elif demand_w < 0:
            grid_w += _BIAS_W
        return int(self._setting.within(int(demand_w + _GAIN * grid_w)))

    def _discharge(self) -> None:
        if self._charging:  # the inverter starts with a later message
            self._charging, self.demand_w = False, 0
            return
        self._inverting, self._left_w = True, float(self.demand_w)

    def _charge(self, now_s: float) -> None:
        if self._inverting:
            self._stop_inverting(now_s)
            self.demand_w, self._hold_until_s = 0, now_s + _SWITCH_HOLD_S
        elif self._charging:
            return
        elif self.demand_w < _START_BELOW_W:
            self._charging, self._hold_until_s = True, now_s + _START_HOLD_S
            self._silent_until_s = now_s
        else:
            self.demand_w = 0

    def _rest(self, now_s: float) -> None:
        if self._inverting:
            self._stop_inverting(now_s)
        self._charging, self.demand_w = False, 0

    def _stop_inverting(self, now_s: float) -> None:
        self._inverting, self._silent_until_s = False, now_s + _FORGETS_S
