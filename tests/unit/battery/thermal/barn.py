"""Simulated modules in a barn, felt through sensors with steps of 0.5 K."""

from __future__ import annotations

from dataclasses import replace

from gridzero.battery.thermal import Thermal, ThermalRules
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.thermal import ThermalState
from gridzero.sim.pack import Pack, PackModel

FULL = BatteryCharge(
    at_s=0.0,
    soc=0.6,
    sigma=0.01,
    capacity_ah=50.0,
    out_ah=30.0,
    in_ah=20.0,
    out_wh=1300.0,
    in_wh=900.0,
    to_empty_s=None,
    to_full_s=None,
    is_full=False,
    is_empty=False,
    anchored_s=None,
    modules={},
)


class Barn:
    """Two modules, and what the thermal rules make of them.

    extra_w: heat that no current explains, by module. heater_w: per module while it is on.
    knows_current: whether the battery current is known.
    """

    def __init__(
        self,
        rules: ThermalRules | None = None,
        *,
        temp_c: float = 20.0,
        model: PackModel | None = None,
    ) -> None:
        endless = replace(model or PackModel(), capacity_ah=1e5)
        self.pack = Pack({"b2": 12, "b3": 12}, soc=0.6, temp_c=temp_c, model=endless)
        self.thermal = Thermal(rules or ThermalRules())
        self.now_s = 0.0
        self.current_a = 0.0
        self.extra_w: dict[str, float] = {}
        self.heater_w = 0.0
        self.charge: BatteryCharge | None = FULL
        self.wants_charge = False
        self.needed_in_s: float | None = None
        self.knows_current = True
        self.changes: dict[str, dict[str, object]] = {}
        self.state: ThermalState = self._look()

    def run(self, seconds: float, step_s: float = 5.0) -> ThermalState:
        """Let time pass; the pack is so large that its charge hardly changes."""
        for _ in range(round(seconds / step_s)):
            self.pack.advance(step_s, self.current_a, step_s=step_s)
            for name in self.pack.modules:
                watts = self.extra_w.get(name, 0.0) + self.heater_w * self.state.heat_on
                more_c = watts * step_s / self.pack.model.heat_j_per_k
                self.pack.set_temp_c(name, self.pack.temp_c(name) + more_c)
            self.now_s += step_s
            self.state = self._look()
        return self.state

    def _look(self) -> ThermalState:
        return self.thermal.update(
            self.now_s,
            [self._reading(name) for name in self.pack.modules],
            self.charge,
            self.current_a if self.knows_current else None,
            wants_charge=self.wants_charge,
            needed_in_s=self.needed_in_s,
        )

    def _reading(self, name: str) -> ModuleReading:
        temp_c = round(2.0 * self.pack.temp_c(name)) / 2.0
        reading = ModuleReading(
            bus=name[0],
            number=int(name[1:]),
            cell_v=tuple(self.pack.cell_v(name)),
            cell_at_s=(self.now_s,) * 12,
            temps=(Temperature(temp_c, temp_c),),
            temp_at_s=self.now_s,
            bleeding=self.pack.bleeding(name),
        )
        return replace(reading, **self.changes.get(name, {}))  # type: ignore[arg-type]  # tests name fields

    def alarms(self) -> list[str]:
        """Codes of what stands."""
        return [alarm.code for alarm in self.state.alarms]
