"""Splits one signed battery power over the converters of its direction.

Only ever rounds toward zero: what cannot be held is not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView, Snapshot

_CHARGER_REST_S = 0.0


@dataclass(frozen=True, slots=True)
class Split:
    """Magnitude per converter name, W AC; the signed sum; what shaped it, if anything did."""

    units: dict[str, float] = field(default_factory=dict)
    total_w: float = 0.0
    because: Because | None = None


class Dispatcher:
    """Remembers which direction runs, for start thresholds and rests.

    min_charge_w, min_discharge_w: a wish must reach this before converters start; once they run
    they go on down to what they can hold.
    """

    def __init__(self, min_charge_w: float, min_discharge_w: float) -> None:
        self._min_charge_w = min_charge_w
        self._min_discharge_w = min_discharge_w
        self._charging = False
        self._discharging = False
        self._charger_stopped_s = float("-inf")

    def split(self, battery_w: float, now: Snapshot, out: AbstractSet[str] = frozenset()) -> Split:
        """Commands for every converter; the ones of the other direction are told 0.

        out: names that must not be used; they are told 0 as well.
        """
        discharge = self._discharge(max(0.0, battery_w), now, out)
        charge = self._charge(max(0.0, -battery_w), now, out)
        because = discharge.because if battery_w > 0 else charge.because
        total_w = discharge.total_w - charge.total_w
        return Split({**discharge.units, **charge.units}, total_w, because)

    def _discharge(self, power_w: float, now: Snapshot, out: AbstractSet[str]) -> Split:
        start_w = 0.0 if self._discharging else self._min_discharge_w
        split = _share(power_w, now.inverters, start_w, out)
        self._discharging = split.total_w > 0
        return split

    def _charge(self, power_w: float, now: Snapshot, out: AbstractSet[str]) -> Split:
        rests = now.now_s - self._charger_stopped_s < _CHARGER_REST_S
        if power_w > 0 and rests and not self._charging:
            return Split(
                dict.fromkeys((c.name for c in now.chargers), 0.0), 0.0, Because.RESTART_DWELL
            )
        start_w = 0.0 if self._charging else self._min_charge_w
        split = _share(power_w, now.chargers, start_w, out)
        if self._charging and split.total_w == 0:
            self._charger_stopped_s = now.now_s
        self._charging = split.total_w > 0
        return split


def _share(
    power_w: float, units: Sequence[ConverterView], start_w: float, out: AbstractSet[str]
) -> Split:
    """Fill units in order of configuration, as few as possible, each within its own limits."""
    commands = dict.fromkeys((unit.name for unit in units), 0.0)
    usable = [unit for unit in units if not unit.silent and unit.name not in out]
    if power_w <= 0 or not usable or power_w < start_w:
        return Split(commands, 0.0, Because.BELOW_MINIMUM if 0 < power_w < start_w else None)
    needed = _how_many(power_w, usable)
    capacity_w = sum(unit.spec.max_w for unit in needed)
    for unit in needed:
        share_w = min(unit.spec.max_w, power_w * unit.spec.max_w / capacity_w)
        commands[unit.name] = share_w if share_w >= unit.spec.min_w else 0.0
    total_w = sum(commands.values())
    return Split(commands, total_w, None if total_w > 0 else Because.BELOW_MINIMUM)


def _how_many(power_w: float, usable: Sequence[ConverterView]) -> Sequence[ConverterView]:
    """The first units that together can give the power; all of them if it is never enough."""
    capacity_w = 0.0
    for count, unit in enumerate(usable, start=1):
        capacity_w += unit.spec.max_w
        if capacity_w >= power_w:
            return usable[:count]
    return usable
