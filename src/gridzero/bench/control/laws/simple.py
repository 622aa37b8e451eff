"""Two yardsticks: doing nothing, and the slow integrator that theory recommends."""

from __future__ import annotations

from gridzero.bench.control.laws.law import Setting


class Nothing:
    """Meets law.Law. The battery rests."""

    timer_s: float | None = None

    def __init__(self, _setting: Setting) -> None:
        pass

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""

    def command(self, _now_s: float) -> float:
        """See law.Law."""
        return 0.0


class Simc:
    """Meets law.Law. An integrator of gain 1 / (2 theta) per second.

    Source: Skogestad's rule for a process that is nearly pure delay (control notes, D.1).
    theta_s: the delay from command to meter that it is tuned for.
    """

    timer_s: float | None = None

    def __init__(self, setting: Setting, theta_s: float) -> None:
        self._setting, self._theta_s = setting, theta_s
        self._last_s: float | None = None
        self._command_w = 0.0

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""
        period_s = self._setting.meter.period_s if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        gain = min(1.0, period_s / (2.0 * self._theta_s))
        self._command_w = self._setting.within(self._command_w + gain * grid_w)

    def command(self, _now_s: float) -> float:
        """See law.Law."""
        return self._command_w
