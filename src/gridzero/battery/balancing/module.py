"""Balancing of one module: measure with bleeding off, then bleed what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from gridzero.battery.balancing.account import Account
from gridzero.battery.balancing.look import Look, TemperatureGate, believed_cells, obstacle
from gridzero.battery.balancing.measure import Excess, from_charge, from_volts, is_usable
from gridzero.battery.balancing.plan import BalancePlan
from gridzero.domain.balancing import BALANCE_WORDS, BalanceReason, ModuleBalancing

_TYPICAL_V = 3.9
_LONGEST_STEP_S = 60.0


class ModuleBalancer:
    """The state machine of one module. Bleeding and pauses alternate; anything odd is a pause."""

    def __init__(self, name: str, cells: int, plan: BalancePlan) -> None:
        self.name = name
        self.account = Account(cells, plan)
        self._plan = plan
        self._gate = TemperatureGate(plan)
        self._cells = 0
        self._seen_s: float | None = None
        self._off_since_s: float | None = None
        self._looked_s = -inf
        self._was_sure = False
        self._on_since_s = self._chosen_s = self._since_s = 0.0
        self._is_full_enough = False
        self._believed: tuple[int, ...] | None = None
        self._reason: BalanceReason | None = None

    def update(self, now: Look, share_of_time: float) -> ModuleBalancing:
        """What to do now. share_of_time: part of the time in which bleeding was possible lately."""
        self._book(now)
        believed = self._believe(now)
        gate = self._gate.check(now.reading, now.now_s)
        reason = obstacle(now, believed, self._plan) or gate
        if reason is None:
            reason = self._go_on(now, believed)
        if reason is not BalanceReason.BLEEDING:
            self._cells = 0
        if reason is not self._reason:
            self._reason, self._since_s = reason, now.now_s
        return self._state(reason, share_of_time)

    def _believe(self, now: Look) -> Sequence[int]:
        """The believed cells; what was measured against another set of them counts no more."""
        before, self._believed = self._believed, believed_cells(now)
        if before is not None and before != self._believed:
            self.account.void()
        return self._believed

    # -- what happened

    def _book(self, now: Look) -> None:
        """What the module says that it bled; one that says nothing did as it was asked."""
        last_s, self._seen_s = self._seen_s, now.now_s
        bled = now.reading.bleeding or self._cells
        if bled and last_s is not None:
            seconds = min(max(0.0, now.now_s - last_s), _LONGEST_STEP_S)
            self.account.book(bled, now.reading.cell_v, seconds)
        if bled:
            self._off_since_s = None
        elif self._off_since_s is None:
            self._off_since_s = now.now_s
        self.account.forgive(now.now_s)

    # -- what to do

    def _go_on(self, now: Look, believed: Sequence[int]) -> BalanceReason:
        cells = now.cells if is_usable(now.cells, len(now.reading.cell_v)) else None
        now = now._replace(cells=cells)
        if not self._is_high_enough(now, believed):
            return BalanceReason.TOO_EMPTY
        if self._cells and now.now_s - self._on_since_s >= self._plan.bleed_s:
            self._cells = 0
            return BalanceReason.MEASURING
        if not self._cells and not self._has_measured(now, believed):
            return BalanceReason.MEASURING
        return self._bleed(now, believed)

    def _is_high_enough(self, now: Look, believed: Sequence[int]) -> bool:
        plan = self._plan
        if now.cells is not None:
            level = min(now.cells[i].soc for i in believed)
            above, again = (plan.floor_soc if now.is_forced else plan.above_soc), plan.again_soc
        else:
            level = min(now.reading.cell_v[i] or 0.0 for i in believed)
            above, again = (plan.floor_v if now.is_forced else plan.above_v), plan.again_v
        self._is_full_enough = level > above + (0.0 if self._is_full_enough else again)
        return self._is_full_enough

    def _has_measured(self, now: Look, believed: Sequence[int]) -> bool:
        """True once the pause has been long enough; then what can be measured was."""
        if self._off_since_s is None:
            return False
        off_s = now.now_s - self._off_since_s
        if off_s < self._plan.measure_s:
            return False
        self._look(now, believed, off_s)
        return self._reason is not BalanceReason.MEASURING or off_s >= self._pause_s(now)

    def _look(self, now: Look, believed: Sequence[int], off_s: float) -> None:
        """Measure: at first, when it has become sure, and then every ten minutes or so."""
        is_sure = self._is_sure(now, off_s)
        is_first = self._looked_s < now.now_s - off_s or (is_sure and not self._was_sure)
        is_first = is_first or self.account.measured_s is None
        if not (is_first or now.now_s - self._looked_s >= self._plan.look_again_s):
            return
        excess = self._measure(now, believed)
        if excess is not None:
            self._looked_s, self._was_sure = now.now_s, is_sure
            self.account.take(excess, now.now_s, is_sure=is_sure, is_forced=now.is_forced)

    def _pause_s(self, now: Look) -> float:
        """A rest is used now and then to see what bleeding did, which takes an estimate longer."""
        measured_s = self.account.measured_s
        is_old = measured_s is None or now.now_s - measured_s >= self._plan.rest_again_s
        if is_old and now.cells is not None and now.rested_s >= self._plan.rest_s:
            return max(self._plan.pause_s, self._plan.settle_s)
        return self._plan.pause_s

    def _measure(self, now: Look, believed: Sequence[int]) -> Excess | None:
        if now.cells is not None:
            excess = from_charge(now.cells, believed, now.cell_ah, self._plan)
            if excess is not None:
                return excess
        if now.rested_s < self._plan.rest_s:
            return None
        return from_volts(now.reading.cell_v, believed, self._plan)

    def _is_sure(self, now: Look, off_s: float) -> bool:
        """Whether the measurement knows what was bled."""
        if self.account.is_untouched or off_s >= self._plan.relax_s:
            return True
        needed_s = self._plan.rest_s if now.cells is None else self._plan.settle_s
        if min(now.rested_s, off_s) >= needed_s:
            return True
        return now.anchored_s is not None and now.anchored_s > now.now_s - off_s

    def _bleed(self, now: Look, believed: Sequence[int]) -> BalanceReason:
        wanted = [i for i in believed if self.account.left[i] > 0.0]
        useful = [i for i in wanted if not self.account.given_up >> i & 1]
        can = [i for i in useful if self._is_above_floor(now, i)]
        if not can:
            return self._why_none(bool(wanted), bool(useful))
        if not self._cells:
            self._on_since_s = now.now_s
        if not self._is_choice_good(now, can):
            self._cells, self._chosen_s = self._choose(can), now.now_s
        return BalanceReason.BLEEDING

    def _why_none(self, is_wanted: bool, is_useful: bool) -> BalanceReason:
        if is_useful:
            return BalanceReason.BELOW_FLOOR
        if is_wanted:
            return BalanceReason.NO_END
        if self.account.measured_s is None:
            return BalanceReason.UNMEASURED
        return BalanceReason.BALANCED

    def _is_above_floor(self, now: Look, i: int) -> bool:
        """The reading counts: under bleeding and load it is low, which is the safe side."""
        is_on = bool(self._cells >> i & 1)
        margin_v = 0.0 if is_on else self._plan.again_v
        volts = now.reading.cell_v[i]
        if volts is None or not volts > self._plan.floor_v + margin_v:
            return False
        return now.cells is None or now.cells[i].soc > self._plan.floor_soc

    def _is_choice_good(self, now: Look, can: Sequence[int]) -> bool:
        """None of the chosen is done, and it is not yet the turn of others."""
        possible = sum(1 << i for i in can)
        is_recent = now.now_s - self._chosen_s < self._plan.rotate_s
        return bool(self._cells) and is_recent and not self._cells & ~possible

    def _choose(self, can: Sequence[int]) -> int:
        """The fullest first, as many as the board bears."""
        chosen = 0
        for i in sorted(can, key=self.account.left.__getitem__, reverse=True):
            beside = (chosen << 1 | chosen >> 1) >> i & 1
            if chosen.bit_count() < self._plan.max_cells and not (
                beside and self._plan.spare_neighbours
            ):
                chosen |= 1 << i
        return chosen

    # -- what is said

    def _state(self, reason: BalanceReason, share_of_time: float) -> ModuleBalancing:
        account = self.account
        hours = account.bleed_hours(_TYPICAL_V / self._plan.bleed_ohm)
        return ModuleBalancing(
            module=self.name,
            cells=self._cells,
            reason=reason,
            text=self._text(reason),
            cell_ah=tuple(account.left),
            bleed_hours=hours,
            hours_left=None if hours is None else hours / share_of_time,
            progress=account.progress,
            bled_ah=sum(account.bled),
            since_s=self._since_s,
        )

    def _text(self, reason: BalanceReason) -> str:
        if reason is BalanceReason.BLEEDING:
            return _amounts(self.name, self.account.left, self._cells)
        words = BALANCE_WORDS[reason]
        if reason is BalanceReason.NO_END:
            numbers = [
                i + 1 for i in range(len(self.account.left)) if self.account.given_up >> i & 1
            ]
            return f"{words} ({', '.join(f'{self.name}.{n}' for n in numbers)})"
        return words


def _amounts(name: str, left: Sequence[float], cells: int) -> str:
    """``bleed 0.31 Ah from b3.7``, the largest amounts first, at most three."""
    chosen = [i for i in range(len(left)) if cells >> i & 1]
    chosen.sort(key=left.__getitem__, reverse=True)
    named = [f"{left[i]:.2f} Ah from {name}.{i + 1}" for i in chosen[:3]]
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    return f"bleed {', '.join(named)}{more}"
