"""What the battery bears now: falls at once, recovers slowly, full and empty have memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridzero.battery.curve import Curve, freshness
from gridzero.battery.profile import Profile
from gridzero.battery.rest import Rest, RestKeeper
from gridzero.battery.share import ShareKeeper
from gridzero.domain.alarms import Alarm, Level
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.reasons import Because

Factor = tuple[float, Because]

_BECAUSE = {
    "cell_over": Because.CELL_OVER,
    "cell_under": Because.CELL_UNDER,
    "cell_implausible": Because.CELL_IMPLAUSIBLE,
    "too_hot": Because.TOO_HOT,
    "hot_charge": Because.TOO_HOT,
    "too_cold": Because.TOO_COLD,
    "cold_discharge": Because.TOO_COLD,
    "module_silent": Because.BATTERY_STALE,
    "module_frozen": Because.BATTERY_STALE,
    "temp_missing": Because.TEMPERATURE_UNKNOWN,
    "temp_odd": Because.TEMPERATURE_UNKNOWN,
    "misread_many": Because.CELL_IMPLAUSIBLE,
    "charge_current": Because.OVER_CURRENT,
    "discharge_current": Because.OVER_CURRENT,
    "module_current": Because.OVER_CURRENT,
    "current_integral": Because.OVER_CURRENT,
    "charging_forbidden": Because.CHARGER_ACTIVE,
    "charging_untold": Because.CHARGER_ACTIVE,
}
"""Reasons that say it better than "a protection"; a trip always says that it is one."""


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

    Everything absent refuses: each factor is 0 for unknown inputs. Tapers look at the voltage
    that cells would have at rest, as far as an estimate tells, so that they do not answer to
    their own current; full, empty and the hard limits look at the measured one.
    """

    def __init__(self, profile: Profile, ratings: Ratings) -> None:
        self._profile = profile
        self._ratings = ratings
        self._rest = RestKeeper(profile)
        self._share = ShareKeeper(ratings.max_module_a)
        self._full, self._empty, self._over, self._under = (_Memory() for _ in range(4))
        self._charge = _SlowRise(profile.recovery_per_s)
        self._discharge = _SlowRise(profile.recovery_per_s)

    def end_full(self) -> bool:
        """Charge again although cells have not come down; False if nothing waited for that."""
        waited, self._full.active = self._full.active, False
        return waited

    def update(
        self,
        view: BatteryView | None,
        now_s: float,
        charge: BatteryCharge | None = None,
        alarms: Sequence[Alarm] = (),
    ) -> CurrentLimits:
        """Limits at now_s; call at every protect tick.

        charge: what is estimated, None = nothing: then tapers look at measured voltages. alarms:
        what the protections say now; those that stop a direction make its limit 0.
        """
        rest = self._rest.look(view, charge, now_s)
        if view is None or rest is None:
            giving = taking = (0.0, Because.BATTERY_UNKNOWN)
        else:
            common = self._common(view)
            giving = min(common, *self._charging(view, rest), key=_fraction)
            taking = min(common, *self._discharging(view, rest), key=_fraction)
        giving = self._charge.follow(_stopped(giving, alarms, charging=True), now_s)
        taking = self._discharge.follow(_stopped(taking, alarms, charging=False), now_s)
        module_a = self._share.battery_a(view.healthy if view else 0, rest and rest.charge)
        return CurrentLimits(
            charge_a=giving[0] * min(self._ratings.max_charge_a, module_a),
            discharge_a=taking[0] * min(self._ratings.max_discharge_a, module_a),
            charge_because=giving[1],
            discharge_because=taking[1],
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

    def _charging(self, view: BatteryView, rest: Rest) -> list[Factor]:
        p, max_v = self._profile, rest.max_terminal_v
        full = self._full.update(max_v >= p.full_cell_v, max(max_v, rest.max_v) < p.full_release_v)
        over = self._over.update(max_v > p.over_cell_v, max_v < p.over_release_v)
        return [
            (0.0 if over else 1.0, Because.CELL_OVER),
            (0.0 if full else 1.0, Because.CELL_FULL),
            (p.charge_by_cell_v.at(rest.max_v), Because.CELL_HIGH),
            (p.charge_by_low_cell_v.at(rest.min_terminal_v), Because.CELL_LOW),
            (_by_soc(p.charge_by_soc, rest, 1.0), Because.SOC_HIGH),
            (p.charge_by_cold_c.at(view.low_c), Because.TOO_COLD),
            (p.charge_by_hot_c.at(view.high_c), Because.TOO_HOT),
        ]

    def _discharging(self, view: BatteryView, rest: Rest) -> list[Factor]:
        p, min_v = self._profile, rest.min_terminal_v
        empty = self._empty.update(
            min_v <= p.empty_cell_v, min(min_v, rest.min_v) > p.empty_release_v
        )
        under = self._under.update(min_v < p.under_cell_v, min_v > p.under_release_v)
        return [
            (0.0 if under else 1.0, Because.CELL_UNDER),
            (0.0 if empty else 1.0, Because.CELL_EMPTY),
            (p.discharge_by_cell_v.at(rest.min_v), Because.CELL_LOW),
            (_by_soc(p.discharge_by_soc, rest, -1.0), Because.SOC_LOW),
            (p.discharge_by_cold_c.at(view.low_c), Because.TOO_COLD),
            (p.discharge_by_hot_c.at(view.high_c), Because.TOO_HOT),
        ]


def _by_soc(curve: Curve, rest: Rest, sign: float) -> float:
    """At the worse end of what the state of charge may be; 1 when nobody estimates it."""
    charge = rest.charge
    return 1.0 if charge is None else curve.at(charge.soc + sign * charge.sigma)


def _stopped(factor: Factor, alarms: Sequence[Alarm], *, charging: bool) -> Factor:
    """0 when a protection refuses this direction. The worst alarm gives the reason."""
    stops = [a for a in alarms if (a.stops_charge if charging else a.stops_discharge)]
    if not stops:
        return factor
    worst = max(stops, key=_level)
    if worst.level is Level.TRIP:
        return 0.0, Because.TRIPPED
    return 0.0, _BECAUSE.get(worst.code, Because.PROTECTED)


def _level(alarm: Alarm) -> Level:
    return alarm.level


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
