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
class DcWindow:
    """Pack voltages at which a converter works, V. None = not known: no bound.

    stop_v: below it the converter stops by itself. start_v: from there it starts again; without
    one it is taken to be a little above stop_v. max_v: above it the converter must not be used.
    """

    stop_v: float | None = None
    start_v: float | None = None
    max_v: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCurve:
    """Loss over AC power p (magnitude, W): ``square_per_w * p**2 + share * p + run_w``.

    The shape is that of bslib's loss model (control notes, section D.2). run_w: what it costs to
    run at all, W. standby_w: what it draws when told 0. start_wh: energy that a start costs.
    """

    square_per_w: float = 0.0
    share: float = 0.0
    run_w: float = 0.0
    standby_w: float = 0.0
    start_wh: float = 0.0

    def at(self, power_w: float) -> float:
        """Loss at an AC power, W; the standby at 0."""
        if not power_w > 0.0:
            return self.standby_w
        return (self.square_per_w * power_w + self.share) * power_w + self.run_w


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverterSpec:
    """Limits of one converter on the AC side (magnitudes, W).

    min_w: smallest power it can hold; below it the command is 0.
    max_w: largest power. efficiency: DC/AC for a charger, AC/DC for an inverter, 0..1: the worst
    case, on which limits rest. losses: for choosing between units; without a curve the efficiency
    is taken to be flat.
    """

    min_w: float
    max_w: float
    efficiency: float
    dynamics: Dynamics
    window: DcWindow = DcWindow()
    losses: LossCurve | None = None

    @property
    def loss_curve(self) -> LossCurve:
        """The given curve, or a straight line through the efficiency."""
        return self.losses or LossCurve(share=1.0 / self.efficiency - 1.0)


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
