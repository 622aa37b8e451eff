"""What mode auto is to hold: the owner's target, a peak, or what prices say.

- self_use: the target.
- peak_shave: only what exceeds the peak is discharged; surplus is stored. A battery below its
  reserve is charged with half of what is left below the peak, where that is allowed, once there
  has been room for a charger for five minutes: a load near the peak must not start it
  again and again.
- tariff: stored energy is used while a kWh from the grid costs at least what a stored one is
  worth (docs/value.md), and bought while that pays for the losses. Without such a worth: the
  target, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gridzero.control.permits import soc_pct_of
from gridzero.control.value import stored_ct
from gridzero.domain.modes import Strategy, Wanted
from gridzero.domain.plan import Aim, Plan
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView, Snapshot

_MARGIN = 0.05  # by which buying must be cheaper to begin: a price that trembles starts nothing
_GENTLY = 0.5
_HYSTERESIS_PCT = 1.0
_BELOW_PEAK_S = 300.0
_NEVER_W = 1e6
"""Import that no house reaches: the battery is not discharged for any."""


class Course(NamedTuple):
    """What is held now. buy_w: charge with so much instead, W; 0 = hold the aim."""

    aim: Aim
    plan: Plan
    buy_w: float = 0.0


class Strategist:
    """Call ``course`` at every tick in mode auto."""

    def __init__(self) -> None:
        self._buys = self._fills = False
        self._below_since_s: float | None = None

    def course(self, now: Snapshot, net_load_w: float | None) -> Course:
        """net_load_w: what the house needs without the battery by a meter that is fresh, W."""
        aim = self_use(now.wanted)
        if now.wanted.strategy is Strategy.PEAK_SHAVE:
            return self._peak(now, aim, net_load_w)
        self._below_since_s = None
        if now.wanted.strategy is Strategy.TARIFF:
            return self._tariff(now, aim)
        return Course(aim, Plan.SELF_USE)

    def _peak(self, now: Snapshot, aim: Aim, net_load_w: float | None) -> Course:
        peak_w = max(now.wanted.peak_w, aim.high_w)
        room_w = 0.0 if net_load_w is None else peak_w - net_load_w
        buy_w = _GENTLY * room_w
        has_room = buy_w > 0.0 and buy_w >= _least_charge_w(now.chargers)
        if self._stays_below(now.now_s, has_room=has_room) and self._needs_reserve(now):
            return Course(aim, Plan.PEAK_RESERVE, buy_w)
        return Course(Aim(aim.low_w, peak_w, Because.BELOW_PEAK), Plan.PEAK_SHAVE)

    def _stays_below(self, now_s: float, *, has_room: bool) -> bool:
        """Whether the house has left room for a charger for long."""
        if not has_room:
            self._below_since_s = None
            return False
        if self._below_since_s is None:
            self._below_since_s = now_s
        return now_s - self._below_since_s >= _BELOW_PEAK_S

    def _needs_reserve(self, now: Snapshot) -> bool:
        soc_pct, wanted = soc_pct_of(now), now.wanted
        enough_pct = wanted.reserve_soc_pct - (0.0 if self._fills else _HYSTERESIS_PCT)
        self._fills = wanted.allow_grid_charge and soc_pct is not None and soc_pct < enough_pct
        return self._fills

    def _tariff(self, now: Snapshot, aim: Aim) -> Course:
        prices = now.prices
        worth_ct = stored_ct(prices, now.outlook)[0] if prices else None
        if prices is None or worth_ct is None or not abs(prices.import_ct) < _NEVER_W:
            self._buys = False
            return Course(aim, Plan.TARIFF_UNKNOWN)
        if self._pays(prices.import_ct, worth_ct, now):
            return Course(aim, Plan.TARIFF_BUYS, sum(unit.spec.max_w for unit in now.chargers))
        if prices.import_ct >= worth_ct:
            return Course(aim, Plan.TARIFF_USES)
        return Course(Aim(aim.low_w, _NEVER_W, Because.TARIFF_WAITS), Plan.TARIFF_WAITS)

    def _pays(self, import_ct: float, worth_ct: float, now: Snapshot) -> bool:
        """Whether a kWh bought now costs less than it will be worth when it comes out again."""
        kept = _least_efficiency(now.chargers) * _least_efficiency(now.inverters)
        margin_ct = 0.0 if self._buys else _MARGIN * abs(worth_ct)
        pays = kept > 0.0 and import_ct / kept < worth_ct - margin_ct
        self._buys = pays and now.wanted.allow_grid_charge
        return self._buys


def self_use(wanted: Wanted) -> Aim:
    """The target; with a guard, or without leave to buy, a band of which the target is one end."""
    low_w = wanted.target_w if wanted.allow_grid_charge else min(wanted.target_w, 0.0)
    guard_w = wanted.export_guard_w
    high_w = max(wanted.target_w, guard_w) if guard_w > 0.0 else wanted.target_w
    if wanted.target_w < high_w:
        return Aim(low_w, high_w, Because.EXPORT_GUARD)
    if low_w < high_w:
        return Aim(low_w, high_w, Because.GRID_CHARGE_NOT_ALLOWED)
    return Aim(low_w, high_w)


def _least_charge_w(units: Sequence[ConverterView]) -> float:
    """What the smallest charger needs to run at all."""
    return min((unit.spec.min_w for unit in units), default=0.0)


def _least_efficiency(units: Sequence[ConverterView]) -> float:
    """0 where there is none: then nothing bought would ever come out."""
    return min((unit.spec.efficiency for unit in units), default=0.0)
