"""One tick: observe, wish, weigh, guard, dispatch. Each decision carries its because."""

from __future__ import annotations

from gridzero.control.dispatch import Dispatcher, Split
from gridzero.control.gains import as_they_are, commands_for
from gridzero.control.grid_wish import FREE, GridWish
from gridzero.control.guard import PowerLimits, guard, power_limits
from gridzero.control.health import Health
from gridzero.control.identification import Identification
from gridzero.control.ledger import Ledger
from gridzero.control.meter_watch import Verdict
from gridzero.control.over_current import OverCurrent
from gridzero.control.permits import Permits
from gridzero.control.probe import Probe
from gridzero.control.ramp import Ramp
from gridzero.control.retry import split_with_try
from gridzero.control.rogue_charge import RogueCharge
from gridzero.control.starts import Starts
from gridzero.control.strategy import Course, Strategist, self_use
from gridzero.control.switches import ALL_ON, Switches
from gridzero.control.telemetry import LastGood
from gridzero.control.tuning import Tuning
from gridzero.control.usable import Usable
from gridzero.control.value import stored_value
from gridzero.domain.decision import Decision, Wish
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.plan import Plan
from gridzero.domain.readings import MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

_FIXED = {
    Mode.DISCHARGE: (1.0, Because.MODE_DISCHARGE),
    Mode.HOLD: (0.0, Because.MODE_HOLD),
    Mode.OFF: (0.0, Because.MODE_OFF),
}
_BUYS = {
    Plan.PEAK_RESERVE: Because.PEAK_RESERVE,
    Plan.TARIFF_BUYS: Because.TARIFF_BUYS,
}


