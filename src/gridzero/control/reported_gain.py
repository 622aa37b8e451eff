"""Gain of a converter that reports its own output: measured, not inferred from the meter."""

from __future__ import annotations

from gridzero.control.actuator_model import ActuatorModel

_LEAST_W = 100.0
_SETTLED_S = 3.0
_STEP = 0.1
_LEAST, _MOST = 0.8, 1.2  # beyond, it does not follow: that is for its health to say
_TELL = 0.01


class ReportedGain:
    """gain: steady output over command, by the reports of one converter; None before the first.

    Only a report while nothing was in flight for three seconds counts, and a tenth of it.
    """

    def __init__(self) -> None:
        self.gain: float | None = None
        self._told: float | None = None

    def report(self, at_s: float, output_w: float, promise: ActuatorModel) -> bool:
        """One report; whether the gain has changed enough to be used anew.

        promise: what the converter would give by its commands, never corrected.
        """
        told_w = promise.final_w / promise.gain
        settled = promise.output_at(at_s - _SETTLED_S) == promise.output_at(at_s) == promise.final_w
        if told_w < _LEAST_W or not settled or not _LEAST <= output_w / told_w <= _MOST:
            return False
        before = promise.gain if self.gain is None else self.gain
        self.gain = before + _STEP * (output_w / told_w - before)
        known = promise.gain if self._told is None else self._told
        if abs(self.gain - known) < _TELL:
            return False
        self._told = self.gain
        return True
