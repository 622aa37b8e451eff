"""A shed for days: simulated modules, cells whose charge is known with an error, a daily routine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from gridzero.battery.balancing import BalancePlan, Balancer
from gridzero.domain.balancing import BalancingState
from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.trust import UNTROUBLED, Trust
from gridzero.sim.pack import Pack, PackModel, rest_v

DAY_S = 86400.0
CELLS = 12


def routine_a(hour: float) -> float:
    """Current of each module, A, > 0 discharge: sun from 9 to 15, a rest, cooking and lamps till night."""
    if 9.0 <= hour < 15.0:
        return -1.9
    if 17.0 <= hour < 23.0:
        return 1.9
    return 0.0


class Shed:
    """Pack, balancer and an estimate that errs.

    common_sigma, own_sigma: errors of the estimated state of charge, shared by all cells and of
    each cell; both are drawn anew each hour. misread_v: by cell, what its sensor adds.
    spread: state of charge that cells (from 1) hold more than the others. hour: of the day.
    """

    def __init__(
        self,
        spread: Mapping[str, Mapping[int, float]],
        *,
        model: PackModel,
        soc: float = 0.42,
        hour: float = 0.0,
        plan: BalancePlan | None = None,
        common_sigma: float = 0.005,
        own_sigma: float = 0.001,
        trust: Trust = UNTROUBLED,
        misread_v: Mapping[str, float] | None = None,
    ) -> None:
        names = list(spread)
        self.pack = Pack(dict.fromkeys(names, CELLS), soc=soc, model=model, seed=3)
        for name, cells in spread.items():
            for cell, more in cells.items():
                here = self.pack.cell_soc(name)[cell - 1]
                self.pack.set_cell_soc(name, cell, here + more)
        self.balancer = Balancer(plan or BalancePlan())
        self._trust, self._misread_v = trust, dict(misread_v or {})
        self.now_s = hour * 3600.0
        self.bled: set[str] = set()
        self._sigma = common_sigma, own_sigma
        self._dice = Random(7)
        self._error: dict[str, list[float]] = {}
        self._error_until_s = self.now_s
        self._rested_s = 0.0

    def run(
        self,
        hours: float,
        step_s: float = 10.0,
        look: Callable[[float, BalancingState], None] | None = None,
    ) -> BalancingState:
        """Let time pass; returns the last state."""
        ends_s = self.now_s + hours * 3600.0
        while True:
            state = self.step(step_s)
            if look is not None:
                look(self.now_s, state)
            if self.now_s >= ends_s:
                return state

    def step(self, step_s: float) -> BalancingState:
        """One look at the battery and what follows from it."""
        amps = routine_a(self.now_s % DAY_S / 3600.0) * len(self.pack.modules)
        self._rested_s = self._rested_s + step_s if amps == 0.0 else 0.0
        self.pack.advance(step_s, amps, step_s=step_s)
        self.now_s += step_s
        state = self.balancer.update(
            self.now_s,
            [self._reading(name) for name in self.pack.modules],
            self._charge(),
            self._trust,
            allowed=True,
            rest=amps == 0.0,
        )
        for name in self.pack.modules:
            cells = state.cells.get(name, 0)
            self.pack.bleed(name, cells)
            self.bled |= {f"{name}.{i + 1}" for i in range(CELLS) if cells >> i & 1}
        return state

    def spread_v(self, name: str) -> float:
        """Between the highest and the lowest cell of a module at rest, V."""
        volts = [rest_v(soc) for soc in self.pack.cell_soc(name)]
        return max(volts) - min(volts)

    def _reading(self, name: str) -> ModuleReading:
        volts = self.pack.cell_v(name)
        for cell, more_v in self._misread_v.items():
            module, _, number = cell.partition(".")
            if module == name:
                volts[int(number) - 1] += more_v
        temp_c = self.pack.temp_c(name)
        return ModuleReading(
            bus=name[0],
            number=int(name[1:]),
            cell_v=tuple(volts),
            cell_at_s=(self.now_s,) * CELLS,
            temps=(Temperature(temp_c, temp_c),),
            temp_at_s=self.now_s,
            bleeding=self.pack.bleeding(name),
        )

    def _charge(self) -> BatteryCharge:
        if self.now_s >= self._error_until_s:
            self._error = {name: self._draw() for name in self.pack.modules}
            self._error_until_s = self.now_s + 3600.0
        modules = {name: self._module(name) for name in self.pack.modules}
        capacity_ah = self.pack.model.capacity_ah * len(modules)
        return BatteryCharge(
            at_s=self.now_s,
            soc=self.pack.soc,
            sigma=self._sigma[0],
            capacity_ah=capacity_ah,
            out_ah=0.0,
            in_ah=0.0,
            out_wh=0.0,
            in_wh=0.0,
            to_empty_s=None,
            to_full_s=None,
            is_full=False,
            is_empty=False,
            anchored_s=None,
            modules=modules,
        )

    def _draw(self) -> list[float]:
        common, own = self._sigma
        shared = self._dice.gauss(0.0, common)
        return [shared + self._dice.gauss(0.0, own) for _ in range(CELLS)]

    def _module(self, name: str) -> ModuleCharge:
        sigma = sum(self._sigma)
        socs = [a + b for a, b in zip(self.pack.cell_soc(name), self._error[name], strict=True)]
        for cell in self._misread_v:
            module, _, number = cell.partition(".")
            if module == name:
                socs[int(number) - 1] += self._misled(cell)
        cells = tuple([CellCharge(soc, sigma, 3.9, 0.0027) for soc in socs])
        return ModuleCharge(name=name, cells=cells, current_a=0.0)

    def _misled(self, cell: str) -> float:
        """An estimate that believes a wrong sensor is wrong with it; about 1 V over the range."""
        return max(-0.4, min(0.4, self._misread_v.get(cell, 0.0)))
