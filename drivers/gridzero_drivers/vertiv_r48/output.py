"""From AC power to what the rectifier is told: volts and a current fraction; pure.

Everything here only rounds down.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from gridzero.domain.converters import ConverterSpec, DcWindow, Dynamics, LossCurve, Setpoint
from gridzero_drivers.vertiv_r48.options import VertivR48Options
from gridzero_drivers.vertiv_r48.requests import MAX_FRACTION, MAX_V, MIN_V, amps_of, fraction_of

NOMINAL_V = 44.0
"""Voltage of a half full 12S pack: only for figures that must hold before a measurement."""

_STEPS = 1024  # the unit's own resolution, as read back in captures
_LOWEST_BELIEVED_V = 30.0  # with DC off the terminals may read 0


class Demand(NamedTuple):
    """What shall come out: fraction 0 means off. volts always holds a sendable limit, V."""

    fraction: float
    volts: float


class Rating:
    """What one rectifier can do, and how power becomes a current fraction."""

    def __init__(self, options: VertivR48Options) -> None:
        self._rated_w = options.rated_dc_w
        self._efficiency = options.efficiency
        self._max_v = options.max_v
        self.min_fraction = options.min_fraction
        self.spec = _spec(options)

    def amps(self, fraction: float) -> float:
        """A fraction in amperes."""
        return amps_of(fraction, self._rated_w)

    def fraction(self, amps: float) -> float:
        """Amperes as a fraction, rounded down to the unit's resolution."""
        return math.floor(fraction_of(amps, self._rated_w) * _STEPS + 1e-6) / _STEPS

    def ac_w(self, fraction: float, dc_v: float | None) -> float:
        """AC power that a fraction stands for, W."""
        return self.amps(fraction) * self._volts_for(dc_v) / self._efficiency

    def demand(self, setpoint: Setpoint | None, power_w: float, dc_v: float | None) -> Demand:
        """Off, or a fraction between the smallest and 1.21. NaN anywhere and endless power are off.

        power_w: what the set-point's lease still allows, W AC. dc_v: measured, V.
        """
        volts = self._ceiling(setpoint)
        if setpoint is None or volts is None:
            return Demand(0.0, MIN_V if setpoint is not None else self._max_v)
        if not (0.0 < power_w < math.inf and power_w >= self.spec.min_w):
            return Demand(0.0, volts)
        amps = min(power_w, self.spec.max_w) * self._efficiency / self._volts_for(dc_v)
        wanted = min(MAX_FRACTION, max(self.min_fraction, self.fraction(amps)))
        if setpoint.max_dc_a is None:
            return Demand(wanted, volts)
        if not setpoint.max_dc_a >= self.amps(self.min_fraction):
            return Demand(0.0, volts)
        return Demand(max(self.min_fraction, min(wanted, self._cap(setpoint.max_dc_a))), volts)

    def _cap(self, amps: float) -> float:
        return self.fraction(min(amps, self.amps(MAX_FRACTION)))

    def _ceiling(self, setpoint: Setpoint | None) -> float | None:
        """Voltage limit, V, in steps of 10 mV; None when it is below what the unit can do."""
        if setpoint is None or setpoint.max_dc_v is None:
            return self._max_v
        volts = min(self._max_v, setpoint.max_dc_v) if setpoint.max_dc_v >= MIN_V else MIN_V - 1
        volts = math.floor(min(volts, MAX_V) * 100 + 1e-6) / 100
        return volts if volts >= MIN_V else None

    def _volts_for(self, dc_v: float | None) -> float:
        """The measured voltage if it can be a battery's, else the highest: fewer amperes."""
        return dc_v if dc_v is not None and dc_v >= _LOWEST_BELIEVED_V else self._max_v


class Slew:
    """Lets a fraction rise at a fixed pace; falling is not its business."""

    _BURST_S = 0.3  # after a rest one tick's worth at once, not more

    def __init__(self, fraction_per_s: float) -> None:
        self._pace = fraction_per_s
        self._rose_at_s = float("-inf")

    def begin(self, now_s: float) -> None:
        """Count from now."""
        self._rose_at_s = now_s

    def toward(self, now_s: float, present: float, wanted: float) -> float:
        """How far it may go now, in whole steps of the unit."""
        if wanted <= present:
            return wanted
        budget = self._pace * min(now_s - self._rose_at_s, self._BURST_S)
        allowed = min(wanted, math.floor((present + budget) * _STEPS) / _STEPS)
        if allowed <= present:
            return present
        begun_s = max(self._rose_at_s, now_s - self._BURST_S)
        self._rose_at_s = begun_s + (allowed - present) / self._pace  # the rest is kept
        return allowed


def _spec(options: VertivR48Options) -> ConverterSpec:
    """The limits and the dynamics that go with the ledger's powers (see driver.on_sent)."""
    w_per_a = NOMINAL_V / options.efficiency
    min_w = amps_of(options.min_fraction, options.rated_dc_w) * w_per_a
    max_w = min(options.max_w, options.rated_dc_w / options.efficiency)
    return ConverterSpec(
        min_w=min_w,
        max_w=max_w,
        efficiency=options.efficiency,
        dynamics=Dynamics(
            dead_time_s=0.5,
            jump_w=min_w,
            rise_w_per_s=options.rise_a_per_s * w_per_a,
            fall_w_per_s=20_000.0,
            start_s=options.ramp_hold_s,
        ),
        window=DcWindow(max_v=MAX_V),
        losses=LossCurve(
            square_per_w=options.full_load_extra_w / (max_w * max_w),
            share=1.0 - options.efficiency,
            run_w=options.run_w,
            standby_w=options.standby_w,
            start_wh=options.start_wh,
        ),
    )
