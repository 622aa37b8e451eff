"""What an error of the grid is put down to.

The part that nobody could have covered belongs to the limit that was in the way. The rest belongs
to the first of these that was there: what an event left behind, an answer that cannot have come
yet, a rest that the law chose, an output on its way, a device in doubt.
"""

from __future__ import annotations

from typing import NamedTuple

from gridzero.control.settling import BAND_W
from gridzero.domain.causes import Cause
from gridzero.domain.decision import Decision
from gridzero.domain.modes import Mode
from gridzero.domain.readings import ConverterState
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

BY_LIMIT = {
    Because.INVERTER_MAXIMUM: Cause.INVERTER_MAXIMUM,
    Because.CHARGER_MAXIMUM: Cause.CHARGER_MAXIMUM,
    Because.CELL_HIGH: Cause.CELL_FULL,
    Because.SOC_HIGH: Cause.CELL_FULL,
    Because.CELL_FULL: Cause.CELL_FULL,
    Because.CELL_OVER: Cause.CELL_FULL,
    Because.CELL_LOW: Cause.CELL_EMPTY,
    Because.SOC_LOW: Cause.CELL_EMPTY,
    Because.CELL_EMPTY: Cause.CELL_EMPTY,
    Because.CELL_UNDER: Cause.CELL_EMPTY,
    Because.DC_WINDOW: Cause.DC_WINDOW,
    Because.TOO_HOT: Cause.TEMPERATURE,
    Because.TOO_COLD: Cause.TEMPERATURE,
    Because.CURRENT_LIMIT: Cause.CURRENT_LIMIT,
    Because.OVER_CURRENT: Cause.CURRENT_LIMIT,
    Because.RECOVERING: Cause.RECOVERING,
    Because.CHARGER_ACTIVE: Cause.ZERO_CROSS_HOLD,
    Because.MAINTENANCE: Cause.MODE,
    Because.CHARGE_NOT_ALLOWED: Cause.MODE,
    Because.DISCHARGE_NOT_ALLOWED: Cause.MODE,
    Because.EV_HOLD: Cause.MODE,
    Because.MAX_CHARGE: Cause.MODE,
    Because.MAX_DISCHARGE: Cause.MODE,
    Because.MIN_SOC: Cause.MODE,
    Because.RESERVE_SOC: Cause.MODE,
    Because.MAX_SOC: Cause.MODE,
}
"""Limits that are nobody's fault; every other one is a device that fails: HEALTH."""

_BY_CHOICE = {
    Because.METER_UNKNOWN: Cause.STALE_METER,
    Because.METER_LATE: Cause.STALE_METER,
    Because.METER_LOST: Cause.STALE_METER,
    Because.ZERO_CROSS_HOLD: Cause.ZERO_CROSS_HOLD,
    Because.KEEPING_WARM: Cause.ZERO_CROSS_HOLD,
    Because.RESTART_DWELL: Cause.ZERO_CROSS_HOLD,
    Because.CHARGER_ACTIVE: Cause.ZERO_CROSS_HOLD,
    Because.BELOW_MINIMUM: Cause.BELOW_MINIMUM,
    Because.NOT_WORTH_IT: Cause.BELOW_MINIMUM,
    Because.PERIODIC_LOAD: Cause.PERIODIC_LOAD,
    Because.RAMP: Cause.MODE,
}
_NOT_HELD = frozenset(
    {
        Because.TARGET_TOPIC,
        Because.IDENTIFYING,
        Because.FULL_CHARGE,
        Because.PEAK_RESERVE,
        Because.TARIFF_BUYS,
        Because.MAINTENANCE,
    }
)
_IN_FLIGHT_W = 15.0
_MOVES_W = 1.0
_MOST = 0.5  # what explains less than this part of an error is not its cause
_SENDING_S = 0.25  # until the next frame leaves


