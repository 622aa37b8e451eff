"""The state of health of the battery: one door to everything in this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, isfinite, nan, sqrt
from typing import Any

from gridzero.battery.ageing.capacity import Capacities
from gridzero.battery.ageing.charge_book import ChargeBook, Flow
from gridzero.battery.ageing.imbalance import Cell, imbalance, smoothed
from gridzero.battery.ageing.kept import BAD, by_name, number
from gridzero.battery.ageing.lasting import Lasting
from gridzero.battery.ageing.life import Life
from gridzero.battery.ageing.maintenance import maintenance
from gridzero.battery.ageing.ranking import usable_ah, weakest_first
from gridzero.battery.ageing.resistance import Resistances, temperature_c
from gridzero.battery.ageing.rests import RestPoint, Rests
from gridzero.battery.ageing.self_discharge import SelfDischarge
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.battery.ageing.throughput import Meter
from gridzero.battery.ageing.warmth import Warmth
from gridzero.domain.ageing import CellHealth, Estimate, HealthReport, Imbalance, ModuleHealth
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import UNTROUBLED, Trust

VERSION = 1
_DAY_S = 86400.0
_LONGEST_HOURS = 120.0 / 3600.0


class StateOfHealth:
    """Learns from what passes by; ``report`` says what is known.

    Call ``update`` about once a second (0.2 to 5 s), with the estimator's charge and the current
    as the shunt gives it, A, > 0 discharge. Nothing here raises for what a device reports.
    """

    def __init__(self, spec: AgeingSpec) -> None:
        self._spec = spec
        self._book = ChargeBook(spec.bleed_ohm)
        self._rests = Rests()
        self._capacities = Capacities(spec)
        self._resistances = Resistances(spec)
        self._self_discharge = SelfDischarge(spec)
        self._warmth = Warmth()
        self._life = Life()
        self._lasting = Lasting()
        self._battery_meter = Meter()
        self._meters: dict[str, Meter] = {}
        self._imbalances: dict[str, Imbalance] = {}
        self._cell_counts: dict[str, int] = {}
        self._trust = UNTROUBLED
        self._days = 0.0
        self._last_s: float | None = None

    def update(
        self,
        charge: BatteryCharge,
        modules: Sequence[ModuleReading],
        current_a: float | None,
        trust: Trust,
        now_s: float,
    ) -> None:
        """See one moment. Calls that are not later than the one before are left out."""
        last_s = self._last_s
        if not isfinite(now_s) or (last_s is not None and now_s <= last_s):
            return
        self._last_s, self._trust = now_s, trust
        days = 0.0 if last_s is None else (now_s - last_s) / _DAY_S
        self._days += days
        self._cell_counts = {name: len(one.cells) for name, one in charge.modules.items()}
        hours = min(24.0 * days, _LONGEST_HOURS)
        self._book.bleed(modules, hours)
        self._warmth.look(modules, trust, hours)
        flow = self._book.count(charge, current_a, trust, now_s)
        if flow is not None:
            self._meter(flow, charge, modules, trust)
        self._resistances.look(modules, current_a, trust, now_s)
        self._rest(charge, trust, flow.current_a if flow is not None else None)

    def cell_ah(self, module: str, place: int) -> Estimate:
        """Capacity of a cell (place from 0), Ah, as far as it is known."""
        whole, part = self._module_part(module), self._capacities.cell(module, place)
        nominal_ah = self._spec.module_ah
        if part is None:
            return Estimate(nominal_ah * whole.value, nominal_ah * whole.sigma)
        value = nominal_ah * whole.value * part.value
        return Estimate(value, value * hypot(whole.sigma / whole.value, part.sigma / part.value))

    def counting_ah(self, module: str, place: int) -> Estimate | None:
        """Capacity of a cell (place from 0) by the estimator's own measures, Ah; None before any.

        It was learned with the estimator's curve, shares and shunt, and goes back to it. So what
        is wrong with those stands on both sides and is not in this sigma: a shunt that shows 1 %
        too much counts right with a capacity that is 1 % too large.
        """
        whole, part = self._capacities.module_fit(module), self._capacities.cell(module, place)
        if whole is None or part is None:
            return None
        value = self._spec.module_ah * whole.value * part.value
        return Estimate(value, value * hypot(whole.sigma / whole.value, part.sigma / part.value))

    def report(self) -> HealthReport:
        """What is known now."""
        spec = self._spec
        modules = {name: self._module(name, count) for name, count in self._cell_counts.items()}
        known = self._capacities.segments > 0
        nominal_ah = spec.module_ah * max(1, len(modules))
        health = self._capacities.battery() if known else None
        end_ah = spec.end_part * nominal_ah
        return HealthReport(
            days=self._days,
            capacity_ah=Estimate(health.value * nominal_ah, health.sigma * nominal_ah)
            if health
            else None,
            health=health,
            ohm=_in_parallel([module.ohm for module in modules.values()]),
            offset_a=self._capacities.offset_a if known else None,
            throughput=self._battery_meter.report(nominal_ah * self._capacities.battery().value),
            modules=modules,
            ranking=weakest_first(modules),
            maintenance=maintenance(
                modules, self._trust, self._lasting.staying(), spec.end_part * spec.module_ah
            ),
            life=self._life.remaining(end_ah),
        )

    # --- learning -----------------------------------------------------------------------------

    def _meter(
        self, flow: Flow, charge: BatteryCharge, modules: Sequence[ModuleReading], trust: Trust
    ) -> None:
        readings = {module.name: module for module in modules}
        sums_v = [sum(v for v in one.cell_v if v is not None) for one in modules if one.cell_v]
        volts = trust.common_v or (sorted(sums_v)[len(sums_v) // 2] if sums_v else nan)
        temps: list[float] = []
        for name, current_a in flow.module_a.items():
            cells = charge.modules[name].cells
            soc = sum(cell.soc for cell in cells) / len(cells) if cells else None
            temp_c = temperature_c(readings[name]) if name in readings else nan
            temps += [temp_c] if isfinite(temp_c) else []
            self._meters.setdefault(name, Meter()).add(flow.hours, current_a, volts, soc, temp_c)
        mean_c = sum(temps) / len(temps) if temps else None
        self._battery_meter.add(flow.hours, flow.current_a, volts, charge.soc, mean_c)

    def _rest(self, charge: BatteryCharge, trust: Trust, current_a: float | None) -> None:
        battery_ah = self._spec.module_ah * len(charge.modules)
        point = self._rests.look(charge, self._book, trust, self._days, battery_ah, current_a)
        if point is None:
            return
        self._self_discharge.take(point)
        self._balance(point)
        if self._capacities.take(point):
            self._life.note(self._days, self._varying(battery_ah))
        self._resistances.later(point.day)

    def _varying(self, battery_ah: float) -> Estimate:
        now = self._capacities.fit()
        return Estimate(now.value * battery_ah, now.sigma * battery_ah)

    def _balance(self, point: RestPoint) -> None:
        for name in point.cells:
            sure = point.sure(name)
            seen = imbalance(
                [
                    Cell(c.soc, min(c.sigma, 0.004), self.cell_ah(name, i).value)
                    for i, c in sure.items()
                ]
            )
            if seen is not None:
                self._imbalances[name] = smoothed(self._imbalances.get(name), seen)
                self._lasting.note(name, point.day, self._imbalances[name])

    # --- reporting ----------------------------------------------------------------------------

    def _module_part(self, name: str) -> Estimate:
        """Capacity over nominal; as the whole battery's while nothing else is known."""
        own = self._capacities.module(name)
        if own is not None:
            return own
        whole = self._capacities.battery()
        return Estimate(whole.value, hypot(whole.sigma, self._spec.share_sigma))

    def _module(self, name: str, count: int) -> ModuleHealth:
        part = self._capacities.module(name)
        nominal_ah = self._spec.module_ah
        capacity_ah = Estimate(part.value * nominal_ah, part.sigma * nominal_ah) if part else None
        cells = tuple(self._cell(name, i) for i in range(count))
        return ModuleHealth(
            name=name,
            capacity_ah=capacity_ah,
            usable_ah=usable_ah(capacity_ah, cells),
            ohm=self._resistances.module(name, count),
            growth=self._resistances.module_growth(name, count),
            imbalance=self._imbalances.get(name),
            warmer_c=self._warmth.warmer_c(name),
            throughput=self._meters.get(name, Meter()).report(
                nominal_ah * self._module_part(name).value
            ),
            cells=cells,
        )

    def _cell(self, module: str, place: int) -> CellHealth:
        return CellHealth(
            relative_capacity=self._capacities.cell(module, place),
            ohm=self._resistances.cell(module, place),
            growth=self._resistances.growth(module, place),
            self_discharge_ma=self._self_discharge.cell_ma(
                module, place, self.cell_ah(module, place).value
            ),
        )

    # --- keeping ------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Everything learned, as plain values for json.dumps."""
        return {
            "version": VERSION,
            "days": self._days,
            "capacities": self._capacities.to_dict(),
            "resistances": self._resistances.to_dict(),
            "self_discharge": self._self_discharge.to_dict(),
            "life": self._life.to_list(),
            "lasting": self._lasting.to_dict(),
            "throughput": {
                "battery": self._battery_meter.to_dict(),
                "modules": {name: one.to_dict() for name, one in self._meters.items()},
            },
        }

    def restore(self, values: Mapping[str, Any], age_s: float) -> tuple[str, ...]:
        """Take what to_dict wrote age_s ago, before the first update. Never raises.

        Returns a reason for everything that was left out; empty when all fitted. Content of
        another version is left out as a whole: keep it aside.
        """
        try:
            if by_name(values)["version"] != VERSION:
                return (f"written by version {values['version']!r}, this is {VERSION}",)
            days = number(values["days"], 0.0, 1e6)
        except BAD as error:
            return (f"state of health: {error!r}",)
        reasons = [
            *self._capacities.restore(values.get("capacities")),
            *self._resistances.restore(values.get("resistances")),
            *self._self_discharge.restore(values.get("self_discharge")),
            *self._life.restore(values.get("life")),
            *self._lasting.restore(values.get("lasting")),
            *self._restore_meters(values.get("throughput")),
        ]
        self._days = days
        if isfinite(age_s) and age_s >= 0.0:
            self._days += age_s / _DAY_S
        else:
            self._self_discharge.forget_time()
            reasons.append("self-discharge: nobody knows how old it is")
        return tuple(reasons)

    def _restore_meters(self, values: Any) -> list[str]:
        try:
            battery = Meter.from_dict(values["battery"])
            meters = {n: Meter.from_dict(one) for n, one in by_name(values["modules"]).items()}
        except BAD as error:
            return [f"throughput: {error!r}"]
        self._battery_meter, self._meters = battery, meters
        return []


def _in_parallel(ohms: Sequence[Estimate | None]) -> Estimate | None:
    """Resistance of all modules together; None while one is not known."""
    known = [one for one in ohms if one is not None and one.value > 0.0]
    if not known or len(known) < len(ohms):
        return None
    whole = 1.0 / sum(1.0 / one.value for one in known)
    sigma = whole**2 * sqrt(sum((one.sigma / one.value**2) ** 2 for one in known))
    return Estimate(whole, sigma)
