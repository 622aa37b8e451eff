"""hgbrd23/victron-dbus-soyosource: a damped step per second (soyosource notes, section 4.10)."""

from __future__ import annotations

from gridzero.bench.control.laws.law import Every, Setting

_PERIOD_S = 1.0


class VictronDbus:
    """Meets law.Law. damping: 0.7 in its code, 0.3 in its README.

    Its target of -10 W is a setting and is 0 here; below the inverter's minimum it is off, as its
    README says, instead of being raised to it, as its code does.
    """

    timer_s: float | None = _PERIOD_S

    def __init__(self, setting: Setting, damping: float) -> None:
        self._setting, self._damping = setting, damping
        self._every = Every(_PERIOD_S)
        self._grid_w: float | None = None
        self._last_w = 0.0

    def on_meter(self, _now_s: float, grid_w: float) -> None:
        """See law.Law."""
        self._grid_w = grid_w

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if self._every.due(now_s) and self._grid_w is not None:
            step_w = round(self._grid_w * self._damping)
            self._last_w = self._setting.within(self._last_w + step_w)
        return self._last_w
