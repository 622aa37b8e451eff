"""The last word. Knows only limits, and only ever moves power toward zero.

Comparisons are phrased so that a missing number (NaN) refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from gridzero.battery.curve import freshness
from gridzero.control.usable import Usable
from gridzero.control.usable import usable as usable_at
from gridzero.domain.battery import CurrentLimits
from gridzero.domain.reasons import Because, WhyNot
from gridzero.domain.snapshot import Snapshot

_SHUNT_FRESH_S, _SHUNT_DEAD_S = 2.0, 5.0

_WINDOW = frozenset({WhyNot.DC_LOW, WhyNot.DC_HIGH})

Limit = tuple[float, Because]


@dataclass(frozen=True, slots=True)
class PowerLimits:
    """AC power that is allowed now, W >= 0, and what keeps it there."""

    charge_w: float
    discharge_w: float
    charge_because: Because
    discharge_because: Because


def power_limits(
    now: Snapshot, *, over_current: bool, rogue_charge: bool, usable: Usable | None = None
) -> PowerLimits:
    """What battery, shunt and converters allow at this moment.

    over_current, rogue_charge: what the watchers of these names say. usable: the units that
    dispatch may command; by default those that the snapshot alone shows.
    """
    usable = usable or usable_at(now)
    battery, limits = now.battery, now.limits
    if battery is None or limits is None or battery.pack_v is None or not battery.pack_v > 0:
        return PowerLimits(0.0, 0.0, Because.BATTERY_UNKNOWN, Because.BATTERY_UNKNOWN)
    if now.blocked is not None:
        return PowerLimits(0.0, 0.0, now.blocked, now.blocked)
    charge = _without_shunt(_charge(now, usable, limits, battery.pack_v), now.shunt_age_s)
    discharge = _without_shunt(_discharge(now, usable, limits, battery.pack_v), now.shunt_age_s)
    if over_current:
        charge = discharge = 0.0, Because.OVER_CURRENT
    if rogue_charge:
        discharge = 0.0, Because.CHARGER_ACTIVE
    return PowerLimits(charge[0], discharge[0], charge[1], discharge[1])


def guard(wish_w: float, limits: PowerLimits) -> tuple[float, Because | None]:
    """Cut a wish to the limits; the reason is None where nothing was cut."""
    if not isfinite(wish_w):
        return 0.0, Because.METER_UNKNOWN
    if wish_w > 0 and not wish_w <= limits.discharge_w:
        return _at_least_zero(limits.discharge_w), limits.discharge_because
    if wish_w < 0 and not -wish_w <= limits.charge_w:
        return -_at_least_zero(limits.charge_w), limits.charge_because
    return wish_w, None


def meter_factor(age_s: float, hold_s: float, lost_s: float) -> Limit:
    """How much of a power that rests on the meter is still allowed: held, falling, lost."""
    if not isfinite(age_s):
        return 0.0, Because.METER_UNKNOWN
    factor = freshness(age_s, hold_s, lost_s)
    return factor, Because.METER_LATE if factor > 0 else Because.METER_LOST


def _without_shunt(limit: Limit, age_s: float) -> Limit:
    """A limit, reduced while the battery current is not known."""
    factor = freshness(age_s, _SHUNT_FRESH_S, _SHUNT_DEAD_S)
    return limit if factor >= 1.0 else (limit[0] * factor, Because.SHUNT_STALE)


def _charge(now: Snapshot, usable: Usable, limits: CurrentLimits, pack_v: float) -> Limit:
    units = usable.chargers
    if not units:
        silent = any(usable.why_not.get(c.name) is WhyNot.SILENT for c in now.chargers)
        return 0.0, Because.CHARGER_SILENT if silent else _nobody(usable, now, Because.NO_CHARGER)
    battery_w = limits.charge_a * pack_v / max(c.spec.efficiency for c in units)
    return min(
        (battery_w, limits.charge_because),
        (sum(c.spec.max_w for c in units), Because.CHARGER_MAXIMUM),
        key=_watts,
    )


def _discharge(now: Snapshot, usable: Usable, limits: CurrentLimits, pack_v: float) -> Limit:
    units = usable.inverters
    if not units:
        return 0.0, _nobody(usable, now, Because.NO_INVERTER)
    battery_w = limits.discharge_a * pack_v * min(i.spec.efficiency for i in units)
    return min(
        (battery_w, limits.discharge_because),
        (sum(i.spec.max_w for i in units), Because.INVERTER_MAXIMUM),
        key=_watts,
    )


def _nobody(usable: Usable, now: Snapshot, otherwise: Because) -> Because:
    """Why no unit of a kind is left."""
    units = now.inverters if otherwise is Because.NO_INVERTER else now.chargers
    reasons = {usable.why_not.get(unit.name) for unit in units}
    return Because.DC_WINDOW if reasons & _WINDOW else otherwise


def _watts(limit: Limit) -> float:
    return limit[0]


def _at_least_zero(limit_w: float) -> float:
    """A limit that is negative or not a number must not turn power around: it means 0."""
    return limit_w if limit_w > 0 else 0.0
