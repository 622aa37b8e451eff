"""The virtual meter of syssi/esphome-soyosource-gtn-virtual-meter, NEGATIVE_MEASUREMENTS_REQUIRED.

Source: components/soyosource_virtual_meter/soyosource_virtual_meter.cpp (soyosource notes, 4.1).
"""

from __future__ import annotations

from math import ceil

from gridzero.bench.control.laws.law import Every, Setting

BUFFER_W = 0  # the code's default; its examples use 10, which is an error of 10 W at all times


def negative_measurements(
    reading_w: int,
    last_w: int,
    *,
    buffer_w: int,
    min_w: int,
    max_w: int,
    zero_output_on_min: bool = True,
) -> int:
    """The demand that follows a reading and the demand last sent, W."""
    demand_w = reading_w - buffer_w + last_w
    if demand_w >= max_w:
        return max_w
    if demand_w < min_w:
        return 0 if zero_output_on_min else min_w
    return demand_w


class Syssi:
    """Meets law.Law. Adds each reading to what was last sent; several readings do not add up."""

    def __init__(self, setting: Setting, period_s: float) -> None:
        self.timer_s: float | None = period_s
        self._every = Every(period_s)
        self._min_w, self._max_w = int(setting.least_w), int(setting.most_w)
        self._next_w = self._last_w = 0

    def on_meter(self, _now_s: float, grid_w: float) -> None:
        """See law.Law."""
        self._next_w = negative_measurements(
            ceil(grid_w),
            self._last_w,
            buffer_w=BUFFER_W,
            min_w=self._min_w,
            max_w=self._max_w,
            zero_output_on_min=self._min_w == 0,
        )

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if self._every.due(now_s):
            self._last_w = self._next_w
        return self._last_w
