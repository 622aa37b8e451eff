"""Which set of units works, and when another set takes over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridzero.control.best_split import BestSets, Plan
from gridzero.domain.converters import ConverterSpec

_ALIKE_W = 0.5  # sets that cost the same within this are equal: then hours decide
_SWITCH_W, _SWITCH_PART = 3.0, 0.01
_BETTER_FOR_S = 20.0
_FEWER_AFTER_S, _ROOM = 120.0, 0.8
_LEAST_RUN_S = 60.0
_ROTATE_S = 6 * 3600.0
_ROTATE_HOURS = 1.0


@dataclass(slots=True)
class Tally:
    """One unit since the start. since_s: when it last started or stopped."""

    hours: float = 0.0
    starts: int = 0
    runs: bool = False
    since_s: float = float("-inf")


class Choice:
    """The set of units that gives a power with the least loss, without flapping.

    A cheaper set takes over when it has been cheaper, by a margin, for 20 s and whoever leaves
    has run for a minute; at once where the old set cannot hold the power. Where units only stop
    and none starts, no margin is needed but two minutes, and a fifth to spare for those that stay.
    Of equal units the one with fewer hours comes first; while running they change places after
    six hours.
    """

    def __init__(self, tallies: Mapping[str, Tally]) -> None:
        self.names: frozenset[str] = frozenset()
        self._tallies = tallies
        self._best = BestSets()
        self._better_since_s: float | None = None
        self._chosen_s = float("-inf")

    def pick(
        self, power_w: float, specs: Mapping[str, ConverterSpec], now_s: float
    ) -> frozenset[str]:
        """The set for now; empty where no unit can hold so little."""
        plans = self._best.plans(power_w, specs)
        if not plans:
            return self._take(frozenset(), now_s)
        best = self._least_used(plans)
        current = next((plan for plan in plans if plan.names == self.names), None)
        if current is None or self._must_change(power_w, current, best, specs):
            return self._take(best.names, now_s)
        if self._may_change(power_w, current, best, specs, now_s):
            return self._take(best.names, now_s)
        return self.names

    def rest(self) -> None:
        """Nothing is wanted: the next start is free in its choice."""
        self.names, self._better_since_s = frozenset(), None

    def _take(self, names: frozenset[str], now_s: float) -> frozenset[str]:
        if names != self.names:
            self.names, self._chosen_s, self._better_since_s = names, now_s, None
        return names

    def _least_used(self, plans: list[Plan]) -> Plan:
        alike_w = plans[0].cost_w + _ALIKE_W
        if len(plans) == 1 or plans[1].cost_w > alike_w:
            return plans[0]
        return min(
            (plan for plan in plans if plan.cost_w <= alike_w),
            key=lambda plan: (len(plan.names), self._hours(plan), plan.cost_w),
        )

    def _hours(self, plan: Plan) -> float:
        return sum(self._tallies[name].hours for name in plan.names)

    def _must_change(
        self, power_w: float, current: Plan, best: Plan, specs: Mapping[str, ConverterSpec]
    ) -> bool:
        """The old set cannot give the power, and the new one gives more of it."""
        able_w = sum(specs[name].max_w for name in current.names)
        return able_w < power_w and able_w < sum(specs[name].max_w for name in best.names)

    def _may_change(
        self,
        power_w: float,
        current: Plan,
        best: Plan,
        specs: Mapping[str, ConverterSpec],
        now_s: float,
    ) -> bool:
        margin_w = _SWITCH_W + _SWITCH_PART * power_w
        wait_s = _BETTER_FOR_S
        if current.cost_w - best.cost_w < margin_w and not self._is_due(current, best, now_s):
            wait_s = _FEWER_AFTER_S
            if not _only_stops(power_w, current, best, specs):
                self._better_since_s = None
                return False
        self._better_since_s = now_s if self._better_since_s is None else self._better_since_s
        ran = all(
            now_s - self._tallies[name].since_s >= _LEAST_RUN_S
            for name in current.names - best.names
        )
        return ran and now_s - self._better_since_s >= wait_s

    def _is_due(self, current: Plan, best: Plan, now_s: float) -> bool:
        """Rotation: equal cost, and the other units have clearly run less."""
        if current.names == best.names or now_s - self._chosen_s < _ROTATE_S:
            return False
        fewer = self._hours(current) - self._hours(best)
        same = len(current.names) == len(best.names) and best.cost_w <= current.cost_w + _ALIKE_W
        return same and fewer >= _ROTATE_HOURS


def _only_stops(
    power_w: float, current: Plan, best: Plan, specs: Mapping[str, ConverterSpec]
) -> bool:
    """Some units go, none comes, and those that stay have room for more."""
    able_w = sum(specs[name].max_w for name in best.names)
    fewer = best.names < current.names and best.cost_w <= current.cost_w
    return fewer and power_w <= _ROOM * able_w
