"""The shunt's section of the configuration."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from gridzero.ports.plugin import Options
from gridzero_drivers.ads1115_shunt.codec import FULL_SCALES_V, AdcConfig, amps, volts

_SLOWEST = 1.1  # the converter's oscillator is good to 10 %


class ShuntOptions(Options):
    """An ADS1115 across a shunt.

    link: name of the I2C link. address: by the ADDR strap. pair: inputs, the positive first.
    gain_v: full scale, V. samples_per_s: conversion rate; slower averages longer. rated_a,
    rated_mv: what stands on the shunt. zero_a: reading at no current, subtracted. invert: swaps
    the sign, so that discharge is positive. period_s: time between readings.
    """

    driver: Literal["ads1115_shunt"]
    link: str = Field(min_length=1)
    address: int = Field(default=0x48, ge=0x48, le=0x4B)
    pair: Literal["0-1", "0-3", "1-3", "2-3"] = "0-1"
    gain_v: FiniteFloat = 0.256
    samples_per_s: Literal[8, 16, 32, 64, 128, 250, 475, 860] = 32
    rated_a: FiniteFloat = Field(default=100.0, gt=0, le=5000)
    rated_mv: FiniteFloat = Field(default=75.0, gt=0, le=5000)
    zero_a: FiniteFloat = Field(default=0.0, ge=-50, le=50)
    invert: bool = False
    period_s: FiniteFloat = Field(default=0.25, gt=0, le=2)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.gain_v not in FULL_SCALES_V:
            known = ", ".join(f"{v:g}" for v in FULL_SCALES_V)
            raise ValueError(f"gain_v must be one of {known}")
        if self.rated_mv > self.gain_v * 1000:
            raise ValueError(f"the shunt's {self.rated_mv:g} mV do not fit gain_v {self.gain_v:g}")
        if self.period_s < self.conversion_s:
            raise ValueError("period_s is shorter than one conversion: raise samples_per_s")
        return self

    @property
    def adc(self) -> AdcConfig:
        """Settings for the converter."""
        return AdcConfig(self.pair, self.gain_v, self.samples_per_s)

    @property
    def amps_per_bit(self) -> float:
        """A per step of the converter, negative when inverted."""
        step_a = amps(volts(1, self.gain_v), self.rated_a, self.rated_mv)
        return -step_a if self.invert else step_a

    @property
    def conversion_s(self) -> float:
        """Longest time that one conversion takes."""
        return _SLOWEST / self.samples_per_s
