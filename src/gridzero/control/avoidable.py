"""The part of a grid error that the converters could have covered.

A battery that is empty or an inverter at its maximum is no bad regulation, so what no converter
could have covered is taken off before an error is counted. The bench and the running service
count by this same rule.
"""

from __future__ import annotations

from typing import NamedTuple


class Reach(NamedTuple):
    """What converters can give, W AC as battery power (> 0 discharge).

    most_w >= 0 and least_w <= 0: the ends. least_discharge_w >= 0 and least_charge_w >= 0: the
    smallest magnitudes that can be held; between them and 0 there is only 0.
    """

    most_w: float
    least_w: float
    least_discharge_w: float = 0.0
    least_charge_w: float = 0.0


def out_of_reach_w(needed_w: float, reach: Reach) -> float:
    """What is left on the grid of a needed battery power at best, W, > 0 import."""
    if needed_w > reach.most_w:
        return needed_w - reach.most_w
    if needed_w < reach.least_w:
        return needed_w - reach.least_w
    if -reach.least_charge_w < needed_w < reach.least_discharge_w:
        return needed_w
    return 0.0


def avoidable_w(error_w: float, rest_w: float) -> float:
    """What of an error is not between 0 and the rest that is out of reach, W.

    abs(error_w) is always the sum of this and the part that could not be avoided.
    """
    if rest_w == 0.0:
        return error_w
    if rest_w > 0.0:
        return min(error_w, 0.0) + max(error_w - rest_w, 0.0)
    return max(error_w, 0.0) + min(error_w - rest_w, 0.0)
