"""The account of one module: what is left to be bled of each cell, and what was bled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite

from gridzero.battery.balancing.measure import Excess
from gridzero.battery.balancing.plan import BalancePlan

_MOST_AH = 50.0
_LEARN_AH = 0.2
_LEAST_EFFECT, _MOST_EFFECT = 0.3, 2.0
_S_PER_H = 3600.0


class Account:
    """Charge in Ah by cell.

    left: still to be bled. first: as first measured since the cell was last balanced.
    bled: since then, by the nominal resistor. given_up: cells (bits) that bleeding did not help.
    effect: real over nominal bleed current, learned from one sure measurement to the next.
    """

    def __init__(self, cells: int, plan: BalancePlan) -> None:
        self._plan = plan
        self.left = [0.0] * cells
        self.first = [0.0] * cells
        self.bled = [0.0] * cells
        self.given_up = 0
        self._give_up_until_s = -inf
        self.measured_s: float | None = None
        self._top: tuple[float, float] | None = None
        self._is_untouched = True
        self.effect = 1.0
        self._before = [0.0] * cells
        self._nominal = [0.0] * cells

    @property
    def is_untouched(self) -> bool:
        """Nothing was bled since the last measurement."""
        return self._is_untouched

    def book(self, cells: int, volts: Sequence[float | None], seconds: float) -> None:
        """These cells (bits) were bled for so long; an unknown voltage counts as the floor."""
        for i, one_v in enumerate(volts):
            if cells >> i & 1:
                self._is_untouched = False
                amps = (one_v or self._plan.floor_v) / self._plan.bleed_ohm
                gone_ah = amps * seconds / _S_PER_H
                self.left[i] = max(0.0, self.left[i] - gone_ah * self.effect)
                self.bled[i] += gone_ah
                self._nominal[i] += gone_ah

    def take(self, excess: Excess, now_s: float, *, is_sure: bool, is_forced: bool) -> None:
        """A new measurement.

        is_sure: a rest, or time, has shown what bleeding did. Otherwise it can only say that less
        is left, because an estimate may not know what was bled.
        """
        if not is_sure:
            self.left = [min(pair) for pair in zip(self.left, excess.cell_ah, strict=True)]
            return
        if not (is_forced or self._is_worth_more(excess.soc, now_s)):
            return
        self.left = [min(ah, _MOST_AH) for ah in excess.cell_ah]
        self._learn()
        self.measured_s = now_s
        self._note_top(excess.soc, now_s)
        self._is_untouched = True
        for i, ah in enumerate(self.left):
            self._judge(i, ah, now_s)

    def _learn(self) -> None:
        """How much came of the bleeding since the last sure measurement."""
        cells = [i for i, ah in enumerate(self._nominal) if ah > 0.0 and self._before[i] > 0.0]
        nominal_ah = sum(self._nominal[i] for i in cells)
        if nominal_ah >= _LEARN_AH:
            seen = sum(self._before[i] - self.left[i] for i in cells) / nominal_ah
            self.effect += 0.5 * (min(max(seen, _LEAST_EFFECT), _MOST_EFFECT) - self.effect)
        self._before, self._nominal = list(self.left), [0.0] * len(self.left)

    def _is_worth_more(self, soc: float | None, now_s: float) -> bool:
        """A fuller battery shows better what limits the charge."""
        if self.measured_s is None or self._top is None or soc is None:
            return True
        top_s, top_soc = self._top
        return now_s - top_s > self._plan.forget_s or soc >= top_soc - self._plan.lower_soc

    def _note_top(self, soc: float | None, now_s: float) -> None:
        """The fullest measurement of late; a battery that empties does not take it along down."""
        if soc is None:
            self._top = None
        elif self._top is None or soc >= self._top[1] or now_s - self._top[0] > self._plan.forget_s:
            self._top = (now_s, soc)

    def _judge(self, i: int, ah: float, now_s: float) -> None:
        plan = self._plan
        if ah <= 0.0:
            self.first[i] = self.bled[i] = 0.0
        elif self.first[i] <= 0.0:
            self.first[i], self.bled[i] = ah, 0.0
        elif self.bled[i] > plan.useless_times * self.first[i] + plan.useless_ah:
            self.given_up |= 1 << i
            self._give_up_until_s = now_s + plan.give_up_s

    def forgive(self, now_s: float) -> None:
        """Cells that were given up long ago are tried again."""
        if self.given_up and now_s >= self._give_up_until_s:
            self.start_anew()

    def void(self) -> None:
        """What was measured is not believed any more, what was learned and given up is."""
        self.left = [0.0] * len(self.left)
        self._before, self._nominal = list(self.left), list(self.left)
        self.measured_s = self._top = None

    def start_anew(self) -> None:
        """Try every cell again."""
        self.given_up = 0
        self.first = list(self.left)
        self.bled = [0.0] * len(self.left)

    @property
    def progress(self) -> float | None:
        """Part of what was first measured that is gone, 0..1; None without a measurement."""
        if self.measured_s is None:
            return None
        wanted_ah = sum(self.first)
        gone = 1.0 - sum(self.left) / wanted_ah if wanted_ah > 0.0 else 1.0
        return max(0.0, min(1.0, gone))

    def bleed_hours(self, amps: float) -> float | None:
        """Hours of bleeding still needed with this nominal current; None without a measurement."""
        if self.measured_s is None:
            return None
        hours = [
            ah / (amps * self.effect)
            for i, ah in enumerate(self.left)
            if not self.given_up >> i & 1
        ]
        at_once = sum(hours) / min(self._plan.max_cells, self._most_at_once())
        return max(at_once, *hours, 0.0) / self._plan.duty

    def _most_at_once(self) -> int:
        cells = len(self.left)
        return (cells + 1) // 2 if self._plan.spare_neighbours else cells

    def to_dict(self, now_s: float) -> dict[str, object]:
        """For the state file; ages instead of times, because the clock begins anew."""
        return {
            "left_ah": [round(ah, 4) for ah in self.left],
            "first_ah": [round(ah, 4) for ah in self.first],
            "bled_ah": [round(ah, 4) for ah in self.bled],
            "effect": round(self.effect, 3),
            "age_s": None if self.measured_s is None else now_s - self.measured_s,
            "given_up": self.given_up,
            "give_up_s": max(0.0, self._give_up_until_s - now_s) if self.given_up else 0.0,
        }

    def restore(self, data: Mapping[str, object], now_s: float) -> None:
        """Take what ``to_dict`` gave. Raises ValueError for anything that cannot be.

        How long nobody watched is not known, so the next sure measurement replaces it.
        """
        cells = len(self.left)
        left, first, bled = (
            _amounts(data.get(f"{k}_ah"), cells) for k in ("left", "first", "bled")
        )
        age_s, given_up = data.get("age_s"), data.get("given_up")
        if not isinstance(given_up, int) or not 0 <= given_up < 1 << cells:
            raise ValueError("given_up does not fit the cells")
        give_up_s = _number(data.get("give_up_s"), 0.0, self._plan.give_up_s)
        effect = _number(data.get("effect"), _LEAST_EFFECT, _MOST_EFFECT)
        self.measured_s = None if age_s is None else now_s - _number(age_s, 0.0, inf)
        self.effect = effect
        self.left, self.first, self.bled = left, first, bled
        self.given_up, self._give_up_until_s = given_up, now_s + give_up_s
        self._top = None
        self._is_untouched = False


def _amounts(given: object, count: int) -> list[float]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != count:
        raise ValueError("a list of Ah does not fit the cells")
    return [_number(one, 0.0, _MOST_AH * 1000.0) for one in given]


def _number(given: object, low: float, high: float) -> float:
    if isinstance(given, int | float) and isfinite(given) and low <= given <= high:
        return float(given)
    raise ValueError(f"{given!r} is not a number from {low:g} to {high:g}")
