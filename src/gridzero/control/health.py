"""Whether meter, inverters and chargers do what they should, and what must be left out.

Three kinds of evidence, the best that there is for each unit: its own telemetry; the battery
shunt, when it can only mean this unit; a witness (shunt or meter) together with a step test. A
unit that is out is told 0, so the ledger counts it as nothing and nothing can wind up on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gridzero.control.ledger import Ledger
from gridzero.control.meter_watch import MeterWatch, Verdict
from gridzero.control.reading_order import ReadingOrder
from gridzero.control.shunt_sum import ShuntSum
from gridzero.control.step_test import LEAST_W, Seen
from gridzero.control.unit_health import State, UnitHealth
from gridzero.domain.modes import Mode
from gridzero.domain.plan import Aim
from gridzero.domain.readings import MeterReading
from gridzero.domain.snapshot import ConverterView, Snapshot

_FRESH_S = 5.0
_INVERTER_SLACK_S, _CHARGER_SLACK_S = 2.0, 5.0
_FULL_V = 0.3  # near its voltage limit a charger gives less by right
_STILL = 4
_REPORT, _SHUNT, _METER = "its own report", "the shunt", "the meter"


class Health:
    """Call reading() for each new meter reading, update() at each tick.

    out: names that must not be used now (a unit under test among them). suspects: names.
    told: names of units that people should hear of, with the case in words. most_w: the most
    that a unit may be told while it is asked by routine, W by name.
    """

    def __init__(self) -> None:
        self.out: frozenset[str] = frozenset()
        self.suspects: tuple[str, ...] = ()
        self.told: dict[str, str] = {}
        self.most_w: dict[str, float] = {}
        self._meter = MeterWatch()
        self._order = ReadingOrder()
        self._shunt = ShuntSum()
        self._units: dict[str, UnitHealth] = {}
        self._telemetry_s: dict[str, float] = {}
        self._by_meter: frozenset[str] = frozenset()
        self._try_w: dict[str, float] = {}

    def verdict(self, now_s: float) -> Verdict:
        """What is known of the meter."""
        return self._meter.verdict(now_s)

    @property
    def tries(self) -> Mapping[str, float]:
        """What to ask of units that are out, W, to see whether they are back: one at a time."""
        return self._try_w

    @property
    def failed(self) -> list[str]:
        """Names of units that give nothing."""
        return [unit.name for unit in self._units.values() if unit.state is State.OUT]

    def excuse(self, names: Iterable[str], now_s: float) -> None:
        """These give nothing by right: others leave them out, and nobody is to hear of it."""
        for name in names:
            self._units[name].excuse()
            self._conclude(now_s)

    def hinders(self, wish_w: float) -> bool:
        """Whether the wish, W, > 0 discharge, meets a unit that does not follow."""
        if wish_w == 0 or not (self.out or self.told):
            return False
        troubled = (self._units[name] for name in self.out | self.told.keys())
        return any(unit.inverts is (wish_w > 0) for unit in troubled)

    def is_news(self, reading: MeterReading) -> bool:
        """False for a reading that was counted before or is older than the last."""
        return self._order.is_news(reading)

    def reading(self, reading: MeterReading, now: Snapshot, ledger: Ledger, aim: Aim) -> None:
        """One new meter reading. aim: what the grid was to be."""
        own_w = ledger.own_w(reading.at_s)
        may_test = now.wanted.mode is Mode.AUTO and not self._in_test()
        self._meter.update(reading.received_at_s, reading.grid_w, own_w, may_test=may_test)
        if self._meter.verdict(now.now_s) is not Verdict.GOOD:
            for name in self._by_meter:
                self._units[name].let_go()
        elif self._meter.repeats < _STILL:  # else it may be frozen, and nothing can be said
            held = now.wanted.mode is Mode.AUTO
            error_w = reading.grid_w - aim.nearest(reading.grid_w + own_w) if held else None
            self._look_at_meter(reading, own_w, error_w, ledger)
            self._conclude(now.now_s)

    def update(self, now: Snapshot, ledger: Ledger) -> None:
        """Look at one snapshot; where nothing can be said, nothing changes."""
        if not self._units:
            self._units = _units(now)
        unseen = frozenset(self._look_at_telemetry(now, ledger))
        by_shunt = self._look_at_shunt(unseen, now, ledger)
        self._by_meter = frozenset() if by_shunt else unseen
        for name, unit in self._units.items():
            if unit.state is not State.GOOD:
                unit.tick(now.now_s, ledger.promised_w(name, now.now_s))
        self._conclude(now.now_s)

    # --- evidence -----------------------------------------------------------------------------

    def _look_at_telemetry(self, now: Snapshot, ledger: Ledger) -> Iterable[str]:
        """Judge who reports; returns the inverters that do not."""
        for view in now.inverters:
            if not self._judge_report(view, now.now_s, _INVERTER_SLACK_S, ledger):
                yield view.name
        for view in now.chargers:
            if not view.silent and not _is_full(view, now):
                self._judge_report(view, now.now_s, _CHARGER_SLACK_S, ledger)

    def _judge_report(
        self, view: ConverterView, now_s: float, slack_s: float, ledger: Ledger
    ) -> bool:
        reading = view.reading
        if reading is None or reading.ac_w is None or not now_s - reading.at_s <= 3 * _FRESH_S:
            return False
        if reading.at_s > self._telemetry_s.get(view.name, float("-inf")):
            self._telemetry_s[view.name] = reading.at_s
            promised_w = least_promised_w(ledger, view.name, reading.at_s, slack_s)
            unit = self._units[view.name]
            unit.measured(reading.at_s, promised_w, abs(reading.ac_w), _REPORT)
        return True

    def _look_at_shunt(self, names: frozenset[str], now: Snapshot, ledger: Ledger) -> bool:
        """Judge by the battery current; returns whether it says anything."""
        if not names:
            return True
        partial = any(u.words and u.state is State.SUSPECT for u in self._units.values())
        total = self._shunt.update(now, ledger, correct=not partial)
        if total is None:
            return self._shunt.is_speaking
        units = [self._units[view.name] for view in now.inverters]
        active = [unit for unit in units if total.promised_w[unit.name] >= LEAST_W]
        if len(active) == 1 and total.rest_w(active[0].name) < LEAST_W:
            one = active[0]
            one.measured(total.at_s, total.promised_w[one.name], total.given_w, _SHUNT)
        elif not total.is_short or total.is_nothing:
            for unit in active:
                promised_w = total.promised_w[unit.name]
                given_w = 0.0 if total.is_nothing else promised_w
                if not unit.in_test and unit.state is not State.OUT:
                    unit.measured(total.at_s, promised_w, given_w, _SHUNT)
        self._find_who(units, ledger)
        return True

    def _find_who(self, units: list[UnitHealth], ledger: Ledger) -> None:
        """Several units share the shunt: the likeliest is asked first, one at a time."""
        total = self._shunt.newest
        if total is None or len(units) < 2:
            return
        likely = None
        if total.lasts_s >= 4.0 and not self._in_test():
            used = [unit for unit in units if unit.state is not State.OUT]
            likely = min(used, key=lambda unit: total.unlikeness_w(unit.name), default=None)
        for unit in units:
            promised_w = ledger.promised_w(unit.name, total.at_s)
            others_w = total.now_w - promised_w
            look = Seen(total.at_s, total.given_w - others_w, promised_w)
            unit.witnessed(look, _SHUNT, suspicious=unit is likely)

    def _look_at_meter(
        self, reading: MeterReading, own_w: float, error_w: float | None, ledger: Ledger
    ) -> None:
        for name in sorted(self._by_meter):
            unit = self._units[name]
            promised_w = ledger.promised_w(name, reading.at_s)
            load_w = reading.grid_w + own_w - ledger.unit_w(name, reading.at_s)
            suspicious = unit.unseen.update(reading.at_s, load_w, promised_w, error_w)
            may_ask = suspicious and not self._in_test()
            look = Seen(reading.at_s, -load_w, promised_w)
            unit.witnessed(look, _METER, suspicious=may_ask)
            if unit.followed_s == reading.at_s:
                self._meter.vouched_for(reading.received_at_s)

    def _in_test(self) -> bool:
        return any(unit.in_test for unit in self._units.values())

    # --- conclusions --------------------------------------------------------------------------

    def _conclude(self, now_s: float) -> None:
        units = [unit for unit in self._units.values() if unit.state is not State.GOOD]
        if not (units or self.out or self.suspects or self.told or self.most_w):
            return  # as nearly always
        failed = frozenset(unit.name for unit in units if unit.state is State.OUT)
        self.out = failed | {unit.name for unit in units if unit.is_held(now_s)}
        self.suspects = tuple(unit.name for unit in units if unit.state is State.SUSPECT)
        self.told = {unit.name: unit.words for unit in units if unit.words}
        self.most_w = {u.name: u.eased_to_w for u in units if u.eased_to_w is not None}
        due = [unit for unit in units if unit.try_w(now_s) > 0]
        self._try_w = {unit.name: unit.try_w(now_s) for unit in due[:1]}


def least_promised_w(ledger: Ledger, name: str, at_s: float, slack_s: float) -> float:
    """The least of what a unit was to give at at_s and shortly before: its slew may be slower."""
    return min(
        ledger.promised_w(name, at_s - slack_s),
        ledger.promised_w(name, at_s - 0.5 * slack_s),
        ledger.promised_w(name, at_s),
    )


def _units(now: Snapshot) -> dict[str, UnitHealth]:
    found = [UnitHealth(view, inverts=True) for view in now.inverters]
    found += [UnitHealth(view, inverts=False) for view in now.chargers]
    return {unit.name: unit for unit in found}


def _is_full(view: ConverterView, now: Snapshot) -> bool:
    volts = view.reading.dc_v if view.reading else None
    return volts is not None and now.limits is not None and volts >= now.limits.max_v - _FULL_V
