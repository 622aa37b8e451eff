"""One direction at a time, and no more changes between them than they are worth.

Discharging can begin and end at once. A rectifier takes many seconds to start, so two questions
are asked in watt-seconds of grid error rather than in watts or seconds:

- A surplus appears: is it worth a start? Charging begins when the surplus that was let go has
  cost as much as a start (so a large one waits half a second and a small one longer).
- The surplus is gone: stop, or idle at the smallest power until it comes back? Idling goes on
  until it has cost more than it pays, learned from the last absences: of all the limits that
  could have been set, the one that would have cost least. Before there is any experience it
  idles only for a tenth of what a new start would cost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import isfinite

from gridzero.control.switches import ALL_ON, Switches
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

_START_WS = 100.0
_DISCHARGE_START_WS = 30.0
_START_ABOVE = 1.5  # times the smallest power, so that it does not stop again at once
_WITHOUT_EXPERIENCE = 0.1
_LEAST_WS = 60.0  # a surplus that hovers about the smallest power is no end of it
_ABSENCES = 5
_A_LITTLE_LONGER = 1.1
_USUAL_MEMORY_S = 60.0
_USUAL_START_W = 300.0
_LONGEST_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Chargers:
    """What the usable chargers can do together. min_w: the smallest that any can hold, W."""

    min_w: float
    start_s: float


class DirectionKeeper:
    """Decides between discharge, rest and charge; remembers how long surpluses stay away."""

    def __init__(self, switches: Switches = ALL_ON, min_charge_w: float = 0.0) -> None:
        """min_charge_w: what a surplus must reach at least before charging starts, W."""
        self._switches, self._min_charge_w = switches, min_charge_w
        self._charging = self._discharging = False
        self._let_go_ws = self._lacked_ws = 0.0
        self._idling_ws: float | None = None
        self._patience_ws = 0.0
        self._absences_ws: deque[float] = deque(maxlen=_ABSENCES)
        self._usual_w = _USUAL_START_W
        self._at_s: float | None = None

    def retune(self, min_charge_w: float) -> None:
        """Another least surplus from now on, W."""
        self._min_charge_w = min_charge_w

    def allow(
        self, wish_w: float, now: Snapshot, start_price: float
    ) -> tuple[float, Because | None]:
        """The wish, or what is done instead, and why.

        start_price: how many times dearer than usual a start is now.
        """
        seconds = self._seconds(now.now_s)
        chargers = _usable(now)
        if chargers is None or not isfinite(wish_w):
            return wish_w, None  # the guard says why nothing can charge, or refuses it
        self._watch_absence(wish_w, seconds, chargers, now)
        if self._charging:
            return self._while_charging(wish_w, seconds, chargers)
        return self._while_not(wish_w, seconds, chargers, start_price)

    def ran(self, battery_w: float) -> None:
        """What was really commanded: a limit may have stopped the charger."""
        self._charging, self._discharging = battery_w < 0.0, battery_w > 0.0
        if battery_w < 0.0:
            self._let_go_ws = 0.0
        if battery_w > 0.0:
            self._lacked_ws = 0.0

    def _seconds(self, now_s: float) -> float:
        before_s, self._at_s = self._at_s, now_s
        return 0.0 if before_s is None else min(_LONGEST_TICK_S, max(0.0, now_s - before_s))

    def _watch_absence(
        self, wish_w: float, seconds: float, chargers: Chargers, now: Snapshot
    ) -> None:
        """What it costs, or would cost, to idle until the surplus is back."""
        if self._idling_ws is None:
            return
        inverters_w = sum(unit.spec.max_w for unit in now.inverters if not unit.silent)
        self._idling_ws += seconds * max(0.0, min(wish_w, inverters_w) + chargers.min_w)
        if wish_w <= -self._start_w(chargers):
            self._absences_ws.append(self._idling_ws)
            self._idling_ws = None

    def _while_charging(
        self, wish_w: float, seconds: float, chargers: Chargers
    ) -> tuple[float, Because | None]:
        if wish_w <= -chargers.min_w:
            self._idling_ws = None
            share = min(1.0, seconds / _USUAL_MEMORY_S)
            self._usual_w += share * (-wish_w - self._usual_w)
            return wish_w, None
        if self._idling_ws is None:
            self._idling_ws = 0.0
            self._patience_ws = self._chosen_patience(chargers.start_s * self._usual_w)
        if self._switches.keep_warm and self._idling_ws < self._patience_ws:
            return -chargers.min_w, Because.KEEPING_WARM
        return max(0.0, wish_w), None

    def _chosen_patience(self, restart_ws: float) -> float:
        """The limit that would have cost least in the last absences, W s."""
        if len(self._absences_ws) < 2:
            return _WITHOUT_EXPERIENCE * restart_ws

        def cost(limit_ws: float) -> float:
            return sum(
                idle_ws if idle_ws <= limit_ws else limit_ws + restart_ws
                for idle_ws in self._absences_ws
            )

        return _A_LITTLE_LONGER * min([_LEAST_WS, *self._absences_ws], key=cost)

    def _while_not(
        self, wish_w: float, seconds: float, chargers: Chargers, start_price: float
    ) -> tuple[float, Because | None]:
        if wish_w >= 0.0:
            self._let_go_ws = max(0.0, self._let_go_ws - wish_w * seconds)
            return self._while_resting(wish_w, seconds, start_price)
        self._lacked_ws = max(0.0, self._lacked_ws + wish_w * seconds)
        if -wish_w < self._start_w(chargers):
            return 0.0, Because.BELOW_MINIMUM
        enough_ws = _START_WS * start_price
        self._let_go_ws = min(enough_ws, self._let_go_ws - wish_w * seconds)  # no debt of a spike
        if self._switches.zero_cross_hold and self._let_go_ws < enough_ws:
            return 0.0, Because.ZERO_CROSS_HOLD
        return wish_w, None

    def _while_resting(
        self, wish_w: float, seconds: float, start_price: float
    ) -> tuple[float, Because | None]:
        """Discharging starts at once after a calm time, a little later after a restless one."""
        if self._discharging or not self._switches.zero_cross_hold:
            return wish_w, None
        self._lacked_ws += wish_w * seconds
        if self._lacked_ws < _DISCHARGE_START_WS * (start_price - 1.0):
            return 0.0, Because.ZERO_CROSS_HOLD
        return wish_w, None

    def _start_w(self, chargers: Chargers) -> float:
        return max(self._min_charge_w, _START_ABOVE * chargers.min_w)


def _usable(now: Snapshot) -> Chargers | None:
    units = [unit for unit in now.chargers if not unit.silent]
    if not units:
        return None
    return Chargers(
        min_w=min(unit.spec.min_w for unit in units),
        start_s=max(unit.spec.dynamics.start_s for unit in units),
    )
