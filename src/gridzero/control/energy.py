"""Energy and money, added up from what one tick after the other knows.

The grid's side is added up from one meter reading to the next, by the moments at which the meter
measured, with the battery's power at those same moments (control.ledger): so a step of the
battery is not taken for one of the house. The battery's side is added up from tick to tick, and
goes on without a meter. What lies between two samples further apart than a gap is unknown, and is
counted as time, never as energy. No sum runs backwards, whatever the readings say.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import NamedTuple

from gridzero.control.ledger import Ledger
from gridzero.control.meter_counter import MeterCounter
from gridzero.control.meter_watch import Verdict
from gridzero.control.score import Score
from gridzero.domain.decision import Decision
from gridzero.domain.energy import Counted, Money
from gridzero.domain.readings import MeterReading
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.domain.value import Prices

GAP_S = 10.0
_REPORT_HOLDS_S = 5.0
_BELIEVED_W = 1e6  # beyond it is no house
_S_PER_H = 3600.0
_WS_PER_KWH = 3.6e6
_NOT_BELIEVED = frozenset({Verdict.SIGN.value, Verdict.FROZEN.value})


class _Point(NamedTuple):
    """Powers at the moment of one meter reading, W; each is >= 0."""

    at_s: float
    bought_w: float
    sold_w: float
    house_w: float
    given_w: float
    surplus_w: float
    stored_w: float
    grid_stored_w: float
    made_w: float
    used_w: float


_OF_POINT = {
    Counted.HOUSE: _Point._fields.index("house_w"),
    Counted.HOUSE_FROM_BATTERY: _Point._fields.index("given_w"),
    Counted.SURPLUS: _Point._fields.index("surplus_w"),
    Counted.CHARGED_FROM_SURPLUS: _Point._fields.index("stored_w"),
    Counted.CHARGED_FROM_GRID: _Point._fields.index("grid_stored_w"),
    Counted.PRODUCED: _Point._fields.index("made_w"),
    Counted.CONSUMED: _Point._fields.index("used_w"),
}


class Energy:
    """Fed after every tick, once the score has been.

    gap_s: samples further apart say nothing about the time between them. sums: kWh and hours since
    the start, each of which only ever rises. money: ct since the start, by the prices of their
    time. grid_import, grid_export: the meter's own counters, followed.
    """

    def __init__(self, ledger: Ledger, score: Score, gap_s: float = GAP_S) -> None:
        self._ledger, self._score, self._gap_s = ledger, score, gap_s
        self.sums = dict.fromkeys(Counted, 0.0)
        self.money = dict.fromkeys(Money, 0.0)
        self.grid_import, self.grid_export = MeterCounter(), MeterCounter()
        self.knows_prices = self.knows_dc = False
        self._reading: MeterReading | None = None
        self._point: _Point | None = None
        self._counted_s: float | None = None
        self._ticked_s: float | None = None

    def update(self, now: Snapshot, decision: Decision) -> None:
        """Count the time up to now."""
        self._count_battery(now, decision)
        if self._count_grid(now, decision):
            self._take_over()

    def _take_over(self) -> None:
        """What others add up with each reading."""
        sums = self.sums
        sums[Counted.GRID_IMPORT] = self.grid_import.total_kwh
        sums[Counted.GRID_EXPORT] = self.grid_export.total_kwh
        sums[Counted.AVOIDABLE_IMPORT] = self._score.avoidable_import_ws / _WS_PER_KWH
        sums[Counted.AVOIDABLE_EXPORT] = self._score.avoidable_export_ws / _WS_PER_KWH

    def _count_battery(self, now: Snapshot, decision: Decision) -> None:
        before_s, self._ticked_s = self._ticked_s, now.now_s
        if before_s is None or not 0.0 < now.now_s - before_s <= self._gap_s:
            return
        seconds = now.now_s - before_s
        self._add(Counted.CHARGED, self._ac_w(now.chargers, now, decision), seconds)
        self._add(Counted.DISCHARGED, self._ac_w(now.inverters, now, decision), seconds)
        dc_w = _dc_w(now)
        if dc_w is not None:
            self.knows_dc = True
            self._add(Counted.DC_OUT if dc_w > 0.0 else Counted.DC_IN, abs(dc_w), seconds)

    def _ac_w(self, units: Iterable[ConverterView], now: Snapshot, decision: Decision) -> float:
        return sum(self._unit_w(unit, now.now_s, decision) for unit in units)

    def _unit_w(self, unit: ConverterView, now_s: float, decision: Decision) -> float:
        """Its own word while it is fresh; else what its commands amount to, as was learned.

        One that is known not to do what it is told, and says nothing itself, counts as nothing.
        """
        reading = unit.reading
        if reading is not None and reading.ac_w is not None and not unit.silent:
            if 0.0 <= now_s - reading.at_s <= _REPORT_HOLDS_S:
                return abs(reading.ac_w)
        elif unit.name in decision.not_following:
            return 0.0
        return self._ledger.unit_w(unit.name, now_s)

    def _count_grid(self, now: Snapshot, decision: Decision) -> bool:
        """Whether there was a new reading."""
        reading = now.meter
        if reading is None or reading is self._reading or not _can_be(reading, now.now_s):
            self._pass(now.now_s - self._gap_s, now.now_s)
            return False
        self._reading = reading
        if decision.meter_verdict in _NOT_BELIEVED:
            self._pass(reading.at_s, now.now_s)
        else:
            self._heard(reading, now)
        self._follow(reading)
        return True

    def _pass(self, until_s: float, now_s: float) -> None:
        """No reading speaks for what lies before until_s."""
        counted_s = now_s if self._counted_s is None else self._counted_s
        self._counted_s = counted_s
        if until_s > counted_s:
            self.sums[Counted.UNKNOWN] += (until_s - counted_s) / _S_PER_H
            self._counted_s, self._point = until_s, None

    def _heard(self, reading: MeterReading, now: Snapshot) -> None:
        self._pass(reading.at_s - self._gap_s, reading.at_s)
        counted_s = reading.at_s if self._counted_s is None else self._counted_s
        seconds = reading.at_s - counted_s
        if seconds < 0.0:
            return
        before, self._point = self._point, self._point_of(reading, now.pv_w)
        self._counted_s = reading.at_s
        if before is None:
            self.sums[Counted.UNKNOWN] += seconds / _S_PER_H
            return
        self.sums[Counted.KNOWN] += seconds / _S_PER_H
        self._between(before, self._point, seconds)
        if now.prices is not None:
            self._value(before, self._point, now.prices, seconds)

    def _point_of(self, reading: MeterReading, pv_w: float | None) -> _Point:
        """While nobody tells what the panels make, it is at least the surplus."""
        grid_w, at_s = reading.grid_w, reading.at_s
        given_w = _number(self._ledger.inverters_w(at_s))
        taken_w = max(0.0, given_w - _number(self._ledger.own_w(at_s)))
        net_w = grid_w + given_w - taken_w
        house_w, surplus_w = max(0.0, net_w), max(0.0, -net_w)
        stored_w, made_w = min(taken_w, surplus_w), max(_number(pv_w or 0.0), surplus_w)
        return _Point(
            at_s=at_s,
            bought_w=max(0.0, grid_w),
            sold_w=max(0.0, -grid_w),
            house_w=house_w,
            given_w=min(given_w, house_w),
            surplus_w=surplus_w,
            stored_w=stored_w,
            grid_stored_w=taken_w - stored_w,
            made_w=made_w,
            used_w=net_w + made_w,
        )

    def _between(self, before: _Point, after: _Point, seconds: float) -> None:
        """Each reading stands for half the way to its neighbours."""
        for counted, index in _OF_POINT.items():
            self._add(counted, (before[index] + after[index]) / 2.0, seconds)
        bought_w = (before.bought_w + after.bought_w) / 2.0
        sold_w = (before.sold_w + after.sold_w) / 2.0
        self.grid_import.add(bought_w * seconds / _WS_PER_KWH, after.at_s)
        self.grid_export.add(sold_w * seconds / _WS_PER_KWH, after.at_s)

    def _value(self, before: _Point, after: _Point, prices: Prices, seconds: float) -> None:
        """Money by the readings, also where the meter counts energy: prices are of a moment."""
        self.knows_prices = True
        hours = seconds / _S_PER_H / 2.0
        for point in (before, after):
            cost_ct = prices.ct_per_h(point.bought_w) * hours
            income_ct = -prices.ct_per_h(-point.sold_w) * hours
            without_ct = prices.ct_per_h(point.house_w - point.surplus_w) * hours
            self.money[Money.IMPORT_COST] += cost_ct
            self.money[Money.EXPORT_INCOME] += income_ct
            self.money[Money.SAVINGS] += without_ct - (cost_ct - income_ct)

    def _follow(self, reading: MeterReading) -> None:
        if reading.import_kwh is not None:
            self.grid_import.follow(reading.import_kwh, reading.received_at_s)
        if reading.export_kwh is not None:
            self.grid_export.follow(reading.export_kwh, reading.received_at_s)

    def _add(self, counted: Counted, power_w: float, seconds: float) -> None:
        if 0.0 <= power_w <= _BELIEVED_W:  # refuses NaN too
            self.sums[counted] += power_w * seconds / _WS_PER_KWH


def _can_be(reading: MeterReading, now_s: float) -> bool:
    known = abs(reading.grid_w) <= _BELIEVED_W and isfinite(reading.at_s)
    return known and reading.at_s <= now_s and isfinite(reading.received_at_s)


def _number(power_w: float) -> float:
    return power_w if isfinite(power_w) else 0.0


def _dc_w(now: Snapshot) -> float | None:
    """Power out of the cells, W; None without a fresh shunt and voltage."""
    view, shunt = now.battery, now.shunt
    if view is None or view.pack_v is None or shunt is None:
        return None
    fresh = 0.0 <= now.now_s - shunt.at_s <= _REPORT_HOLDS_S
    dc_w = view.pack_v * shunt.current_a
    return dc_w if fresh and isfinite(dc_w) else None
