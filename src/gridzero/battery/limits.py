"""What the battery bears now: falls at once, recovers slowly, full and empty have memory."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.battery.curve import freshness
from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.reasons import Because

Factor = tuple[float, Because]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Currents the owner allows, A: for the whole pack and per healthy parallel module."""

    max_charge_a: float
    max_discharge_a: float
    max_module_a: float


class _Memory:
    """A state that begins beyond one threshold and ends beyond another."""

    def __init__(self) -> None:
        self.active = False

    def update(self, begins: bool, ends: bool) -> bool:
        self.active = begins or (self.active and not ends)
        return self.active


class LimitKeeper:
    """Turns battery views into current limits.

    Everything absent refuses: each factor is 0 for unknown inputs.
    """

    def __init__(self, profile: Profile, ratings: Ratings) -> None:
        self._profile = profile
        self._ratings = ratings
        self._full, self._empty, self._over, self._under = (_Memory() for _ in range(4))
        self._charge = _SlowRise(profile.recovery_per_s)
        self._discharge = _SlowRise(profile.recovery_per_s)

    def update(self, view: BatteryView | None, now_s: float) -> CurrentLimits:
        """Limits at now_s; call at every protect tick."""
        if view is None or view.max_cell_v is None or view.min_cell_v is None:
            charge = discharge = (0.0, Because.BATTERY_UNKNOWN)
        else:
            common = self._common(view)
            charge = min(common, *self._charging(view, view.max_cell_v), key=_fraction)
            discharge = min(common, *self._discharging(view, view.min_cell_v), key=_fraction)
        healthy = view.healthy if view else 0
        charge = self._charge.follow(charge, now_s)
        discharge = self._discharge.follow(discharge, now_s)
        module_a = self._ratings.max_module_a * healthy
        return CurrentLimits(
            charge_a=charge[0] * min(self._ratings.max_charge_a, module_a),
            discharge_a=discharge[0] * min(self._ratings.max_discharge_a, module_a),
            charge_because=charge[1],
            discharge_because=discharge[1],
            max_v=self._profile.max_cell_v * self._profile.series_cells,
            cell_over=self._over.active,
            cell_under=self._under.active,
        )

    def _common(self, view: BatteryView) -> Factor:
        """What holds for both directions."""
        p = self._profile
        return min(
            (1.0, Because.CURRENT_LIMIT),
            (0.0 if view.implausible else 1.0, Because.CELL_IMPLAUSIBLE),
            (freshness(view.volt_age_s, p.volt_fresh_s, p.volt_dead_s), Because.BATTERY_STALE),
            (
                freshness(view.temp_age_s, p.temp_fresh_s, p.temp_dead_s),
                Because.TEMPERATURE_UNKNOWN,
            ),
            key=_fraction,
        )

    def _charging(self, view: BatteryView, max_cell_v: float) -> list[Factor]:
        p = self._profile
        full = self._full.update(max_cell_v >= p.full_cell_v, max_cell_v < p.full_release_v)
        over = self._over.update(max_cell_v > p.over_cell_v, max_cell_v < p.over_release_v)
        return [
            (0.0 if over else 1.0, Because.CELL_OVER),
            (0.0 if full else 1.0, Because.CELL_FULL),
            (p.charge_by_cell_v.at(max_cell_v), Because.CELL_HIGH),
            (p.charge_by_cold_c.at(view.low_c), Because.TOO_COLD),
            (p.charge_by_hot_c.at(view.high_c), Because.TOO_HOT),
        ]

    def _discharging(self, view: BatteryView, min_cell_v: float) -> list[Factor]:
        p = self._profile
        empty = self._empty.update(min_cell_v <= p.empty_cell_v, min_cell_v > p.empty_release_v)
        under = self._under.update(min_cell_v < p.under_cell_v, min_cell_v > p.under_release_v)
        return [
            (0.0 if under else 1.0, Because.CELL_UNDER),
            (0.0 if empty else 1.0, Because.CELL_EMPTY),
            (p.discharge_by_cell_v.at(min_cell_v), Because.CELL_LOW),
            (p.discharge_by_cold_c.at(view.low_c), Because.TOO_COLD),
            (p.discharge_by_hot_c.at(view.high_c), Because.TOO_HOT),
        ]


class _SlowRise:
    """Falls at once, rises by at most so much a second: limits must not flip as cells relax."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._value = 0.0
        self._at_s: float | None = None

    def follow(self, wanted: Factor, now_s: float) -> Factor:
        if self._at_s is None or wanted[0] <= self._value:
            self._value = wanted[0]
        else:
            self._value = min(wanted[0], self._value + self._per_s * (now_s - self._at_s))
        self._at_s = now_s
        return wanted if self._value >= wanted[0] else (self._value, Because.RECOVERING)


def _fraction(factor: Factor) -> float:
    return factor[0]
