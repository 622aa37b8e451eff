"""One tick: observe, wish, hold, guard, dispatch. Each decision carries its because."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from gridzero.control.direction import DirectionKeeper
from gridzero.control.dispatch import Dispatcher, Split
from gridzero.control.drop_to_zero import DropToZero
from gridzero.control.gains import as_they_are, commands_for
from gridzero.control.guard import PowerLimits, guard, meter_factor, power_limits
from gridzero.control.health import Health
from gridzero.control.identification import Identification
from gridzero.control.ledger import Ledger
from gridzero.control.meter_watch import Verdict
from gridzero.control.observer import NetLoadObserver
from gridzero.control.over_current import OverCurrent
from gridzero.control.periodic import PeriodicLoad, ahead_of
from gridzero.control.probe import Probe
from gridzero.control.retry import split_with_try
from gridzero.control.rogue_charge import RogueCharge
from gridzero.control.start_budget import StartBudget
from gridzero.control.switches import ALL_ON, Switches
from gridzero.control.telemetry import LastGood
from gridzero.control.trim import Trim
from gridzero.control.value import TargetBias, stored_value
from gridzero.domain.decision import Decision, Wish
from gridzero.domain.modes import Mode
from gridzero.domain.readings import MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

_LEAD_S = 0.3  # a command needs about so long to arrive
_DETOUR_WS = 60.0
_DETOUR_SHARE = 0.2  # a dip to zero wears less than a start after a rest
_TOO_DOUBTFUL = 0.4
_ROUNDING_W = 1.0
_FREE = frozenset(
    {Because.COVERING_LOAD, Because.STORING_SURPLUS, Because.BALANCED, Because.PERIODIC_LOAD}
)
_FIXED = {
    Mode.CHARGE: (-1.0, Because.MODE_CHARGE),
    Mode.DISCHARGE: (1.0, Because.MODE_DISCHARGE),
    Mode.HOLD: (0.0, Because.MODE_HOLD),
    Mode.OFF: (0.0, Because.MODE_OFF),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What the owner may set; the defaults suit the devices that the drivers know.

    stored_value: see control.wake; None = it follows from prices; without them energy alone decides
    whether a start pays.
    """

    meter_hold_s: float = 1.5
    meter_lost_s: float = 10.0
    min_charge_w: float = 0.0
    min_discharge_w: float = 30.0
    stored_value: float | None = None


