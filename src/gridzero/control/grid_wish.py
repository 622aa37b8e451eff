"""What the meter asks of the battery: the net load to come, less the target, plus the trim."""

from __future__ import annotations

from gridzero.control.guard import meter_factor
from gridzero.control.observer import NetLoadObserver
from gridzero.control.periodic import PeriodicLoad, ahead_of
from gridzero.control.switches import Switches
from gridzero.control.trim import Trim
from gridzero.control.tuning import Tuning
from gridzero.control.usable import Usable
from gridzero.control.value import TargetBias
from gridzero.domain.decision import Wish
from gridzero.domain.plan import Aim
from gridzero.domain.readings import MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot
from gridzero.domain.value import Lean

FREE = frozenset(
    {
        Because.COVERING_LOAD,
        Because.STORING_SURPLUS,
        Because.BALANCED,
        Because.PERIODIC_LOAD,
        Because.PEAK_SHAVING,
        Because.BELOW_PEAK,
        Because.TARIFF_WAITS,
        Because.EXPORT_GUARD,
        Because.GRID_CHARGE_NOT_ALLOWED,
    }
)
"""Reasons of a wish that rests on a fresh meter."""
_LEAD_S = 0.3  # a command needs about so long to arrive
_ROUNDING_W = 1.0
_BALANCED_W = 1.0


class GridWish:
    """Call observe() for each new reading, wish() for each tick that holds the grid.

    bias_w: how far the last wish leaned away from the target, W.
    """

    def __init__(self, tuning: Tuning, switches: Switches) -> None:
        self._tuning, self._switches = tuning, switches
        self._observer = NetLoadObserver(switches)
        self._periodic = PeriodicLoad()
        self._trim = Trim()
        self._bias, self._is_free = TargetBias(), False
        self.bias_w = 0.0

    def retune(self, tuning: Tuning) -> None:
        """Other numbers from now on."""
        self._tuning = tuning

    @property
    def net_load_w(self) -> float | None:
        """See NetLoadObserver."""
        return self._observer.net_load_w

    @property
    def doubt(self) -> float:
        """See NetLoadObserver."""
        return self._observer.doubt

    @property
    def lean(self) -> Lean:
        """Why the target leans, or does not."""
        return self._bias.lean

    def observe(
        self, reading: MeterReading, own_w: float, in_flight_w: float, gap_s: float, aim: Aim
    ) -> None:
        """One new meter reading, gap_s after the last.

        own_w: the battery's output when it was measured, in_flight_w: what is still to come, W.
        aim: what the grid was to be.
        """
        if gap_s > self._tuning.meter_lost_s:
            self._observer.forget()
            self._periodic.forget()
        at_s = reading.at_s if self._switches.align else reading.received_at_s
        self._observer.update(at_s, reading.grid_w, own_w, in_flight_w)
        if self._observer.net_load_w is not None:
            self._periodic.update(at_s, self._observer.net_load_w, self._observer.edge_w)
        error_w = reading.grid_w - aim.nearest(reading.grid_w + own_w + self._trim.value_w)
        if self._switches.trim:
            self._trim.update(error_w - self.bias_w, in_flight_w, gap_s)
        self._bias.learn(error_w, gap_s, free=self._is_free)

    def aim(self, now: Snapshot) -> None:
        """Take note of what energy is worth."""
        if self._switches.value:
            self._bias.aim(now.prices, now.outlook)

    def rest(self) -> None:
        """The grid is not being held now: nothing leans, nothing is to be integrated."""
        self._trim.reset()
        self.bias_w = 0.0

    def decided(self, wish: Wish, total_w: float) -> None:
        """What became of a wish: what a limit cut off must not wind up, nor teach."""
        cut_w = wish.battery_w - total_w
        if wish.battery_w * cut_w > 0:
            self._trim.back_calculate(cut_w)

    def ended(self, wish: Wish, total_w: float) -> None:
        """The last word of the tick: whether output and bias are what was asked for, uncut."""
        uncut = abs(total_w - wish.battery_w) < _ROUNDING_W
        whole = self.bias_w == self._bias.bias_w
        self._is_free = wish.because in FREE and uncut and whole and total_w != 0.0

    def wish(self, now: Snapshot, usable: Usable, aim: Aim) -> Wish:
        """The goal, before any limit."""
        factor, late = meter_factor(
            now.meter_age_s, self._tuning.meter_hold_s, self._tuning.meter_lost_s
        )
        net_load_w, beat = self._expected(now, usable)
        if net_load_w is None or factor <= 0:
            self.bias_w = 0.0
            return Wish(battery_w=0.0, because=late)
        needed_w = net_load_w + self._trim.value_w
        target_w = aim.nearest(needed_w)
        full_w = needed_w - target_w
        # prices lean the owner's target, not a peak or a guard
        leans = target_w == now.wanted.target_w
        self.bias_w = self._bias.for_wish(full_w) if leans else 0.0
        wish_w = factor * (full_w - self.bias_w)
        because = _because(wish_w, aim, beat=beat) if factor >= 1 else late
        return Wish(battery_w=wish_w, because=because)

    def _expected(self, now: Snapshot, usable: Usable) -> tuple[float | None, bool]:
        """The net load when a command of now has arrived, and whether a beat foretells it."""
        meter_at_s = now.meter.at_s if now.meter else now.now_s
        net_load_w = self._observer.ahead_w(now.now_s - meter_at_s + _LEAD_S)
        beat = self._periodic.next(now.now_s) if self._switches.periodic else None
        if net_load_w is None or beat is None or not usable.inverters:
            return net_load_w, False
        specs = [unit.spec for unit in usable.inverters]
        slowest = min((spec.dynamics for spec in specs), key=lambda d: d.rise_w_per_s)
        most_w = sum(spec.max_w for spec in specs)
        ahead_w = ahead_of(beat, net_load_w, now.now_s, most_w, slowest)
        return ahead_w, ahead_w != net_load_w


def _because(wish_w: float, aim: Aim, *, beat: bool) -> Because:
    if beat:
        return Because.PERIODIC_LOAD
    if abs(wish_w) < _BALANCED_W:
        return aim.rests
    if wish_w > 0 and aim.rests is Because.BELOW_PEAK:
        return Because.PEAK_SHAVING
    return Because.COVERING_LOAD if wish_w > 0 else Because.STORING_SURPLUS
