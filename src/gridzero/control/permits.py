"""What a person allows: caps of the battery power beside those that the battery has itself.

They only ever make a limit smaller. Bounds of the state of charge end 1 % beyond where they began,
so that nothing chatters there.
"""

from __future__ import annotations

from collections.abc import Iterator

from gridzero.control.guard import Limit, PowerLimits
from gridzero.domain.modes import EMPTY_PCT, FULL_PCT, NO_CAP_W, Mode, Strategy, Wanted
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

_HYSTERESIS_PCT = 1.0
_PERCENT = 100.0


class Permits:
    """Call ``within`` at every tick.

    may_charge: whether a person leaves anything to charge with, whatever the battery itself bears.
    """

    def __init__(self) -> None:
        self._least, self._reserve, self._most = _Bound(1.0), _Bound(1.0), _Bound(-1.0)
        self._asked: Wanted | None = None
        self._cuts_nothing = False
        self.may_charge = True

    def within(self, limits: PowerLimits, now: Snapshot) -> PowerLimits:
        """The limits, none of them greater than what a person allows."""
        if now.wanted is not self._asked:
            self._asked, self._cuts_nothing = now.wanted, _cuts_nothing(now.wanted)
        if self._cuts_nothing:  # as nearly always
            self.may_charge = True
            return limits
        permitted = min(self._charging(now), key=_watts)
        self.may_charge = permitted[0] > 0.0
        charge = min((limits.charge_w, limits.charge_because), permitted, key=_watts)
        discharge = _least((limits.discharge_w, limits.discharge_because), self._discharging(now))
        return PowerLimits(charge[0], discharge[0], charge[1], discharge[1])

    def _charging(self, now: Snapshot) -> Iterator[Limit]:
        wanted = now.wanted
        if wanted.maintenance:
            yield 0.0, Because.MAINTENANCE
        if not wanted.allow_charge:
            yield 0.0, Because.CHARGE_NOT_ALLOWED
        if wanted.max_soc_pct < FULL_PCT and not now.full_charge:
            yield from self._most.limit(wanted.max_soc_pct, now, Because.MAX_SOC)
        yield wanted.max_charge_w, Because.MAX_CHARGE

    def _discharging(self, now: Snapshot) -> Iterator[Limit]:
        wanted = now.wanted
        if wanted.maintenance:
            yield 0.0, Because.MAINTENANCE
        if not wanted.allow_discharge:
            yield 0.0, Because.DISCHARGE_NOT_ALLOWED
        if wanted.ev_hold:
            yield 0.0, Because.EV_HOLD
        if wanted.min_soc_pct > EMPTY_PCT:
            yield from self._least.limit(wanted.min_soc_pct, now, Because.MIN_SOC)
        if wanted.reserve_soc_pct > EMPTY_PCT and _keeps_reserve(wanted):
            yield from self._reserve.limit(wanted.reserve_soc_pct, now, Because.RESERVE_SOC)
        yield wanted.max_discharge_w, Because.MAX_DISCHARGE


class _Bound:
    """One bound of the state of charge. sign: +1 a lower one, -1 an upper one."""

    def __init__(self, sign: float) -> None:
        self._sign = sign
        self._bound_pct: float | None = None
        self._is_reached = False

    def limit(self, bound_pct: float, now: Snapshot, because: Because) -> Iterator[Limit]:
        soc_pct = soc_pct_of(now)
        if soc_pct is None:
            yield 0.0, Because.SOC_UNKNOWN
        elif self._reached(bound_pct, soc_pct):
            yield 0.0, because

    def _reached(self, bound_pct: float, soc_pct: float) -> bool:
        room_pct = self._sign * (soc_pct - bound_pct)
        remembered = self._is_reached and bound_pct == self._bound_pct
        enough_pct = _HYSTERESIS_PCT if remembered else 0.0
        self._is_reached = not (room_pct >= enough_pct if remembered else room_pct > enough_pct)
        self._bound_pct = bound_pct
        return self._is_reached


def soc_pct_of(now: Snapshot) -> float | None:
    """State of charge of the battery, %; None = not known."""
    charge = now.condition.charge
    return None if charge is None else charge.soc * _PERCENT


def _keeps_reserve(wanted: Wanted) -> bool:
    """A person, and peaks, may use it: that is what it is for."""
    return wanted.mode is Mode.AUTO and wanted.strategy is not Strategy.PEAK_SHAVE


def _cuts_nothing(wanted: Wanted) -> bool:
    return (
        wanted.allow_charge
        and wanted.allow_discharge
        and not (wanted.ev_hold or wanted.maintenance)
        and wanted.min_soc_pct <= EMPTY_PCT
        and wanted.reserve_soc_pct <= EMPTY_PCT
        and wanted.max_soc_pct >= FULL_PCT
        and min(wanted.max_charge_w, wanted.max_discharge_w) >= NO_CAP_W
    )


def _least(limit: Limit, permitted: Iterator[Limit]) -> Limit:
    """The first of the smallest; where the battery itself allows no more, its reason stays."""
    return min(limit, *permitted, key=_watts)


def _watts(limit: Limit) -> float:
    return limit[0]
