"""How well the grid is held, live: the bench's figures over the last hour and day.

A meter reading stands for the time since the one before it, longest_s at most; what is beyond, and
what a meter says that is not believed, is counted as unknown, never as an error of 0. Everything
is monotonic time and bounded memory, costs the same at each reading, and begins anew with the
process.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridzero.control.attribution import Attribution, Moment, holds_grid, limit_cause
from gridzero.control.avoidable import Reach, avoidable_w, out_of_reach_w
from gridzero.control.ledger import Ledger
from gridzero.control.load_steps import LoadSteps
from gridzero.control.meter_watch import Verdict
from gridzero.control.minute_ring import MinuteRing
from gridzero.control.score_figures import COLUMNS, Figures, figures
from gridzero.control.settling import Settling
from gridzero.domain.causes import Cause
from gridzero.domain.decision import Decision
from gridzero.domain.readings import MeterReading
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.domain.value import REFERENCE, Prices

HOUR_MIN, DAY_MIN = 60, 1440
_GIVES_UP_S = 60.0
_TELLS_S = 20.0  # a step that is overtaken sooner by the next one says nothing
_S_PER_H = 3600.0
_BELIEVED_W = 1e6  # beyond it is no house
_NOT_BELIEVED = frozenset({Verdict.SIGN.value, Verdict.FROZEN.value})


class Score:
    """Fed after every tick; asked for figures now and then.

    ledger: what the converters gave. longest_s: how long one reading may stand for the grid.
    tariff: what errors cost from now on. avoidable_import_ws, avoidable_export_ws: as import_wh
    and export_wh of the figures, since the start.
    """

    def __init__(self, ledger: Ledger, longest_s: float, tariff: Prices = REFERENCE) -> None:
        self.tariff = tariff
        self._ledger, self._longest_s = ledger, longest_s
        self._ring = MinuteRing(COLUMNS, DAY_MIN)
        self._load, self._attribution = LoadSteps(), Attribution()
        self._settling: Settling | None = None
        self._reading: MeterReading | None = None
        self._counted_s: float | None = None
        self._in_force: tuple[Snapshot, Decision] | None = None
        self._units: Mapping[str, float] = {}
        self.avoidable_import_ws = self.avoidable_export_ws = 0.0

    def figures(self, minutes: int) -> Figures:
        """Of so many minutes, this one included; 1 to 1440."""
        return figures(self._ring, minutes)

    def count_for(self, longest_s: float) -> None:
        """How long a reading speaks from now on, s."""
        self._longest_s = longest_s

    def update(self, now: Snapshot, decision: Decision) -> None:
        """Count the time up to now; decision is in force from now on."""
        self._ring.turn(now.now_s)
        counted_s = now.now_s if self._counted_s is None else self._counted_s
        self._counted_s = min(counted_s, now.now_s)  # should a clock ever go back
        self._count_starts(decision.units)
        reading = now.meter
        if decision.meter_verdict in _NOT_BELIEVED:
            self._pass(now.now_s, Cause.HEALTH)
        elif reading is not None and reading is not self._reading and _is_a_number(reading):
            self._reading = reading
            self._heard(reading, *(self._in_force or (now, decision)))
        else:
            self._pass(now.now_s - self._longest_s)
        self._in_force = now, decision

    def _pass(self, until_s: float, leaves: Cause = Cause.STALE_METER) -> None:
        """No reading speaks for what lies before until_s."""
        if self._counted_s is not None and until_s > self._counted_s:
            self._ring.add("unknown_s", until_s - self._counted_s)
            self._counted_s = until_s
            self._load.forget()
            self._settling = None
            self._attribution.leaves(leaves)

    def _heard(self, reading: MeterReading, now: Snapshot, decision: Decision) -> None:
        self._pass(reading.received_at_s - self._longest_s)
        counted_s = reading.received_at_s if self._counted_s is None else self._counted_s
        seconds = max(0.0, reading.received_at_s - counted_s)
        self._counted_s = counted_s + seconds
        moment = self._moment(reading, now, decision, seconds)
        self._count_always(reading.grid_w, moment, seconds)
        if holds_grid(now, decision):
            self._count_held(moment, now, decision, seconds)
        else:
            self._settling = None
            self._attribution.leaves(Cause.MODE)
            self._ring.add(Cause.MODE, abs(moment.error_w) * seconds)

    def _moment(
        self, reading: MeterReading, now: Snapshot, decision: Decision, seconds: float
    ) -> Moment:
        own_w = self._ledger.own_w(reading.at_s)
        self._load.update(reading.grid_w + own_w, own_w, seconds)
        error_w = reading.grid_w - _target_w(reading.grid_w + own_w, now, decision)
        needed_w = error_w + own_w
        return Moment(
            measured_s=reading.at_s,
            heard_s=reading.received_at_s,
            error_w=error_w,
            avoidable_w=avoidable_w(error_w, out_of_reach_w(needed_w, _reach(now, decision))),
            needed_w=needed_w,
            own_w=own_w,
            moved_w=self._load.moved_w,
            changed_w=self._load.changed_w,
            in_flight_w=self._ledger.final_w() - own_w,
            stepped=self._load.stepped,
            still=self._load.still,
        )

    def _count_always(self, grid_w: float, moment: Moment, seconds: float) -> None:
        add = self._ring.add
        add("known_s", seconds)
        add("error_ws", abs(moment.error_w) * seconds)
        add("bought_ws" if grid_w > 0 else "sold_ws", abs(grid_w) * seconds)
        add("travel_w", abs(moment.moved_w))

    def _count_held(
        self, moment: Moment, now: Snapshot, decision: Decision, seconds: float
    ) -> None:
        add, error_w = self._ring.add, moment.avoidable_w
        add("held_s", seconds)
        add("square_w2s", error_w * error_w * seconds)
        self._count_avoidable(error_w * seconds)
        add("regret_ct", self.tariff.ct_per_h(error_w) * seconds / _S_PER_H)
        add(self._attribution.cause(moment, now, decision), abs(error_w) * seconds)
        missed_w = abs(moment.error_w) - abs(error_w)
        if missed_w > 0:
            add("limited_s", seconds)
            add("limited_ws", missed_w * seconds)
            add(limit_cause(moment.needed_w, now, decision), missed_w * seconds)
        if moment.still:
            add("still_s", seconds)
            add("still_ws", abs(error_w) * seconds)
        self._settle(moment, seconds)

    def _count_avoidable(self, error_ws: float) -> None:
        if error_ws > 0:
            self._ring.add("import_ws", error_ws)
            self.avoidable_import_ws += error_ws
        else:
            self._ring.add("export_ws", -error_ws)
            self.avoidable_export_ws -= error_ws

    def _settle(self, moment: Moment, seconds: float) -> None:
        if moment.stepped:
            self._overtake()
        if self._settling is None:
            return
        took_s = self._settling.update(moment.avoidable_w, seconds)
        if took_s is not None:
            self._settling = None
            if took_s > 0.0:  # else the error never left its band
                self._count_step(took_s)
        elif self._settling.lasted_s >= _GIVES_UP_S:
            self._give_up(self._settling.lasted_s)

    def _overtake(self) -> None:
        """A step that did not settle before the next one counts if it had the time to."""
        if self._settling is not None and self._settling.lasted_s >= _TELLS_S:
            self._give_up(self._settling.lasted_s)
        self._settling = Settling()

    def _give_up(self, lasted_s: float) -> None:
        self._settling = None
        self._ring.add("unsettled", 1.0)
        self._count_step(lasted_s)

    def _count_step(self, took_s: float) -> None:
        self._ring.add("steps", 1.0)
        self._ring.add("settle_s", took_s)
        self._ring.rise("settle_max_s", took_s)

    def _count_starts(self, units: Mapping[str, float]) -> None:
        before, self._units = self._units, units
        for name, power_w in units.items():
            if power_w > 0 and not before.get(name, 0.0) > 0:
                self._ring.add("starts", 1.0)


def _is_a_number(reading: MeterReading) -> bool:
    return abs(reading.grid_w) <= _BELIEVED_W


def _target_w(net_load_w: float, now: Snapshot, decision: Decision) -> float:
    """What the grid should have been."""
    return now.wanted.target_w if decision.aim is None else decision.aim.nearest(net_load_w)


def _reach(now: Snapshot, decision: Decision) -> Reach:
    """Limits of this moment; one that is below what the converters can hold is none at all."""
    least_discharge_w = _least_w(now.inverters)
    least_charge_w = _least_w(now.chargers)
    able = decision.discharge_w >= least_discharge_w, decision.charge_w >= least_charge_w
    return Reach(
        most_w=max(0.0, decision.discharge_w) if able[0] else 0.0,
        least_w=min(0.0, -decision.charge_w) if able[1] else 0.0,
        least_discharge_w=least_discharge_w,
        least_charge_w=least_charge_w,
    )


def _least_w(units: tuple[ConverterView, ...]) -> float:
    return min((unit.spec.min_w for unit in units if not unit.silent), default=0.0)
