"""What the owner may set of the law."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The defaults suit the devices that the drivers know.

    meter_hold_s, meter_lost_s: age up to which a meter reading counts in full, and at which power
    has fallen to 0. min_charge_w, min_discharge_w: a wish must reach this before converters start;
    0 = what they can hold. stored_value: see control.wake; None = it follows from prices; without
    them energy alone decides whether a start pays.
    """

    meter_hold_s: float = 1.5
    meter_lost_s: float = 10.0
    min_charge_w: float = 0.0
    min_discharge_w: float = 30.0
    stored_value: float | None = None
