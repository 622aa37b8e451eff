"""What mode auto is doing with the grid now, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from gridzero.domain.reasons import Because


class Aim(NamedTuple):
    """Grid power that is left as it is, W, > 0 import; the battery works for what is beyond.

    Usually low_w and high_w are one number, the target. rests: what is said between the two.
    """

    low_w: float
    high_w: float
    rests: Because = Because.BALANCED

    def nearest(self, net_load_w: float) -> float:
        """What the grid should be while the house needs so much without the battery."""
        return min(max(net_load_w, self.low_w), self.high_w)


class Plan(StrEnum):
    """The value is the code in MQTT."""

    SELF_USE = "self_use"
    PEAK_SHAVE = "peak_shave"
    PEAK_RESERVE = "peak_reserve"
    TARIFF_USES = "tariff_uses"
    TARIFF_WAITS = "tariff_waits"
    TARIFF_BUYS = "tariff_buys"
    TARIFF_UNKNOWN = "tariff_unknown"


PLANS: dict[Plan, str] = {
    Plan.SELF_USE: "the house uses its own energy first",
    Plan.PEAK_SHAVE: "the battery covers what exceeds the peak",
    Plan.PEAK_RESERVE: "the battery is brought back to its reserve, well below the peak",
    Plan.TARIFF_USES: "a kWh from the grid costs at least what a stored one is worth: it is used",
    Plan.TARIFF_WAITS: "a stored kWh will be worth more than one costs now: it is kept",
    Plan.TARIFF_BUYS: "buying now, losses included, is cheaper than what it will be worth",
    Plan.TARIFF_UNKNOWN: "nobody knows what stored energy is worth: as self_use",
}
