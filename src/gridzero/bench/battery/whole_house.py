"""A shed for days: the simulated modules, what devices say of them, and the real battery logic.

What the ``gridzero.battery.battery.Battery`` is told is as wrong as in life: cells in steps of 1 mV
with noise, temperatures in steps of 0.5 K with the two offsets that the protocol notes leave open,
a shunt with steps, a gain of 1 % and 250 mA too much, converters that know their current within a
few percent. Its limits and its bleeding are obeyed. One step is some seconds; nothing is sent over
a wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import cos, pi
from random import Random
from typing import Any, NamedTuple

from gridzero.battery.battery import Battery, BatteryRules
from gridzero.battery.cells.catalogue import VW_GTE
from gridzero.battery.limits import Ratings
from gridzero.battery.plausibility.flow import Flow
from gridzero.battery.profile import VW_GTE_12S
from gridzero.battery.seen import Seen
from gridzero.bench.battery.household import QuickPack
from gridzero.bench.battery.twin import own_curve
from gridzero.domain.condition import NOTHING_KNOWN, Condition
from gridzero.domain.readings import CurrentReading, ModuleReading, Temperature
from gridzero.sim.household import Household
from gridzero.sim.pack import PackModel
from gridzero.sim.sources import Sun

DAY_S = 86400.0
_RATED_A, _MODULE_A = 50.0, 12.5  # of nine modules, and of one, as in the reference house
_LEAST_A = 0.3
_STEP_A = 0.0104  # ads1115_shunt: one step with the usual shunt
_READ_SIGMA_V = 0.0005
_LOW_C, _HIGH_C = -3.0, 0.0  # vw-gte protocol notes, section 3: raw / 2 less 43 or less 40
_SENSORS = 3

Cell = tuple[str, int]
"""A module and a cell of it, counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is lived.

    own_curve: the estimator has the cells' own table of rest voltages. unlevel: by how much a cell
    holds more than the others, 0..1. small: capacity of a cell, relative. leaks_ma: what a cell
    loses by itself. misread_v: what a sensor adds. restarts: the process begins anew each day at
    noon from what it stored, two minutes later. shed_c: mean temperature of the room, and by how
    much a day moves it up and down.
    """

    modules: Mapping[str, int]
    step_s: float = 4.0
    own_curve: bool = False
    capacity_spread: float = 0.02
    offset_a: float = 0.25
    gain: float = 1.01
    unlevel: Mapping[Cell, float] = field(default_factory=dict)
    small: Mapping[Cell, float] = field(default_factory=dict)
    leaks_ma: Mapping[Cell, float] = field(default_factory=dict)
    misread_v: Mapping[Cell, float] = field(default_factory=dict)
    restarts: bool = False
    shed_c: tuple[float, float] = (16.0, 5.0)
    seed: int = 1


class Moment(NamedTuple):
    """One step later. wanted_a: what the house would have liked."""

    now_s: float
    condition: Condition
    wanted_a: float


class Days:
    """Lives; ``pack`` is the truth, ``battery`` what is believed of it."""

    def __init__(self, life: Life) -> None:
        self.life = life
        model = PackModel(capacity_spread=life.capacity_spread)
        self.pack = QuickPack(
            life.modules, soc=0.5, temp_c=life.shed_c[0], model=model, seed=life.seed
        )
        for (module, cell), more in life.unlevel.items():
            here = self.pack.cell_soc(module)[cell - 1]
            self.pack.set_cell_soc(module, cell, here + more)
        for (module, cell), part in life.small.items():
            self.pack.scale(module, part, cell)
        self.now_s = 0.0
        self.condition = NOTHING_KNOWN
        self.refused: list[str] = []
        self._parts = sum(life.modules.values()) / 108.0
        self.battery = self._made()
        self._started_s = 0.0
        self._told_a = 0.0
        self._dice = Random(life.seed)
        self._load = Household(life.seed)
        self._sun = Sun(4000.0, cloudiness=0.5, seed=life.seed)

    def run(self, days: float, see: Callable[[Moment], None]) -> None:
        """Live on for so long."""
        ends_s = self.now_s + days * DAY_S
        while self.now_s < ends_s:
            see(self.step())
            if self.life.restarts and self.now_s % DAY_S == DAY_S / 2.0:
                self._restart()

    def step(self) -> Moment:
        """One step of the shed, and one look of the battery at it."""
        life, pack = self.life, self.pack
        wanted_a = self._wanted_a()
        self._told_a = self._allowed_a(wanted_a)
        pack.ambient_c = life.shed_c[0] - life.shed_c[1] * cos(2 * pi * self.now_s / DAY_S - 0.8)
        pack.advance(life.step_s, self._told_a, step_s=life.step_s)
        for (module, cell), ma in life.leaks_ma.items():
            pack.drain(module, cell, ma / 1000.0 * life.step_s / 3600.0)
        self.now_s += life.step_s
        self.condition = self.battery.update(self._seen(wanted_a))
        self._obey()
        return Moment(self.now_s, self.condition, wanted_a)

    # --- the house ----------------------------------------------------------------------------

    def _wanted_a(self) -> float:
        """A > 0 discharges; converters do nothing below some watts."""
        missing_w = 1.5 * self._load.power_w(self.now_s) - self._sun.power_w(self.now_s)
        wanted_a = self._parts * missing_w / self.pack.terminal_v
        return wanted_a if abs(wanted_a) >= _LEAST_A * self._parts else 0.0

    def _allowed_a(self, wanted_a: float) -> float:
        limits = self.condition.limits
        if limits is None:
            return 0.0
        return max(-limits.charge_a, min(limits.discharge_a, wanted_a))

    def _obey(self) -> None:
        balancing = self.condition.balancing
        asked = balancing.cells if balancing is not None else {}
        for name in self.pack.modules:
            self.pack.bleed(name, asked.get(name, 0))

    # --- what is seen of it -------------------------------------------------------------------

    def _seen(self, wanted_a: float) -> Seen:
        now_s, told_a = self.now_s, self._told_a
        shown_a = self.life.gain * told_a + self.life.offset_a + self._dice.gauss(0.0, 0.03)
        return Seen(
            now_s=now_s,
            running_s=now_s - self._started_s,
            modules=tuple(self._reading(name) for name in self.pack.modules),
            shunt=CurrentReading(now_s, _STEP_A * round(shown_a / _STEP_A)),
            flow=Flow(dc_a=told_a * self._dice.uniform(0.97, 1.03), at_rest=told_a == 0.0),
            told_charge_a=max(0.0, -told_a),
            told_discharge_a=max(0.0, told_a),
            wants_charge=wanted_a < 0.0,
        )

    def _reading(self, name: str) -> ModuleReading:
        gauss = self._dice.gauss
        volts = [v + gauss(0.0, _READ_SIGMA_V) for v in self.pack.cell_v(name)]
        for (module, cell), more_v in self.life.misread_v.items():
            if module == name:
                volts[cell - 1] += more_v
        temp_c = round(2.0 * (self.pack.temp_c(name) + gauss(0.0, 0.1))) / 2.0
        return ModuleReading(
            bus=name[:-1],
            number=int(name[-1]),
            cell_v=tuple(round(v, 3) for v in volts),
            cell_at_s=(self.now_s,) * len(volts),
            temps=(Temperature(temp_c + _LOW_C, temp_c + _HIGH_C),) * _SENSORS,
            temp_at_s=self.now_s,
            bleeding=self.pack.bleeding(name),
        )

    # --- the process --------------------------------------------------------------------------

    def _made(self) -> Battery:
        return Battery(
            BatteryRules(
                profile=VW_GTE_12S,
                ratings=Ratings(
                    max_charge_a=_RATED_A * self._parts,
                    max_discharge_a=_RATED_A * self._parts,
                    max_module_a=_MODULE_A,
                ),
                cell=own_curve() if self.life.own_curve else VW_GTE,
                module_ah=VW_GTE.capacity_ah,
            )
        )

    def _restart(self) -> None:
        """Two minutes pass, with bleeding stopped and no current."""
        stored: dict[str, Any] = self.battery.to_dict()
        for name in self.pack.modules:
            self.pack.bleed(name, 0)
        self.pack.advance(120.0, 0.0, step_s=self.life.step_s)
        self.now_s += 120.0
        self.battery, self._started_s = self._made(), self.now_s
        self.condition = NOTHING_KNOWN
        self.refused += self.battery.restore(stored, 120.0)