class Controller:
    """Holds the grid at its target. Call observe() for each new meter reading, tick() often."""

    def __init__(
        self,
        tuning: Tuning,
        ledger: Ledger,
        switches: Switches = ALL_ON,
        identification: Identification | None = None,
        probe: Probe | None = None,
    ) -> None:
        """identification, probe: learn the converters, and test them when asked; None = never."""
        self._tuning, self._switches = tuning, switches
        self._ledger = ledger
        self._identification = identification if switches.identify else None
        self._probe = probe
        self._observer = NetLoadObserver(switches)
        self._periodic = PeriodicLoad()
        self._trim = Trim()
        self._bias, self._biased_w, self._is_free = TargetBias(), 0.0, False
        self._direction = DirectionKeeper(switches, tuning.min_charge_w)
        self._dispatcher = Dispatcher(
            tuning.min_charge_w,
            tuning.min_discharge_w,
            output=ledger.unit_w,
            stored_value=tuning.stored_value,
        )
        self._starts, self._drop = StartBudget(), DropToZero()
        self._runs = 0
        self._over_current = OverCurrent()
        self._health = Health()
        self._rogue_charge = RogueCharge()
        self._last_good = LastGood()
        self._observed: MeterReading | None = None

    def tick(self, now: Snapshot) -> Decision:
        """Decide for this moment; a meter reading that was not seen yet is observed first."""
        now = self._last_good.of(now)
        self._health.update(now, self._ledger)
        self._value(now)
        if now.meter is not None and now.meter is not self._observed:
            self._observe(now.meter, now)
        elif self._identification is not None:
            self._identification.idle()
        told, now = now, as_they_are(now, self._ledger)
        limits = power_limits(
            now,
            over_current=self._over_current.update(now),
            rogue_charge=self._rogue_charge.update(now, self._ledger.inverters_w(now.now_s)),
            usable=self._dispatcher.usable(now, self._health.out - self._health.tries.keys()),
        )
        wish = self._wish(now)
        if self._probe is not None:
            wish, now = self._probe.overlay(wish, now, limits)
        if wish.because is Because.IDENTIFYING:
            self._trim.reset()
        allowed_w, because = self._allow(wish, now, limits)
        split = split_with_try(self._dispatcher, allowed_w, now, self._health)
        if self._probe is not None:
            self._probe.ran(split.units, now.now_s)
        if wish.battery_w * (wish.battery_w - split.total_w) > 0:
            self._trim.back_calculate(wish.battery_w - split.total_w)
        if wish.because is not Because.IDENTIFYING:
            split = self._cut_short(split, now)
        self._is_free = self._is_own_choice(wish, split)
        self._direction.ran(split.total_w)
        self._count_start(split.total_w, now.now_s)
        return Decision(
            at_s=now.now_s,
            battery_w=split.total_w,
            because=self._because(split, because, wish),
            not_following=self._health.told,
            suspects=self._health.suspects,
            meter_verdict=self._health.verdict(now.now_s).value,
            wish_w=wish.battery_w,
            net_load_w=self._observer.net_load_w,
            charge_w=limits.charge_w,
            discharge_w=limits.discharge_w,
            charge_because=limits.charge_because,
            discharge_because=limits.discharge_because,
            units=commands_for(split.units, told, self._ledger),
            work=split.work,
            bias_w=self._biased_w,
            bias_because=self._bias.lean,
        )

    def _value(self, now: Snapshot) -> None:
        """Take note of what energy is worth."""
        if not self._switches.value:
            return
        self._bias.aim(now.prices, now.outlook)
        if self._tuning.stored_value is None:
            self._dispatcher.value_stored(stored_value(now.prices, now.outlook))

    def _is_own_choice(self, wish: Wish, split: Split) -> bool:
        """Whether output and bias are what the meter and the prices ask for, uncut."""
        uncut = abs(split.total_w - wish.battery_w) < _ROUNDING_W
        whole = self._biased_w == self._bias.bias_w
        return wish.because in _FREE and uncut and whole and split.total_w != 0.0

    def _cut_short(self, split: Split, now: Snapshot) -> Split:
        """Inverters at zero for a moment, where that is cheaper than ramping down."""
        price_ws = _DETOUR_WS * self._price(now.now_s)
        if not self._switches.drop_to_zero or self._observer.doubt > _TOO_DOUBTFUL:
            return split
        units, cuts = self._drop.shape(split.units, now, self._ledger, price_ws)
        if not cuts:
            return split
        self._starts.spend(now.now_s, cuts * _DETOUR_SHARE)
        total_w = sum(units[unit.name] for unit in now.inverters)
        return Split(units, total_w, Because.DROP_TO_ZERO)

    def _price(self, now_s: float) -> float:
        return self._starts.price(now_s) if self._switches.start_budget else 1.0

    def _count_start(self, battery_w: float, now_s: float) -> None:
        direction = (battery_w > 0) - (battery_w < 0)
        if direction and direction != self._runs:
            self._starts.spend(now_s)
        self._runs = direction

    def _because(self, split: Split, cut: Because | None, wish: Wish) -> Because:
        if self._health.hinders(wish.battery_w):
            return Because.NOT_FOLLOWING
        if split.because is Because.BELOW_MINIMUM and cut is not None:
            return cut  # it is the limit that left too little to hold
        return split.because or cut or wish.because

    def _observe(self, reading: MeterReading, now: Snapshot) -> None:
        before, self._observed = self._observed, reading
        if not self._health.is_news(reading):
            return
        gap_s = reading.received_at_s - before.received_at_s if before else 0.0
        if gap_s > self._tuning.meter_lost_s:
            self._observer.forget()
            self._periodic.forget()
        own_w = self._ledger.own_w(reading.at_s)
        self._health.reading(reading, now, self._ledger)
        in_flight_w = self._ledger.final_w() - own_w
        self._observer.update(reading.at_s, reading.grid_w, own_w, in_flight_w)
        if self._observer.net_load_w is not None:
            self._periodic.update(reading.at_s, self._observer.net_load_w, self._observer.edge_w)
        if self._identification is not None:
            self._identification.metered(
                reading.at_s, reading.grid_w, trusted=self._is_trusted(reading)
            )
        error_w = reading.grid_w - now.wanted.target_w
        if self._switches.trim:
            self._trim.update(error_w - self._biased_w, in_flight_w, gap_s)
        self._bias.learn(error_w, gap_s, free=self._is_free)

    def _is_trusted(self, reading: MeterReading) -> bool:
        """Whether meter and inverters do what they should, so that there is something to learn."""
        verdict = self._health.verdict(reading.received_at_s)
        return verdict is Verdict.GOOD and not self._health.suspects and not self._health.out

    def _wish(self, now: Snapshot) -> Wish:
        """The goal, before any limit."""
        self._biased_w = 0.0
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
        if self._health.verdict(now.now_s) is not Verdict.GOOD:
            return Wish(battery_w=0.0, because=Because.METER_WRONG)
        net_load_w, beat = self._expected(now)
        if net_load_w is None or factor <= 0:
            return Wish(battery_w=0.0, because=late)
        full_w = net_load_w - now.wanted.target_w + self._trim.value_w
        self._biased_w = self._bias.for_wish(full_w)
        wish_w = factor * (full_w - self._biased_w)
        if beat:
            return Wish(battery_w=wish_w, because=Because.PERIODIC_LOAD)
        because = Because.COVERING_LOAD if wish_w > 0 else Because.STORING_SURPLUS
        if abs(wish_w) < 1:
            because = Because.BALANCED
        return Wish(battery_w=wish_w, because=because if factor >= 1 else late)

    def _expected(self, now: Snapshot) -> tuple[float | None, bool]:
        """The net load when a command of now has arrived, and whether a beat foretells it."""
        meter_at_s = now.meter.at_s if now.meter else now.now_s
        net_load_w = self._observer.ahead_w(now.now_s - meter_at_s + _LEAD_S)
        beat = self._periodic.next(now.now_s) if self._switches.periodic else None
        slowest = min(
            (unit.spec for unit in now.inverters if not unit.silent),
            key=lambda spec: spec.dynamics.rise_w_per_s,
            default=None,
        )
        if net_load_w is None or beat is None or slowest is None:
            return net_load_w, False
        most_w = sum(unit.spec.max_w for unit in now.inverters if not unit.silent)
        ahead_w = ahead_of(beat, net_load_w, now.now_s, most_w, slowest.dynamics)
        return ahead_w, ahead_w != net_load_w

    def _allow(
        self, wish: Wish, now: Snapshot, limits: PowerLimits
    ) -> tuple[float, Because | None]:
        held_w, why = wish.battery_w, None
        if wish.because in _FREE and isfinite(held_w):
            held_w, why = self._direction.allow(held_w, now, self._price(now.now_s))
        guarded_w, cut = guard(held_w, limits)
        return guarded_w, cut or why
