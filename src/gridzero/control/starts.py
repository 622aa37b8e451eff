"""Starts and stops: when to change direction, when to dip to zero, and what each start costs."""

from __future__ import annotations

from dataclasses import replace

from gridzero.control.direction import DirectionKeeper
from gridzero.control.dispatch import Split
from gridzero.control.drop_to_zero import DropToZero
from gridzero.control.ledger import Ledger
from gridzero.control.start_budget import StartBudget
from gridzero.control.switches import Switches
from gridzero.control.usable import Usable
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot

_DETOUR_WS = 60.0
_DETOUR_SHARE = 0.2  # a dip to zero wears less than a start after a rest
_TOO_DOUBTFUL = 0.4


class Starts:
    """Weighs every change that starts a converter against the budget of starts."""

    def __init__(self, ledger: Ledger, switches: Switches, min_charge_w: float) -> None:
        self._ledger, self._switches = ledger, switches
        self._direction = DirectionKeeper(switches, min_charge_w)
        self._budget, self._drop = StartBudget(), DropToZero()
        self._runs = 0

    def retune(self, min_charge_w: float) -> None:
        """Another least surplus from now on, W."""
        self._direction.retune(min_charge_w)

    def allow(self, wish_w: float, now: Snapshot) -> tuple[float, Because | None]:
        """The wish, W, > 0 discharge, or what is done instead, and why."""
        return self._direction.allow(wish_w, now, self._price(now.now_s))

    def idling_w(self, usable: Usable) -> float:
        """The least that runs on now, W: a charger need not stop, and start again, for a test."""
        if self._runs >= 0 or not usable.chargers:
            return 0.0
        return -min(unit.spec.min_w for unit in usable.chargers)

    def cut_short(self, split: Split, now: Snapshot, doubt: float) -> Split:
        """Inverters at zero for a moment, where that is cheaper than ramping down.

        doubt: how little the model explains, 0..1; a model that is not believed plans no dips.
        """
        if not self._switches.drop_to_zero or doubt > _TOO_DOUBTFUL:
            return split
        price_ws = _DETOUR_WS * self._price(now.now_s)
        units, cuts = self._drop.shape(split.units, now, self._ledger, price_ws)
        if not cuts:
            return split
        self._budget.spend(now.now_s, cuts * _DETOUR_SHARE)
        total_w = sum(units[unit.name] for unit in now.inverters)
        return replace(split, units=units, total_w=total_w, because=Because.DROP_TO_ZERO)

    def ran(self, split: Split, now_s: float) -> None:
        """What was really commanded in the end."""
        self._direction.ran(split.total_w)
        direction = (split.total_w > 0) - (split.total_w < 0)
        resting = split.because is Because.DROP_TO_ZERO
        if direction and direction != self._runs:
            self._budget.spend(now_s)
        if not resting:
            self._runs = direction

    def _price(self, now_s: float) -> float:
        return self._budget.price(now_s) if self._switches.start_budget else 1.0
