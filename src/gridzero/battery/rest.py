"""Cell voltages without what the current does to them."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView
from gridzero.domain.charge import BatteryCharge


class Rest(NamedTuple):
    """Lowest and highest cell, measured and as it would be at rest, V.

    charge: the estimate behind it, None where only measured voltages are known. A rest voltage
    is nan when the estimate is none: that refuses.
    """

    min_terminal_v: float
    max_terminal_v: float
    min_v: float
    max_v: float
    charge: BatteryCharge | None


class RestKeeper:
    """Looks through an estimate once, however often it is asked."""

    def __init__(self, profile: Profile) -> None:
        self._relief_v = profile.rest_relief_v
        self._old_s = profile.volt_dead_s
        self._seen: BatteryCharge | None = None
        self._bounds = (float("nan"), float("nan"))

    def look(
        self, view: BatteryView | None, charge: BatteryCharge | None, now_s: float
    ) -> Rest | None:
        """None while no cell is known. An estimate that is old or empty counts as none."""
        if view is None or view.min_cell_v is None or view.max_cell_v is None:
            return None
        low_v, high_v = view.min_cell_v, view.max_cell_v
        if charge is None or not now_s - charge.at_s <= self._old_s or not charge.modules:
            return Rest(low_v, high_v, low_v, high_v, None)
        if charge is not self._seen:
            self._seen, self._bounds = charge, _bounds(charge)
        open_low_v, open_high_v = self._bounds
        return Rest(
            low_v,
            high_v,
            self._within(open_low_v, low_v),
            self._within(open_high_v, high_v),
            charge,
        )

    def _within(self, open_v: float, terminal_v: float) -> float:
        """An estimate may differ from what is measured only so far; not a number stays none."""
        if not isfinite(open_v):
            return float("nan")
        return min(max(open_v, terminal_v - self._relief_v), terminal_v + self._relief_v)


def _bounds(charge: BatteryCharge) -> tuple[float, float]:
    """Lowest and highest rest voltage, nan when one is not a number."""
    volts = [cell.open_v for module in charge.modules.values() for cell in module.cells]
    if not volts or not all(map(isfinite, volts)):
        return float("nan"), float("nan")
    return min(volts), max(volts)
