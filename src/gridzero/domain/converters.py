"""What the control law must know of a converter, and what it asks of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamics:
    """How AC output follows a sent command (all powers as magnitudes, W).

    dead_time_s: from sending to the first reaction.
    jump_w: first step out of zero happens at once up to this power.
    rise_w_per_s, fall_w_per_s: slew afterwards, away from and toward zero.
    gain: steady output divided by command.
    zero_at_once: a command of 0 skips the fall ramp.
    start_s: extra delay of a command out of zero (soft start).
    """

    dead_time_s: float
    jump_w: float
    rise_w_per_s: float
    fall_w_per_s: float
    gain: float = 1.0
    zero_at_once: bool = True
    start_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverterSpec:
    """Limits of one converter on the AC side (magnitudes, W).

    min_w: smallest power it can hold; below it the command is 0.
    max_w: largest power. efficiency: DC/AC for a charger, AC/DC for an inverter, 0..1.
    """

    min_w: float
    max_w: float
    efficiency: float
    dynamics: Dynamics


@dataclass(frozen=True, slots=True, kw_only=True)
class Setpoint:
    """A guarded command with a lease.

    power_w: AC magnitude, W, >= 0. until_s: after this moment the driver itself makes it 0.
    max_dc_a, max_dc_v: what the battery bears, for chargers; None = no further limit known.
    """

    power_w: float
    until_s: float
    max_dc_a: float | None = None
    max_dc_v: float | None = None

    def power_at(self, now_s: float) -> float:
        """Power that may be commanded now: 0 once the lease has run out. Raises nothing."""
        return self.power_w if now_s <= self.until_s else 0.0
