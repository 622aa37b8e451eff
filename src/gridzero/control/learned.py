"""What may be learned of a converter, within which bounds, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import exp, inf, isfinite
from typing import Any, NamedTuple

from gridzero.domain.converters import Dynamics

DEAD_TIME_S = (0.1, 6.0)
SLEW = (0.25, 4.0)
GAIN = (0.7, 1.3)
_ENDLESS = 1e9


class Shape(NamedTuple):
    """Four numbers to search over: dead time, s; slews and gain as parts of the nominal ones."""

    dead_time_s: float
    rise: float
    fall: float
    gain: float

    def moved(self, direction: Shape, length: float) -> Shape:
        """Further in a direction: the dead time by seconds, the others by equal ratios.

        A negative length is the way back of a positive one. Stays within the bounds.
        """
        return Shape(
            self.dead_time_s + length * direction.dead_time_s,
            self.rise * exp(length * direction.rise),
            self.fall * exp(length * direction.fall),
            self.gain * exp(length * direction.gain),
        ).bounded()

    def bounded(self) -> Shape:
        """Within what is believed of any converter; NaN becomes the lower bound."""
        limits = (DEAD_TIME_S, SLEW, SLEW, GAIN)
        return Shape(*(_within(v, *bounds) for v, bounds in zip(self, limits, strict=True)))

    def of(self, nominal: Dynamics) -> Dynamics:
        """The nominal dynamics with these numbers in place."""
        return replace(
            nominal,
            dead_time_s=self.dead_time_s,
            rise_w_per_s=nominal.rise_w_per_s * self.rise,
            fall_w_per_s=nominal.fall_w_per_s * self.fall,
            gain=nominal.gain * self.gain,
        )


def nominal_shape(nominal: Dynamics) -> Shape:
    """Where the search begins."""
    return Shape(nominal.dead_time_s, 1.0, 1.0, 1.0).bounded()


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What is believed of one converter.

    dead_time_s: from sending to visible at the meter, so an unknown latency of the meter is in
    it. rise_w_per_s, fall_w_per_s: W/s. gain: AC output over commanded AC output. sure: 0..1,
    the part of the meter's movement during its moves that the model explains, less while few
    moves were seen. moves: how many were seen.
    """

    dead_time_s: float
    rise_w_per_s: float
    fall_w_per_s: float
    gain: float
    sure: float = 0.0
    moves: int = 0

    def shape(self, nominal: Dynamics) -> Shape:
        """As numbers to search over."""
        return Shape(
            self.dead_time_s,
            _part(self.rise_w_per_s, nominal.rise_w_per_s),
            _part(self.fall_w_per_s, nominal.fall_w_per_s),
            _part(self.gain, nominal.gain),
        ).bounded()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps; an endless slew becomes a very large one."""
        return {name: round(min(value, _ENDLESS), 3) for name, value in asdict(self).items()}


def learned_of(dynamics: Dynamics, sure: float = 0.0, moves: int = 0) -> Learned:
    """Dynamics in the words of what is learned."""
    return Learned(
        dead_time_s=dynamics.dead_time_s,
        rise_w_per_s=dynamics.rise_w_per_s,
        fall_w_per_s=dynamics.fall_w_per_s,
        gain=dynamics.gain,
        sure=sure,
        moves=moves,
    )


def learned_from(values: Mapping[str, Any]) -> Learned:
    """What to_dict wrote. Raises ValueError, TypeError or KeyError for anything else."""
    numbers = {name: float(values[name]) for name in Learned.__slots__}
    if not all(isfinite(number) and number >= 0.0 for number in numbers.values()):
        raise ValueError("not a finite positive number")
    moves, sure = int(numbers.pop("moves")), min(1.0, numbers.pop("sure"))
    return Learned(**numbers, sure=sure, moves=moves)


def _part(value: float, nominal: float) -> float:
    """Value over nominal; 1 where that says nothing, such as for an endless slew."""
    return value / nominal if 0.0 < nominal < inf and isfinite(value) else 1.0


def _within(value: float, low: float, high: float) -> float:
    return min(high, value) if value >= low else low
