"""Batteries on the twin, read the way modules are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gridzero.battery.cells.catalogue import VW_GTE
from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation.estimator import Estimator
from gridzero.battery.estimation.settings import EstimatorSettings, Window
from gridzero.battery.profile import VW_GTE_12S
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.trust import UNTROUBLED, Trust
from gridzero.sim.pack import Pack, rest_v

WINDOW = Window.of(VW_GTE_12S)
STEP_S = 5.0

OWN_CURVE = replace(
    VW_GTE, ocv=tuple((i / 20, rest_v(i / 20)) for i in range(21)), ocv_sigma_v=0.005
)
"""What an owner has who measured the curve: filters are tested without the error of a table."""


class Shed:
    """A twin pack, an estimator, and a clock. Change ``lies`` and ``missing`` to disturb it."""

    def __init__(
        self,
        modules: int = 2,
        *,
        soc: float = 0.6,
        temp_c: float = 20.0,
        model: CellModel = OWN_CURVE,
        settings: EstimatorSettings | None = None,
        cells: int = 4,
    ) -> None:
        self.names = [f"b{i + 1}" for i in range(modules)]
        self.pack = Pack(dict.fromkeys(self.names, cells), soc=soc, temp_c=temp_c, seed=5)
        self.estimator = Estimator(model, WINDOW, settings)
        self.now_s = 1000.0
        self.lies: dict[str, float | None] = {}
        self.missing: set[str] = set()
        self.suspect: dict[str, int] = {}
        self.has_temps = True
        self.latest: BatteryCharge | None = None

    def reading(self, name: str) -> ModuleReading:
        volts = [
            self.lies.get(f"{name}.{i + 1}", round(v, 3))
            for i, v in enumerate(self.pack.cell_v(name))
        ]
        temp = Temperature(self.pack.temp_c(name) - 1.0, self.pack.temp_c(name) + 1.0)
        return ModuleReading(
            bus=name[0],
            number=int(name[1:]),
            cell_v=tuple(volts),
            cell_at_s=(self.now_s,) * len(volts),
            temps=(temp,) if self.has_temps else (),
            temp_at_s=self.now_s,
            bleeding=self.pack.bleeding(name),
            suspect=self.suspect.get(name, 0),
        )

    def look(
        self,
        current_a: float | None,
        *,
        sigma_a: float = 0.25,
        trust: Trust = UNTROUBLED,
    ) -> BatteryCharge | None:
        """One update without time passing."""
        modules = [self.reading(name) for name in self.names if name not in self.missing]
        self.latest = self.estimator.update(modules, current_a, sigma_a, self.now_s, trust)
        return self.latest

    def run(
        self,
        seconds: float,
        current_a: float = 0.0,
        *,
        shown_a: float | str | None = "same",
        trust: Trust = UNTROUBLED,
        step_s: float = STEP_S,
    ) -> BatteryCharge:
        """Let a current flow. shown_a: what the shunt says instead, None = nothing."""
        says_a = current_a if isinstance(shown_a, str) else shown_a
        for _ in range(int(seconds / step_s)):
            self.pack.advance(step_s, current_a)
            self.now_s += step_s
            self.look(says_a, trust=trust)
        assert self.latest is not None
        return self.latest

    def errors(self) -> Mapping[str, float]:
        """Estimate minus truth by cell."""
        assert self.latest is not None
        return {
            f"{name}.{i + 1}": cell.soc - true
            for name, module in self.latest.modules.items()
            for i, (cell, true) in enumerate(
                zip(module.cells, self.pack.cell_soc(name), strict=True)
            )
        }

    def worst(self) -> float:
        return max(map(abs, self.errors().values()))

    def sigma(self, name: str = "b1", cell: int = 1) -> float:
        assert self.latest is not None
        return self.latest.modules[name].cells[cell - 1].sigma
