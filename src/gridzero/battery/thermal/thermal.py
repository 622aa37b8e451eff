"""The heat of the whole battery: prediction, derating, warming up, and what is dangerous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import NamedTuple

from gridzero.battery.thermal.model import ModuleHeat
from gridzero.battery.thermal.outputs import Fan, Heater
from gridzero.battery.thermal.rules import ThermalRules
from gridzero.domain.alarms import Alarm, Level
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.thermal import ThermalState

VERSION = 1
_SOME_A = 1.0


class _Feel(NamedTuple):
    """One module now. low_c, high_c: bounds of its temperature, None when not known."""

    name: str
    low_c: float | None
    high_c: float | None
    ohm: float
    heat: ModuleHeat


class Thermal:
    """Thermal state machine of a battery; pure. Unknown refuses: no heat and no current."""

    def __init__(self, rules: ThermalRules) -> None:
        self._rules = rules
        self._modules: dict[str, ModuleHeat] = {}
        self._stored: dict[str, tuple[float, float]] = {}
        self._heater, self._fan = Heater(rules), Fan(rules)
        self._tripped: dict[str, None] = {}
        self._charge, self._discharge = _Slew(rules), _Slew(rules)
        self._is_cold = True

    def update(
        self,
        now_s: float,
        modules: Sequence[ModuleReading],
        charge: BatteryCharge | None,
        current_a: float | None,
        *,
        wants_charge: bool,
        needed_in_s: float | None = None,
    ) -> ThermalState:
        """Call about once a second.

        current_a: of the battery; None or not a number is taken as the largest there may be.
        wants_charge: there is something to charge with (sun). needed_in_s: until charging is
        expected; heating begins in time.
        """
        feels = [self._feel(reading, charge, current_a, len(modules), now_s) for reading in modules]
        bounds_c = _bounds(feels)
        alarms = self._runaway(feels)
        flows = current_a is None or not abs(current_a) < _SOME_A
        predicted = {f.name: f.heat.predicted_c for f in feels}
        fan_on = self._fan.update(
            now_s, bounds_c[1] if bounds_c else None, _hottest(predicted), current=flows
        )
        heat_on = self._heater.update(
            now_s,
            bounds_c,
            charge,
            wants_charge=wants_charge,
            needed_in_s=needed_in_s,
            forbidden=bool(self._tripped),
        )
        charge_goal, discharge_goal, because = self._goals(feels, bounds_c)
        if heat_on and bounds_c:
            because.append(f"heating: the coldest module has {bounds_c[0]:.1f} °C")
        ambients = [f.heat.surroundings.ambient_c for f in feels if f.heat.surroundings]
        return ThermalState(
            at_s=now_s,
            predicted_c=predicted,
            hottest_c=bounds_c[1] if bounds_c else None,
            coldest_c=bounds_c[0] if bounds_c else None,
            ambient_c=sum(ambients) / len(ambients) if ambients else None,
            charge_factor=self._charge.follow(now_s, charge_goal),
            discharge_factor=self._discharge.follow(now_s, discharge_goal),
            heat_on=heat_on,
            fan_on=fan_on,
            warm_in_s=self._warm_in_s(bounds_c),
            because=tuple(because),
            alarms=(*alarms, *self._useless()),
        )

    def acknowledge(self) -> None:
        """A person has looked: what is over is forgotten, a useless heater is tried again."""
        for name in list(self._tripped):
            if not self._is_odd(name):
                del self._tripped[name]
        self._heater.acknowledge()

    # -- what is felt

    def _feel(
        self,
        reading: ModuleReading,
        charge: BatteryCharge | None,
        current_a: float | None,
        count: int,
        now_s: float,
    ) -> _Feel:
        heat = self._modules.get(reading.name)
        if heat is None:
            heat = ModuleHeat(self._rules, self._stored.pop(reading.name, None))
            self._modules[reading.name] = heat
        ohm = self._ohm(reading, charge)
        low_c, high_c = self._temp_c(reading, now_s)
        if high_c is None or low_c is None:
            heat.forget()
        else:
            amps = self._amps(reading.name, charge, current_a, count)
            watts = amps * amps * ohm + self._rules.bleed_w * reading.bleeding.bit_count()
            heat.sensors_are(len(reading.temps))
            heat.update(now_s, high_c, watts, heated=self._heater.is_on)
        return _Feel(reading.name, low_c, high_c, ohm, heat)

    def _temp_c(self, reading: ModuleReading, now_s: float) -> tuple[float | None, float | None]:
        """A sensor beyond its range is not a number either; limits of the profile call it hot."""
        at_s = reading.temp_at_s
        if at_s is None or not now_s - at_s <= self._rules.fresh_s or reading.over_range_temp:
            return None, None
        low_c = min((t.low_c for t in reading.temps), default=inf)
        high_c = max((t.high_c for t in reading.temps), default=inf)
        known = all(isfinite(t.low_c) and isfinite(t.high_c) for t in reading.temps)
        return (low_c, high_c) if known and isfinite(high_c) else (None, None)

    def _amps(
        self, name: str, charge: BatteryCharge | None, current_a: float | None, count: int
    ) -> float:
        """Current of the module; the largest there may be while nobody knows."""
        own = charge.modules.get(name) if charge else None
        if own is not None and isfinite(own.current_a):
            return own.current_a
        if current_a is None or not isfinite(current_a):
            return self._rules.full_a
        return current_a / count

    def _ohm(self, reading: ModuleReading, charge: BatteryCharge | None) -> float:
        own = charge.modules.get(reading.name) if charge else None
        known = sum(cell.ohm for cell in own.cells) if own else 0.0
        assumed = self._rules.ohm * len(reading.cell_v)
        return known if 0.0 < known < 10.0 * assumed else assumed

    # -- what follows

    def _goals(
        self, feels: Sequence[_Feel], bounds_c: tuple[float, float] | None
    ) -> tuple[float, float, list[str]]:
        """Fractions of full current for charge and discharge, and why not all of it."""
        if self._tripped:
            return 0.0, 0.0, ["a module warms by itself"]
        if bounds_c is None:
            missing = [f.name for f in feels if f.high_c is None]
            return 0.0, 0.0, [f"temperature not known: {', '.join(missing) or 'no module'}"]
        rules = self._rules
        because: list[str] = []
        charge = self._bearable(feels, rules.charge_limit_c, "charge", because)
        discharge = self._bearable(feels, rules.discharge_limit_c, "discharge", because)
        limit_c = rules.cold_release_c if self._is_cold else rules.cold_block_c
        self._is_cold = not bounds_c[0] >= limit_c
        if self._is_cold:
            because.append(f"no charge: the coldest module has {bounds_c[0]:.1f} °C")
        return (0.0 if self._is_cold else charge), discharge, because

    def _bearable(
        self, feels: Sequence[_Feel], limit_c: float, what: str, because: list[str]
    ) -> float:
        amps, name = min((f.heat.bearable_a(limit_c, f.ohm), f.name) for f in feels)
        factor = min(1.0, amps / self._rules.full_a)
        if factor < 1.0:
            minutes = self._rules.horizon_s / 60.0
            because.append(
                f"{what} {factor:.0%}: with more {name} would be above {limit_c:g} °C"
                f" in {minutes:.0f} min"
            )
        return factor

    def _warm_in_s(self, bounds_c: tuple[float, float] | None) -> float | None:
        if bounds_c is None:
            return None
        if not self._is_cold:
            return 0.0
        if not self._rules.has_heater or self._heater.is_useless:
            return None
        return self._heater.seconds_to_c(bounds_c[0], self._rules.cold_release_c)

    # -- what is dangerous

    def _is_odd(self, name: str) -> bool:
        module = self._modules.get(name)
        return module is not None and module.odd.warming_c >= self._rules.odd_release_c

    def _runaway(self, feels: Sequence[_Feel]) -> tuple[Alarm, ...]:
        for feel in feels:
            if feel.heat.odd.warming_c >= self._rules.odd_c:
                self._tripped[feel.name] = None
        return tuple(self._self_heating(name) for name in self._tripped)

    def _self_heating(self, name: str) -> Alarm:
        minutes = self._rules.odd_s / 60.0
        return Alarm(
            code="self_heating",
            subject=name,
            level=Level.TRIP,
            text=f"{name} warmed more than {self._rules.odd_c:g} K within {minutes:.0f} minutes"
            " beyond what its current explains",
            stops_charge=True,
            stops_discharge=True,
            is_latched=not self._is_odd(name),
        )

    def _useless(self) -> tuple[Alarm, ...]:
        if not self._heater.is_useless:
            return ()
        rules = self._rules
        text = f"less than {rules.useless_c:g} K in {rules.useless_s / 60.0:.0f} min of heating"
        return (Alarm(code="heater_useless", subject="battery", level=Level.WARN, text=text),)

    # -- what is kept over a restart

    def to_dict(self) -> dict[str, object]:
        """What was learned, for the state file. Modules not seen since are kept."""
        seen = {
            name: (one.surroundings.ambient_c, one.surroundings.tau_s)
            for name, one in self._modules.items()
            if one.surroundings is not None
        }
        modules = {
            name: {"ambient_c": round(ambient_c, 2), "tau_s": round(tau_s, 1)}
            for name, (ambient_c, tau_s) in {**self._stored, **seen}.items()
        }
        heat_c_per_h = self._heater.heat_c_per_h
        tripped = list(self._tripped)
        return {
            "version": VERSION,
            "heat_c_per_h": heat_c_per_h,
            "modules": modules,
            "tripped": tripped,
        }

    def restore(self, data: Mapping[str, object]) -> None:
        """Take what ``to_dict`` gave; call before the first update.

        Raises ValueError for another version or shape. Numbers that cannot be are left out: they
        are learned again. A trip that nobody acknowledged goes on.
        """
        modules, tripped = data.get("modules"), data.get("tripped")
        shapes = isinstance(modules, Mapping) and isinstance(tripped, list)
        if data.get("version") != VERSION or not shapes:
            raise ValueError("not a thermal state of this version")
        assert isinstance(modules, Mapping)
        assert isinstance(tripped, list)
        for name, one in modules.items():
            learned = self._learned(one)
            if learned is not None:
                self._stored[str(name)] = learned
        self._tripped = dict.fromkeys(map(str, tripped))
        speed = _number(data.get("heat_c_per_h"), 0.1, 100.0)
        self._heater.heat_c_per_h = speed or self._rules.heat_c_per_h

    def _learned(self, one: object) -> tuple[float, float] | None:
        if not isinstance(one, Mapping):
            return None
        ambient_c = _number(one.get("ambient_c"), -40.0, 60.0)
        tau_s = _number(one.get("tau_s"), self._rules.least_tau_s, self._rules.most_tau_s)
        return None if ambient_c is None or tau_s is None else (ambient_c, tau_s)


class _Slew:
    """A factor that moves slowly, because heat does; nothing at all is at once."""

    def __init__(self, rules: ThermalRules) -> None:
        self._rules = rules
        self._value: float | None = None
        self._at_s = -inf

    def follow(self, now_s: float, goal: float) -> float:
        seconds, self._at_s = max(0.0, now_s - self._at_s), now_s
        if self._value is None:  # what was never known has not been hot: no climb from 0
            self._value = goal if goal > 0.0 else None
        elif not goal > 0.0:
            self._value = 0.0
        elif goal < self._value:
            self._value = max(goal, self._value - self._rules.fall_per_s * seconds)
        else:
            self._value = min(goal, self._value + self._rules.rise_per_s * seconds)
        return self._value or 0.0


def _bounds(feels: Sequence[_Feel]) -> tuple[float, float] | None:
    """Coldest and hottest; None while any module is unknown, or there is none."""
    low = [f.low_c for f in feels if f.low_c is not None]
    high = [f.high_c for f in feels if f.high_c is not None]
    return (min(low), max(high)) if feels and len(low) == len(high) == len(feels) else None


def _hottest(predicted: Mapping[str, float | None]) -> float | None:
    known = [c for c in predicted.values() if c is not None]
    return max(known) if known and len(known) == len(predicted) else None


def _number(given: object, low: float, high: float) -> float | None:
    if isinstance(given, int | float) and isfinite(given) and low <= given <= high:
        return float(given)
    return None
