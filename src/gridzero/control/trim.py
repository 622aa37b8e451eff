"""Integral action on what the model does not explain.

The observer alone already has no steady error when the converter's gain is wrong. What is left,
such as watts lost in whole-watt commands, is integrated slowly here: the grid error that will
remain once everything in flight has landed.
"""

from __future__ import annotations

from math import isfinite

_PER_S = 0.05
_BOUND_W = 60.0
_LONGEST_STEP_S = 2.0
_SETTLED_W = 15.0  # while the output still moves, a wrong slew looks like a wrong gain
_LARGEST_ERROR_W = 50.0  # more than this is a change of load, not an error of the model


class Trim:
    """Slow integrator, bounded to +-60 W, frozen while a limit holds the output."""

    def __init__(self) -> None:
        self.value_w = 0.0

    def update(self, error_w: float, in_flight_w: float, seconds: float) -> float:
        """error_w: grid minus target. in_flight_w: output still to come from sent commands."""
        if abs(in_flight_w) <= _SETTLED_W and isfinite(error_w):
            unexplained_w = _bounded(error_w - in_flight_w, _LARGEST_ERROR_W)
            step_w = _PER_S * min(seconds, _LONGEST_STEP_S) * unexplained_w
            self.value_w = _bounded(self.value_w + step_w, _BOUND_W)
        return self.value_w

    def reset(self) -> None:
        """The grid is not being held now."""
        self.value_w = 0.0

    def back_calculate(self, excess_w: float) -> None:
        """A limit cut excess_w off the wish: what the trim contributed to it is taken back."""
        if excess_w * self.value_w > 0:
            taken_w = min(abs(excess_w), abs(self.value_w))
            self.value_w -= taken_w if self.value_w > 0 else -taken_w


def _bounded(value_w: float, bound_w: float) -> float:
    return max(-bound_w, min(bound_w, value_w))