class Controller:
    """Holds the grid at its target. Call tick() for each new meter reading, and often between."""

    def __init__(
        self,
        tuning: Tuning,
        ledger: Ledger,
        switches: Switches = ALL_ON,
        identification: Identification | None = None,
        probe: Probe | None = None,
    ) -> None:
        """identification, probe: learn the converters, and test them when asked; None = never."""
        self._tuning, self._switches, self._ledger = tuning, switches, ledger
        self._identification = identification if switches.identify else None
        self._probe = probe
        self._grid = GridWish(tuning, switches)
        self._starts = Starts(ledger, switches, tuning.min_charge_w)
        self._dispatcher = Dispatcher(
            tuning.min_charge_w,
            tuning.min_discharge_w,
            output=ledger.unit_w,
            stored_value=tuning.stored_value,
        )
        self._last_good = LastGood()
        self._health = Health()
        self._over_current, self._rogue_charge = OverCurrent(), RogueCharge()
        self._permits, self._ramp, self._strategist = Permits(), Ramp(), Strategist()
        self._course = Course(self_use(Wanted()), Plan.SELF_USE)
        self._observed: MeterReading | None = None

    def retune(self, tuning: Tuning) -> None:
        """Other numbers from the next tick on; what was observed and learned stays."""
        self._tuning = tuning
        self._grid.retune(tuning)
        self._starts.retune(tuning.min_charge_w)
        self._dispatcher.start_above(tuning.min_charge_w, tuning.min_discharge_w)
        self._dispatcher.value_stored(tuning.stored_value)

    def tick(self, now: Snapshot) -> Decision:
        """Decide for this moment; a meter reading that was not seen yet is observed first."""
        now = self._last_good.of(now)
        self._health.update(now, self._ledger)
        self._value(now)
        self._steer(now)
        if now.meter is not None and now.meter is not self._observed:
            self._observe(now.meter, now)
            self._steer(now)
        elif self._identification is not None:
            self._identification.idle()
        self._excuse_the_stopped(now)
        told, now = now, as_they_are(now, self._ledger)
        usable = self._dispatcher.usable(now, self._health.out - self._health.tries.keys())
        limits = self._limits(now, usable)
        wish = self._wish(now, usable)
        if self._probe is not None:
            wish, now = self._probe.overlay(wish, now, limits)
        allowed_w, cut = self._allow(wish, now, limits)
        split = self._split(wish, allowed_w, now)
        return self._decision(
            now, wish, limits, split, cut, commands_for(split.units, told, self._ledger)
        )

    def _excuse_the_stopped(self, now: Snapshot) -> None:
        """A unit that has stopped at its own lowest voltage is left out, not accused."""
        if failed := self._health.failed:
            self._health.excuse(self._dispatcher.stopped(now, failed), now.now_s)

    def _decision(
        self,
        now: Snapshot,
        wish: Wish,
        limits: PowerLimits,
        split: Split,
        cut: Because | None,
        commands_w: dict[str, float],
    ) -> Decision:
        return Decision(
            at_s=now.now_s,
            battery_w=split.total_w,
            because=self._because(split, cut, wish, now),
            not_following=self._health.told,
            suspects=self._health.suspects,
            meter_verdict=self._health.verdict(now.now_s).value,
            wish_w=wish.battery_w,
            net_load_w=self._grid.net_load_w,
            charge_w=limits.charge_w,
            discharge_w=limits.discharge_w,
            charge_because=limits.charge_because,
            discharge_because=limits.discharge_because,
            units=commands_w,
            work=split.work,
            bias_w=self._grid.bias_w,
            bias_because=self._grid.lean,
            plan=self._course.plan,
            aim=self._course.aim,
            may_charge=self._permits.may_charge,
        )

    def _because(self, split: Split, cut: Because | None, wish: Wish, now: Snapshot) -> Because:
        if self._health.hinders(wish.battery_w):
            return _refused_by_battery(wish.battery_w, now) or Because.NOT_FOLLOWING
        if split.because is Because.BELOW_MINIMUM and cut is not None:
            return cut  # it is the limit that left too little to hold
        return split.because or cut or wish.because

    def _value(self, now: Snapshot) -> None:
        """Take note of what energy is worth."""
        self._grid.aim(now)
        if self._switches.value and self._tuning.stored_value is None:
            self._dispatcher.value_stored(stored_value(now.prices, now.outlook))

    def _steer(self, now: Snapshot) -> None:
        """What mode auto is to hold."""
        fresh = now.meter_age_s <= self._tuning.meter_hold_s
        self._course = self._strategist.course(now, self._grid.net_load_w if fresh else None)

    def _observe(self, reading: MeterReading, now: Snapshot) -> None:
        before, self._observed = self._observed, reading
        if not self._health.is_news(reading):
            return
        gap_s = reading.received_at_s - before.received_at_s if before else 0.0
        self._health.reading(reading, now, self._ledger, self._course.aim)
        own_w = self._ledger.own_w(self._measured_s(reading))
        in_flight_w = self._ledger.final_w() - own_w
        self._grid.observe(reading, own_w, in_flight_w, gap_s, self._course.aim)
        if self._identification is not None:
            self._identification.metered(
                reading.at_s, reading.grid_w, trusted=self._is_trusted(reading)
            )

    def _measured_s(self, reading: MeterReading) -> float:
        """When it was true; with alignment switched off, when it came."""
        return reading.at_s if self._switches.align else reading.received_at_s

    def _is_trusted(self, reading: MeterReading) -> bool:
        """Whether meter and inverters do what they should, so that there is something to learn."""
        verdict = self._health.verdict(reading.received_at_s)
        return verdict is Verdict.GOOD and not self._health.suspects and not self._health.out

    def _limits(self, now: Snapshot, usable: Usable) -> PowerLimits:
        limits = power_limits(
            now,
            over_current=self._over_current.update(now),
            rogue_charge=self._rogue_charge.update(now, self._ledger.inverters_w(now.now_s)),
            usable=usable,
        )
        return self._permits.within(limits, now)

    def _wish(self, now: Snapshot, usable: Usable) -> Wish:
        """The goal, before any limit."""
        wanted = now.wanted
        if wanted.maintenance:
            self._grid.rest()
            return Wish(battery_w=0.0, because=Because.MAINTENANCE)
        if wanted.mode is Mode.CHARGE:
            return self._charge(wanted.power_w, Because.MODE_CHARGE, now, usable)
        if wanted.mode is not Mode.AUTO:
            self._grid.rest()
            sign, because = _FIXED[wanted.mode]
            return Wish(battery_w=sign * wanted.power_w, because=because)
        if now.full_charge:
            most_w = sum(unit.spec.max_w for unit in now.chargers)
            return self._charge(most_w, Because.FULL_CHARGE, now, usable)
        if now.target_until_s is not None and now.now_s <= now.target_until_s:
            return self._charge(now.target_charge_w, Because.TARGET_TOPIC, now, usable)
        if self._course.buy_w > 0.0:
            self._grid.rest()
            return Wish(battery_w=-self._course.buy_w, because=_BUYS[self._course.plan])
        return self._hold(now, usable)

    def _charge(self, power_w: float, because: Because, now: Snapshot, usable: Usable) -> Wish:
        """Charge with so much; without leave to buy no more than the surplus."""
        if now.wanted.allow_grid_charge:
            self._grid.rest()
            return Wish(battery_w=-power_w, because=because)
        surplus = self._hold(now, usable)
        if -power_w <= surplus.battery_w < 0.0:
            return surplus
        self._grid.rest()
        if surplus.battery_w < 0.0:
            return Wish(battery_w=-power_w, because=because)
        free = surplus.because in FREE
        return Wish(
            battery_w=0.0, because=Because.GRID_CHARGE_NOT_ALLOWED if free else surplus.because
        )

    def _hold(self, now: Snapshot, usable: Usable) -> Wish:
        """What brings the grid to its aim, if the meter is to be believed."""
        verdict = self._health.verdict(now.now_s)
        if verdict is not Verdict.GOOD:
            rests_w = self._starts.idling_w(usable) if verdict is Verdict.TESTING else 0.0
            return Wish(battery_w=rests_w, because=Because.METER_WRONG)
        return self._grid.wish(now, usable, self._course.aim)

    def _allow(
        self, wish: Wish, now: Snapshot, limits: PowerLimits
    ) -> tuple[float, Because | None]:
        held_w, why = wish.battery_w, None
        if wish.because in FREE:
            held_w, why = self._starts.allow(held_w, now)
            if held_w == wish.battery_w == 0.0:
                why = None  # nothing is held back of nothing
        guarded_w, cut = guard(held_w, limits)
        # a test of converters lives from its steps
        per_s = 0.0 if wish.because is Because.IDENTIFYING else now.wanted.ramp_w_per_s
        ramped_w, slow = self._ramp.allow(guarded_w, now.now_s, per_s)
        return ramped_w, slow or cut or why

    def _split(self, wish: Wish, allowed_w: float, now: Snapshot) -> Split:
        """Shares of all converters, after everything that may still shorten them."""
        split = split_with_try(self._dispatcher, allowed_w, now, self._health)
        if self._probe is not None:
            self._probe.ran(split.units, now.now_s)
        if wish.because is Because.IDENTIFYING:
            self._grid.rest()
        else:
            self._grid.decided(wish, split.total_w)
            split = self._starts.cut_short(split, now, self._grid.doubt)
        self._grid.ended(wish, split.total_w)
        self._starts.ran(split, now.now_s)
        return split


def _refused_by_battery(wish_w: float, now: Snapshot) -> Because | None:
    """Why the battery itself would bear nothing in this direction, None if it would."""
    limits = now.limits
    if limits is None or now.blocked is not None:
        return now.blocked
    if wish_w < 0.0:
        return None if limits.charge_a > 0.0 else limits.charge_because
    return None if limits.discharge_a > 0.0 else limits.discharge_because
