"""One tick: observe, wish, hold, guard, dispatch. Each decision carries its because."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.control.dispatch import Dispatcher, Split
from gridzero.control.follow import FollowWatch
from gridzero.control.guard import PowerLimits, guard, meter_factor, power_limits
from gridzero.control.ledger import Ledger
from gridzero.control.meter_watch import MeterWatch, Verdict
from gridzero.control.observer import NetLoadObserver
from gridzero.control.over_current import OverCurrent
from gridzero.control.rogue_charge import RogueCharge
from gridzero.control.switches import ALL_ON, Switches
from gridzero.control.trim import Trim
from gridzero.control.zero_cross import ZeroCrossHold
from gridzero.domain.decision import Decision, Wish
from gridzero.domain.modes import Mode
from gridzero.domain.readings import MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

_FIXED = {
    Mode.CHARGE: (-1.0, Because.MODE_CHARGE),
    Mode.DISCHARGE: (1.0, Because.MODE_DISCHARGE),
    Mode.HOLD: (0.0, Because.MODE_HOLD),
    Mode.OFF: (0.0, Because.MODE_OFF),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What the owner may set; the defaults suit the devices that the drivers know.

    stored_value: see control.wake; None = energy alone decides whether a start pays.
    """

    filter: float = 0.5
    meter_hold_s: float = 1.5
    meter_lost_s: float = 10.0
    zero_cross_hold_s: float = 6.0
    min_charge_w: float = 150.0
    min_discharge_w: float = 30.0
    stored_value: float | None = None


class Controller:
    """Holds the grid at its target. Call observe() for each new meter reading, tick() often."""

    def __init__(self, tuning: Tuning, ledger: Ledger, switches: Switches = ALL_ON) -> None:
        self._tuning, self._switches = tuning, switches
        self._ledger = ledger
        self._observer = NetLoadObserver(tuning.filter)
        self._trim = Trim()
        self._hold = ZeroCrossHold(tuning.zero_cross_hold_s)
        self._dispatcher = Dispatcher(
            tuning.min_charge_w,
            tuning.min_discharge_w,
            output=ledger.unit_w,
            stored_value=tuning.stored_value,
        )
        self._over_current = OverCurrent()
        self._follow = FollowWatch()
        self._rogue_charge = RogueCharge()
        self._meter_watch = MeterWatch()
        self._observed: MeterReading | None = None

    def tick(self, now: Snapshot) -> Decision:
        """Decide for this moment; a meter reading that was not seen yet is observed first."""
        self._follow.update(now, self._ledger)
        if now.meter is not None and now.meter is not self._observed:
            self._observe(now.meter, now.wanted.target_w)
        limits = power_limits(
            now,
            over_current=self._over_current.update(now),
            rogue_charge=self._rogue_charge.update(now, self._ledger.inverters_w(now.now_s)),
            usable=self._dispatcher.usable(now),
        )
        wish = self._wish(now)
        allowed_w, because = self._allow(wish, now, limits)
        split = self._dispatcher.split(allowed_w, now)
        self._hold.ran(split.total_w, now.now_s)
        if wish.battery_w * (wish.battery_w - split.total_w) > 0:
            self._trim.back_calculate(wish.battery_w - split.total_w)
        return Decision(
            at_s=now.now_s,
            battery_w=split.total_w,
            because=self._because(split, because, wish),
            not_following=self._follow.failing,
            meter_verdict=self._meter_watch.verdict(now.now_s).value,
            wish_w=wish.battery_w,
            net_load_w=self._observer.net_load_w,
            charge_w=limits.charge_w,
            discharge_w=limits.discharge_w,
            charge_because=limits.charge_because,
            discharge_because=limits.discharge_because,
            units=split.units,
            work=split.work,
        )

    def _because(self, split: Split, cut: Because | None, wish: Wish) -> Because:
        if self._follow.failing and split.total_w > 0:
            return Because.NOT_FOLLOWING
        if split.because is Because.BELOW_MINIMUM and cut is not None:
            return cut  # it is the limit that left too little to hold
        return split.because or cut or wish.because

    def _observe(self, reading: MeterReading, target_w: float) -> None:
        before, self._observed = self._observed, reading
        gap_s = reading.received_at_s - before.received_at_s if before else 0.0
        if gap_s > self._tuning.meter_lost_s:
            self._observer.forget()
        own_w = self._ledger.own_w(reading.at_s)
        self._meter_watch.update(reading.received_at_s, reading.grid_w, own_w)
        self._observer.update(reading.grid_w, own_w)
        in_flight_w = self._ledger.final_w() - own_w
        if self._switches.trim:
            self._trim.update(reading.grid_w - target_w, in_flight_w, gap_s)

    def _wish(self, now: Snapshot) -> Wish:
        """The goal, before any limit."""
        if now.wanted.mode is not Mode.AUTO:
            self._trim.reset()
            sign, because = _FIXED[now.wanted.mode]
            return Wish(battery_w=sign * now.wanted.power_w, because=because)
        if now.target_until_s is not None and now.now_s <= now.target_until_s:
            self._trim.reset()
            return Wish(battery_w=-now.target_charge_w, because=Because.TARGET_TOPIC)
        return self._follow_meter(now)

    def _follow_meter(self, now: Snapshot) -> Wish:
        factor, late = meter_factor(
            now.meter_age_s, self._tuning.meter_hold_s, self._tuning.meter_lost_s
        )
        if self._meter_watch.verdict(now.now_s) is not Verdict.GOOD:
            return Wish(battery_w=0.0, because=Because.METER_WRONG)
        net_load_w = self._observer.net_load_w
        if net_load_w is None or factor <= 0:
            return Wish(battery_w=0.0, because=late)
        wish_w = factor * (net_load_w - now.wanted.target_w + self._trim.value_w)
        because = Because.COVERING_LOAD if wish_w > 0 else Because.STORING_SURPLUS
        if abs(wish_w) < 1:
            because = Because.BALANCED
        return Wish(battery_w=wish_w, because=because if factor >= 1 else late)

    def _allow(
        self, wish: Wish, now: Snapshot, limits: PowerLimits
    ) -> tuple[float, Because | None]:
        if not self._switches.zero_cross_hold:
            return guard(wish.battery_w, limits)
        held_w = self._hold.allow(wish.battery_w, now.now_s)
        if held_w == 0 and wish.battery_w != 0:
            return 0.0, Because.ZERO_CROSS_HOLD
        return guard(held_w, limits)
