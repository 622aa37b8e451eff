"""Which converters give a power with the least loss, and how much each of them.

Within a set of units the losses are least where the next watt costs the same everywhere (equal
incremental loss); between sets the sums are compared. There are few units, so all sets are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from gridzero.domain.converters import ConverterSpec

_MISSING_PER_W = 10.0  # the grid is to be at zero: a watt not given outweighs losses
_TRY_ALL = 6  # 63 sets; of more units only the first of each size are tried
_STEP_W = 5.0
_REMEMBER = 2000
_LEAST_BEND_W = 1.0  # straight curves are bent this little, so that equals share alike


class Line(NamedTuple):
    """A share that grows in a line between its ends, W: offset + slope x, slope > 0."""

    offset_w: float
    slope: float
    low_w: float
    high_w: float

    def at(self, x: float) -> float:
        """The share at x."""
        return min(self.high_w, max(self.low_w, self.offset_w + self.slope * x))


class Plan(NamedTuple):
    """A set of units. cost_w: losses, standby of the others, and what is missing, weighted.

    least_w: the smallest power that it can hold.
    """

    names: frozenset[str]
    cost_w: float
    least_w: float


def level(power_w: float, lines: Sequence[Line]) -> list[float]:
    """The shares of all lines at the x at which they add up to the power, as far as they can."""
    total_low_w = sum(line.low_w for line in lines)
    if power_w <= total_low_w:
        return [line.low_w for line in lines]
    corners = sorted(
        (end_w - line.offset_w) / line.slope
        for line in lines
        for end_w in (line.low_w, line.high_w)
    )
    below = [line.at(corners[0]) for line in lines]
    for x in corners[1:]:
        above = [line.at(x) for line in lines]
        lower_w, upper_w = sum(below), sum(above)
        if upper_w >= power_w:
            part = (power_w - lower_w) / (upper_w - lower_w) if upper_w > lower_w else 0.0
            part = min(1.0, max(0.0, part))
            return [b + part * (a - b) for a, b in zip(above, below, strict=True)]
        below = above
    return below


def cheapest_shares(power_w: float, specs: Mapping[str, ConverterSpec]) -> dict[str, float]:
    """The power over exactly these units, with the least loss; W AC by name.

    Less than asked for where their maxima add up to less; at least their minima.
    """
    if len(specs) == 1:
        (name, spec), *_ = specs.items()
        return {name: min(spec.max_w, max(spec.min_w, power_w))}
    return dict(zip(specs, level(power_w, [_line(spec) for spec in specs.values()]), strict=True))


class BestSets:
    """Compares sets of units; what was found is remembered by power in steps of 5 W."""

    def __init__(self) -> None:
        self._specs: Mapping[str, ConverterSpec] = {}
        self._found: dict[int, tuple[Plan, ...]] = {}

    def plans(self, power_w: float, specs: Mapping[str, ConverterSpec]) -> list[Plan]:
        """All sets that can hold the power, cheapest first. specs: the units that may be used."""
        if specs != self._specs or len(self._found) >= _REMEMBER:
            self._specs = dict(specs)
            self._found.clear()
        step = int(power_w / _STEP_W)
        if step not in self._found:
            self._found[step] = _compare((step + 1) * _STEP_W, specs)
        return [plan for plan in self._found[step] if plan.least_w <= power_w]


def cost_w(power_w: float, names: frozenset[str], specs: Mapping[str, ConverterSpec]) -> float:
    """What it costs to let these units give the power while the others stand by, W."""
    chosen = {name: specs[name] for name in specs if name in names}
    shares = cheapest_shares(power_w, chosen)
    running_w = sum(specs[name].loss_curve.at(share) for name, share in shares.items())
    standing_w = sum(spec.loss_curve.standby_w for name, spec in specs.items() if name not in names)
    missing_w = max(0.0, power_w - sum(shares.values()))
    return running_w + standing_w + _MISSING_PER_W * missing_w


def _compare(power_w: float, specs: Mapping[str, ConverterSpec]) -> tuple[Plan, ...]:
    plans = (
        Plan(names, cost_w(power_w, names, specs), sum(specs[name].min_w for name in names))
        for names in _sets(specs)
    )
    return tuple(sorted(plans, key=lambda plan: (plan.cost_w, len(plan.names))))


def _sets(specs: Mapping[str, ConverterSpec]) -> list[frozenset[str]]:
    names = list(specs)
    if len(names) > _TRY_ALL:
        return [frozenset(names[:size]) for size in range(1, len(names) + 1)]
    sizes = range(1, len(names) + 1)
    return [frozenset(some) for size in sizes for some in combinations(names, size)]


def _line(spec: ConverterSpec) -> Line:
    """Share over the price of the next watt: p = (price - share) / (2 square_per_w)."""
    curve = spec.loss_curve
    bend = 2.0 * max(curve.square_per_w, _LEAST_BEND_W / (1000.0 * max(spec.max_w, 1.0)))
    return Line(-curve.share / bend, 1.0 / bend, spec.min_w, spec.max_w)
