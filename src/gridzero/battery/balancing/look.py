"""What balancing sees of one module, and what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from gridzero.battery.balancing.plan import BalancePlan
from gridzero.domain.balancing import BalanceReason
from gridzero.domain.charge import CellCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust


class Look(NamedTuple):
    """One module at one moment.

    cells: what is believed of each cell, None when unknown. cell_ah: capacity of a cell, Ah.
    anchored_s: when a rest last confirmed ``cells``. refusal: what forbids balancing everywhere
    or here. rested_s: how long no current has flowed.
    """

    now_s: float
    reading: ModuleReading
    cells: Sequence[CellCharge] | None
    cell_ah: float
    anchored_s: float | None
    trust: Trust
    refusal: BalanceReason | None
    rested_s: float
    is_forced: bool


def believed_cells(now: Look) -> tuple[int, ...]:
    """Places (from 0) of the cells whose reading is not known to be wrong."""
    places = range(len(now.reading.cell_v))
    if not now.trust.cells:
        return tuple(places)
    name = now.reading.name
    return tuple(i for i in places if now.trust.misread(name, i + 1) is None)


def obstacle(now: Look, believed: Sequence[int], plan: BalancePlan) -> BalanceReason | None:
    """What keeps this module from being bled, the weightiest first; temperature is not here."""
    if now.refusal is not None:
        return now.refusal
    if len(believed) < 2 or _is_doubted(now, believed):
        return BalanceReason.DOUBT
    return None if _is_fresh(now, believed, plan) else BalanceReason.STALE


def _is_doubted(now: Look, believed: Sequence[int]) -> bool:
    """A doubt that names a sensor is settled: that cell is left out. Any other is not."""
    name, trust = now.reading.name, now.trust
    if name in trust.unproven or name in trust.apart:
        return True
    if name in trust.frozen or name in trust.odd_temps:
        return True
    if any(now.reading.suspect >> i & 1 for i in believed):
        return True
    return bool(trust.cells) and any(f"{name}.{i + 1}" in trust.cells for i in believed)


def _is_fresh(now: Look, believed: Sequence[int], plan: BalancePlan) -> bool:
    volts, times = now.reading.cell_v, now.reading.cell_at_s
    for i in believed:
        one_v, at_s = volts[i], times[i]
        if one_v is None or at_s is None or not isfinite(one_v):
            return False
        if not now.now_s - at_s <= plan.fresh_s:
            return False
    return True


class TemperatureGate:
    """Neither too cold nor too hot, with a margin to begin again."""

    def __init__(self, plan: BalancePlan) -> None:
        self._plan = plan
        self._shut: BalanceReason | None = None

    def check(self, reading: ModuleReading, now_s: float) -> BalanceReason | None:
        """The reason not to bleed, None when there is none. Unknown refuses."""
        plan = self._plan
        margin_c = plan.margin_c if self._shut else 0.0
        self._shut = None
        if reading.over_range_temp:
            self._shut = BalanceReason.TOO_HOT
        elif not reading.temps or not _is_recent(reading.temp_at_s, now_s, plan.temp_fresh_s):
            self._shut = BalanceReason.TEMPERATURE_UNKNOWN
        elif not max(t.high_c for t in reading.temps) <= plan.hot_c - margin_c:
            self._shut = BalanceReason.TOO_HOT
        elif not min(t.low_c for t in reading.temps) >= plan.cold_c + margin_c:
            self._shut = BalanceReason.TOO_COLD
        return self._shut


def _is_recent(at_s: float | None, now_s: float, limit_s: float) -> bool:
    return at_s is not None and now_s - at_s <= limit_s
