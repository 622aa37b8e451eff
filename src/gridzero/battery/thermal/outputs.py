"""Heater and fan: when they run, and that they are not switched too often."""

from __future__ import annotations

from math import inf

from gridzero.battery.thermal.rules import ThermalRules
from gridzero.domain.charge import BatteryCharge

_COOL_C = 10.0


class Toggle:
    """An output with least times on and off."""

    def __init__(self, least_on_s: float, least_off_s: float) -> None:
        self._least_on_s, self._least_off_s = least_on_s, least_off_s
        self.is_on = False
        self.since_s = -inf

    def ask(self, now_s: float, *, wanted: bool, forbidden: bool = False) -> bool:
        """Whether it is on now. What is forbidden goes off at once, whatever the least time."""
        least_s = self._least_on_s if self.is_on else self._least_off_s
        may_change = forbidden or now_s - self.since_s >= least_s
        goal = wanted and not forbidden
        if goal is not self.is_on and may_change:
            self.is_on, self.since_s = goal, now_s
        return self.is_on


class Fan:
    """On when hot or soon hot, and while current flows through what nobody can feel."""

    def __init__(self, rules: ThermalRules) -> None:
        self._rules = rules
        self._toggle = Toggle(rules.least_on_s, rules.least_off_s)

    def update(
        self, now_s: float, hottest_c: float | None, predicted_c: float | None, *, current: bool
    ) -> bool:
        """current: some current flows, or nobody knows."""
        rules, is_on = self._rules, self._toggle.is_on
        if hottest_c is None or predicted_c is None:
            return self._toggle.ask(now_s, wanted=current)
        worst_c = max(hottest_c, predicted_c - rules.fan_ahead_c)
        limit_c = rules.fan_off_c if is_on else rules.fan_on_c
        # on for want of a temperature, it must not blow against the heater once one is known
        is_cool = worst_c < rules.fan_off_c - _COOL_C
        return self._toggle.ask(now_s, wanted=worst_c >= limit_c, forbidden=is_cool)


class Heater:
    """Warms the battery before a charge; found useless when it does not.

    heat_c_per_h: how fast it warms, learned.
    """

    def __init__(self, rules: ThermalRules) -> None:
        self._rules = rules
        self._toggle = Toggle(rules.least_on_s, rules.least_off_s)
        self._began: tuple[float, float] | None = None
        self._wants = False
        self._is_charged = False
        self._locked_until_s = -inf
        self.heat_c_per_h = rules.heat_c_per_h
        self.is_useless = False

    @property
    def is_on(self) -> bool:
        """What the output shall do."""
        return self._toggle.is_on

    def acknowledge(self) -> None:
        """A person has looked at it: try again now."""
        self.is_useless, self._locked_until_s = False, -inf

    def seconds_to_c(self, temp_c: float, goal_c: float) -> float:
        """How long it takes to warm so far, s."""
        return max(0.0, goal_c - temp_c) / self.heat_c_per_h * 3600.0

    def update(
        self,
        now_s: float,
        bounds_c: tuple[float, float] | None,
        charge: BatteryCharge | None,
        *,
        wants_charge: bool,
        needed_in_s: float | None,
        forbidden: bool,
    ) -> bool:
        """bounds_c: of the coldest and the hottest sensor, None while any is unknown.

        needed_in_s: when it should be warm, None = nobody said.
        """
        if bounds_c is None:
            return self._off(now_s)
        coldest_c, hottest_c = bounds_c
        may = not (forbidden or now_s < self._locked_until_s) and self._rules.has_heater
        may = may and hottest_c < self._rules.heat_max_c and self._has_charge(charge)
        if not may:
            return self._off(now_s)
        wanted = wants_charge or self._is_soon(coldest_c, needed_in_s)
        limit_c = self._rules.warm_until_c if self._wants else self._rules.warm_below_c
        self._wants = wanted and coldest_c < limit_c
        self._toggle.ask(now_s, wanted=self._wants)
        self._watch(now_s, coldest_c)
        return self.is_on

    def _off(self, now_s: float) -> bool:
        self._wants, self._began = False, None
        return self._toggle.ask(now_s, wanted=False, forbidden=True)

    def _is_soon(self, coldest_c: float, needed_in_s: float | None) -> bool:
        """Time to begin, so that it is warm when it is needed."""
        if needed_in_s is None or not needed_in_s >= 0.0:
            return False
        return self.seconds_to_c(coldest_c, self._rules.warm_until_c) >= needed_in_s

    def _has_charge(self, charge: BatteryCharge | None) -> bool:
        """Never from an empty battery; a charge that nobody knows counts as empty."""
        least = self._rules.heat_from_soc + (0.0 if self._is_charged else 0.03)
        self._is_charged = charge is not None and not charge.is_empty and charge.soc >= least
        return self._is_charged

    def _watch(self, now_s: float, coldest_c: float) -> None:
        if not self.is_on:
            self._began = None
            return
        if self._began is None:
            self._began = (now_s, coldest_c)
        began_s, began_c = self._began
        if now_s - began_s < self._rules.useless_s:
            return
        rise_c = coldest_c - began_c
        self.is_useless = rise_c < self._rules.useless_c
        if self.is_useless:
            self._locked_until_s = now_s + self._rules.retry_s
            self._off(now_s)
            return
        seen_c_per_h = rise_c / (now_s - began_s) * 3600.0
        self.heat_c_per_h += 0.5 * (seen_c_per_h - self.heat_c_per_h)
        self._began = (now_s, coldest_c)
