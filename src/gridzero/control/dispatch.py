"""Splits one signed battery power over the converters of its direction.

Only ever rounds toward zero: what cannot be held is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gridzero.control.side import Output, Side, SideRules
from gridzero.control.usable import Roster, Usable
from gridzero.domain.decision import Work
from gridzero.domain.reasons import Because, WhyNot
from gridzero.domain.snapshot import ConverterView, Snapshot

_CHARGER_REST_S = 3.0  # one that was told to stop is still stopping
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Split:
    """Magnitude per converter name, W AC; the signed sum; what shaped it, if anything did.

    work: what each converter did so far, and why it does nothing now.
    """

    units: dict[str, float] = field(default_factory=dict)
    total_w: float = 0.0
    because: Because | None = None
    work: dict[str, Work] = field(default_factory=dict)


class Dispatcher:
    """Knows who can be used, who works, who has worked how long.

    min_charge_w, min_discharge_w: a wish must reach this before converters start; once they run
    they go on down to what they can hold. output: what a unit gives by what was sent to it; without
    it units are taken to follow at once. stored_value: see wake.is_worth_it.
    """

    def __init__(
        self,
        min_charge_w: float,
        min_discharge_w: float,
        *,
        output: Output | None = None,
        stored_value: float | None = None,
    ) -> None:
        self._roster = Roster()
        self._discharge = Side(SideRules(start_w=min_discharge_w), output)
        self.value_stored(stored_value)
        self._charge = Side(SideRules(start_w=min_charge_w, rest_s=_CHARGER_REST_S), output)

    def value_stored(self, stored_value: float | None) -> None:
        """What stored energy is worth from now on: see wake.is_worth_it."""
        self._discharge.stored_value = stored_value

    def start_above(self, min_charge_w: float, min_discharge_w: float) -> None:
        """What a wish must reach from now on before converters start, W; who runs goes on."""
        self._charge.start_above(min_charge_w)
        self._discharge.start_above(min_discharge_w)

    def usable(self, now: Snapshot, out: frozenset[str] = _NOBODY) -> Usable:
        """Who can be commanded now; limits must count the same ones. out: see Roster.update."""
        return self._roster.update(now, out)

    def stopped(self, now: Snapshot, failed: Iterable[str]) -> frozenset[str]:
        """See Roster.stopped; before usable() of the same snapshot."""
        return self._roster.stopped(now, failed)

    def split(self, battery_w: float, now: Snapshot, out: frozenset[str] = _NOBODY) -> Split:
        """Commands for every converter; the ones of the other direction are told 0."""
        usable = self._roster.update(now, out)
        given = self._discharge.split(
            max(0.0, battery_w), usable.inverters, _leaving(now.inverters, usable), now.now_s
        )
        taken = self._charge.split(
            max(0.0, -battery_w), usable.chargers, _leaving(now.chargers, usable), now.now_s
        )
        names = [unit.name for unit in (*now.inverters, *now.chargers)]
        shares = {**self._discharge.shares, **self._charge.shares}
        units = {name: shares.get(name, 0.0) for name in names}
        total_w = sum(self._discharge.shares.values()) - sum(self._charge.shares.values())
        work = self._work(now, usable)
        return Split(units, total_w, given if battery_w > 0 else taken, work)

    def _work(self, now: Snapshot, usable: Usable) -> dict[str, Work]:
        work: dict[str, Work] = {}
        for side, units in ((self._discharge, now.inverters), (self._charge, now.chargers)):
            for unit in units:
                tally = side.tallies.get(unit.name)
                why_not = None if unit.name in side.shares else _why_not(unit, side, now, usable)
                hours, starts = (tally.hours, tally.starts) if tally else (0.0, 0)
                work[unit.name] = Work(hours, starts, why_not)
        return work


def _why_not(unit: ConverterView, side: Side, now: Snapshot, usable: Usable) -> WhyNot:
    if reason := usable.why_not.get(unit.name):
        return reason
    return WhyNot.RESTING if side.rests(unit.name, now.now_s) else WhyNot.NOT_NEEDED


def _leaving(units: Iterable[ConverterView], usable: Usable) -> Sequence[ConverterView]:
    return [unit for unit in units if unit.name in usable.leaving] if usable.leaving else ()
