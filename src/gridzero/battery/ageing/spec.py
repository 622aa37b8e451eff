"""What is known of a battery before it is measured, and how fine the judgement is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingSpec:
    """Numbers of one kind of battery. Raises ValueError for what cannot be.

    module_ah: nominal capacity of a module; module_part_sigma: how far a second-hand one may be
    from it, relative. share_sigma: how far a module's part of the common current may be from
    what is assumed, relative; it cannot be measured with one shunt (docs/state-of-health.md).
    gain_sigma: error of the shunt's scale, relative. offset_sigma_a: of its zero, A.
    cold_factor: e-folding of resistance per degree below 25, 1/K. bleed_ohm: bleed resistor of a
    cell; bleed_tolerance: how far it may be from that, relative. step_a: smallest current step per
    module that tells a resistance, A. end_part: the capacity, relative to nominal, at which a
    module counts as worn out.
    """

    module_ah: float = 25.0
    module_part_sigma: float = 0.15
    share_sigma: float = 0.05
    gain_sigma: float = 0.01
    offset_sigma_a: float = 0.3
    cold_factor: float = 0.025
    bleed_ohm: float = 40.0
    bleed_tolerance: float = 0.25
    step_a: float = 2.0
    end_part: float = 0.7

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not (isfinite(value) and value > 0.0):
                raise ValueError(f"{name} {value:g} is not above 0")
        if self.end_part >= 1.0:
            raise ValueError(f"end_part {self.end_part:g} is not below 1")


VW_GTE = AgeingSpec()
"""25 Ah (vw-gte protocol notes, section 1); resistors as ``sim.pack`` assumes them."""