class Moment(NamedTuple):
    """One meter reading and what stood behind it, W.

    measured_s, heard_s: when. error_w: grid less the owner's target, of which avoidable_w could
    have been covered. needed_w: battery output that would have made it 0; own_w: what there was.
    moved_w, changed_w: how far output and load have moved since the reading before. in_flight_w:
    what sent commands still add to the output. stepped: the load has jumped. still: it rests.
    """

    measured_s: float
    heard_s: float
    error_w: float
    avoidable_w: float
    needed_w: float
    own_w: float
    moved_w: float
    changed_w: float
    in_flight_w: float
    stepped: bool
    still: bool


def holds_grid(now: Snapshot, decision: Decision) -> bool:
    """Whether the battery works for the grid's target, and for nobody else."""
    free = now.wanted.mode is Mode.AUTO and not now.full_charge
    return free and decision.because not in _NOT_HELD


def limit_cause(needed_w: float, now: Snapshot, decision: Decision) -> Cause:
    """What keeps a needed battery power out of reach: the limit of its direction."""
    if needed_w > 0:
        limit_w, because = decision.discharge_w, decision.discharge_because
        units, nobody = now.inverters, Cause.INVERTER_MAXIMUM
    else:
        limit_w, because = decision.charge_w, decision.charge_because
        units, nobody = now.chargers, Cause.CHARGER_MAXIMUM
    if abs(needed_w) <= limit_w:
        return Cause.BELOW_MINIMUM
    return BY_LIMIT.get(because, Cause.HEALTH) if units else nobody


class Attribution:
    """Remembers what a single reading cannot show: how long an answer may take."""

    def __init__(self) -> None:
        self._answer_s = float("-inf")
        self._left: Cause | None = None

    def leaves(self, cause: Cause) -> None:
        """Errors are this one's until the grid has been at its target once, or the load jumps."""
        self._left = cause

    def cause(self, moment: Moment, now: Snapshot, decision: Decision) -> Cause:
        """Of an error that could have been avoided. now, decision: in force until the reading."""
        if moment.stepped:
            self._answer_s = moment.heard_s + _SENDING_S + _dead_time_s(moment.needed_w, now)
        if moment.stepped or abs(moment.avoidable_w) < BAND_W:
            self._left = None
        if decision.because is Because.METER_WRONG:  # it is being asked: that has a price
            self._left = Cause.HEALTH
        if self._left is not None:
            return self._left
        if moment.measured_s <= self._answer_s:
            return Cause.DEAD_TIME
        if moment.still and abs(moment.avoidable_w) < BAND_W:
            return Cause.SMALL
        return _BY_CHOICE.get(decision.because) or _of_answer(moment, now, decision)


def _of_answer(moment: Moment, now: Snapshot, decision: Decision) -> Cause:
    """What was sent and has not arrived, what could not be known, and what is left."""
    error_w = moment.avoidable_w
    if _explains(decision.battery_w - moment.own_w, error_w):
        if error_w < 0 and _starting(now):
            return Cause.STARTING
        if moment.moved_w * error_w > 0 and abs(moment.moved_w) > _MOVES_W:
            return Cause.SLEW
        if moment.in_flight_w * error_w > 0 and abs(moment.in_flight_w) > _IN_FLIGHT_W:
            return Cause.DEAD_TIME
    if _explains(moment.changed_w, error_w):
        return Cause.DEAD_TIME
    if decision.because is Because.NOT_FOLLOWING or decision.suspects:
        return Cause.HEALTH
    return Cause.SMALL if abs(error_w) < BAND_W else Cause.UNEXPLAINED


def _explains(part_w: float, error_w: float) -> bool:
    return part_w * error_w > 0 and abs(part_w) >= _MOST * abs(error_w)


def _dead_time_s(needed_w: float, now: Snapshot) -> float:
    units = now.inverters if needed_w > 0 else now.chargers
    return max((unit.spec.dynamics.dead_time_s for unit in units), default=0.0)


def _starting(now: Snapshot) -> bool:
    return any(unit.state is ConverterState.STARTING for unit in now.chargers)
