"""Balancing of the whole battery: one small state machine per module, and what they share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import exp, isfinite

from gridzero.battery.balancing.look import Look
from gridzero.battery.balancing.module import ModuleBalancer
from gridzero.battery.balancing.plan import BalancePlan
from gridzero.domain.balancing import BalanceReason, BalancingState
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Trust

VERSION = 1
_HABIT_S = 86400.0
_FIRST_SHARE = 0.4
_LEAST_SHARE = 0.02


class Balancer:
    """Chooses the cells to bleed.

    Modules in parallel need no common level, so each is brought to its own lowest believed cell.
    """

    def __init__(self, plan: BalancePlan) -> None:
        self._plan = plan
        self._modules: dict[str, ModuleBalancer] = {}
        self._stored: dict[str, Mapping[str, object]] = {}
        self._rest_since_s: float | None = None
        self._seen_s: float | None = None
        self._forced_until_s: float | None = None
        self._no_bleed_until_s: dict[str, float] = {}
        self._share = _FIRST_SHARE

    def update(
        self,
        now_s: float,
        modules: Sequence[ModuleReading],
        charge: BatteryCharge | None,
        trust: Trust,
        *,
        allowed: bool | BalanceReason,
        rest: bool,
        disobedient: Collection[str] = (),
    ) -> BalancingState:
        """What to bleed now; call about once a second.

        allowed: False or a reason forbids it everywhere. rest: no current worth the name flows.
        disobedient: modules that bleed something else than they were asked to; each is left alone
        for ``no_bleed_s`` after it was last named.
        """
        self._note_rest(now_s, rest=rest)
        self._note_disobedient(now_s, disobedient)
        is_forced = self._is_forced(now_s)
        refusal = _refusal(allowed)
        states = {}
        for reading in modules:
            own = charge.modules.get(reading.name) if charge else None
            look = Look(
                now_s=now_s,
                reading=reading,
                cells=own.cells if own else None,
                cell_ah=charge.capacity_ah / len(charge.modules) if charge and own else 0.0,
                anchored_s=charge.anchored_s if charge else None,
                trust=trust,
                refusal=refusal or self._disobedience(reading.name, now_s),
                rested_s=0.0 if self._rest_since_s is None else now_s - self._rest_since_s,
                is_forced=is_forced,
            )
            states[reading.name] = self._module(reading, now_s).update(look, self._share)
        state = BalancingState(at_s=now_s, modules=states, forced_until_s=self._forced_until_s)
        self._note_habit(now_s, state)
        return state

    def force(self, now_s: float) -> None:
        """A person asks: balance now, also below the normal window, and try every cell again.

        Never below the floor, never into a doubt; ends by itself after ``force_s``.
        """
        self._forced_until_s = now_s + self._plan.force_s
        for module in self._modules.values():
            module.account.start_anew()

    def cancel(self) -> None:
        """End a ``force``; the normal course goes on."""
        self._forced_until_s = None

    # -- what is kept over a restart

    def to_dict(self, now_s: float) -> dict[str, object]:
        """For the state file. Modules that were stored and not seen since are kept."""
        seen = {name: one.account.to_dict(now_s) for name, one in self._modules.items()}
        return {"version": VERSION, "share": self._share, "modules": {**self._stored, **seen}}

    def restore(self, data: Mapping[str, object]) -> None:
        """Take what ``to_dict`` gave; call before the first update.

        Raises ValueError for another version or another shape. A module whose numbers cannot be
        starts with nothing, which only means that it is measured again.
        """
        modules, share = data.get("modules"), data.get("share")
        if data.get("version") != VERSION or not isinstance(modules, Mapping):
            raise ValueError("not a balancing state of this version")
        self._stored = {str(n): one for n, one in modules.items() if isinstance(one, Mapping)}
        if isinstance(share, float) and _LEAST_SHARE <= share <= 1.0:
            self._share = share

    # -- inside

    def _module(self, reading: ModuleReading, now_s: float) -> ModuleBalancer:
        cells = len(reading.cell_v)
        known = self._modules.get(reading.name)
        if known is None or len(known.account.left) != cells:
            known = self._modules[reading.name] = ModuleBalancer(reading.name, cells, self._plan)
            stored = self._stored.pop(reading.name, None)
            if stored is not None:
                _restore(known, stored, now_s)
        return known

    def _note_rest(self, now_s: float, *, rest: bool) -> None:
        if not rest:
            self._rest_since_s = None
        elif self._rest_since_s is None:
            self._rest_since_s = now_s

    def _note_disobedient(self, now_s: float, names: Collection[str]) -> None:
        for name in names:
            self._no_bleed_until_s[name] = now_s + self._plan.no_bleed_s

    def _disobedience(self, name: str, now_s: float) -> BalanceReason | None:
        until_s = self._no_bleed_until_s.get(name)
        return BalanceReason.DISOBEDIENT if until_s is not None and now_s < until_s else None

    def _is_forced(self, now_s: float) -> bool:
        if self._forced_until_s is not None and not now_s < self._forced_until_s:
            self._forced_until_s = None
        return self._forced_until_s is not None

    def _note_habit(self, now_s: float, state: BalancingState) -> None:
        """The part of the time in which the house lets it bleed, over about a day."""
        last_s, self._seen_s = self._seen_s, now_s
        if last_s is None or not isfinite(now_s) or state.ah_left <= 0.0:
            return
        part = 1.0 - exp(-max(0.0, now_s - last_s) / _HABIT_S)
        self._share += ((1.0 if state.is_bleeding else 0.0) - self._share) * part
        self._share = max(self._share, _LEAST_SHARE)


def _restore(module: ModuleBalancer, stored: Mapping[str, object], now_s: float) -> None:
    try:
        module.account.restore(stored, now_s)
    except ValueError:
        return  # measured again at the next rest


def _refusal(allowed: bool | BalanceReason) -> BalanceReason | None:
    if isinstance(allowed, BalanceReason):
        return allowed
    return None if allowed is True else BalanceReason.NOT_ALLOWED
