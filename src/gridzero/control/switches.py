"""Which parts of the law are at work: all of them in a house, fewer in the bench."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One flag per part that can be measured by leaving it out.

    jumps: a large surprise counts fully at once. spikes: a meter that has shown single wrong
    readings must confirm a large one. slope: a steady ramp of the load is carried on.
    trim: slow integral of what the model leaves. align: telemetry counts for when it was
    measured, not for when it came. identify: dead time, slew and gain are learned. damping:
    calmer while the own residual alternates. drop_to_zero: cut and climb again where that is
    cheaper than ramping down. zero_cross_hold: one direction at a time, with a rest between.
    start_budget: starts are counted and rationed. keep_warm: a rectifier idles at its smallest
    power instead of stopping for a moment. periodic: loads that come and go at a steady beat
    are answered once. value: the target leans to the side on which an error costs less.
    """

    jumps: bool = True
    spikes: bool = True
    slope: bool = True
    trim: bool = True
    align: bool = True
    identify: bool = True
    damping: bool = True
    drop_to_zero: bool = True
    zero_cross_hold: bool = True
    start_budget: bool = True
    keep_warm: bool = True
    periodic: bool = True
    value: bool = True

    def without(self, *names: str) -> Switches:
        """These parts off. Raises ValueError for a part that does not exist."""
        unknown = sorted(set(names) - set(PARTS))
        if unknown:
            raise ValueError(f"no such part: {', '.join(unknown)}")
        return replace(self, **dict.fromkeys(names, False))


PARTS = tuple(field.name for field in fields(Switches))
ALL_ON = Switches()
