"""desperado0044/Soyosource-Controller: a damped step per reading (src/main.cpp; notes 4.8)."""

from __future__ import annotations

from gridzero.bench.control.laws.law import Every, Setting

_TOLERANCE_W = 10.0
_SEND_S = 1.1


class Desperado:
    """Meets law.Law. gain: 0.1 .. 1.0 of what the meter shows, on top of what was last sent."""

    timer_s: float | None = _SEND_S

    def __init__(self, setting: Setting, gain: float) -> None:
        self._setting, self._gain = setting, gain
        self._units = setting.plant.inverter.units
        self._every = Every(_SEND_S)
        self._next_w = self._sent_w = 0.0

    def on_meter(self, _now_s: float, grid_w: float) -> None:
        """See law.Law."""
        if abs(grid_w) < _TOLERANCE_W:
            return
        step_w = int(grid_w / self._units * self._gain) * self._units
        self._next_w = self._setting.within(self._sent_w + step_w)

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if self._every.due(now_s):
            self._sent_w = self._next_w
        return self._sent_w
