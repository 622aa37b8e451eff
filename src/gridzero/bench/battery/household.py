"""Days of a household on the twin of the battery, for what is learned in days.

For nine modules of twelve cells the house takes 14 kWh a day and the sun gives somewhat more; the
battery takes what is over and gives what is missing between 10 and 93 %. It rests when full; at
night it is merely quiet. Cells are
read with 1 mV steps and 0.5 mV of noise; the shunt is off by its offset and gain. States of charge
come from the voltage when quiet, with a fifth of the resistance missing, through a table that is
wrong by up to ``table_error``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sin
from random import Random
from typing import NamedTuple

from gridzero.domain.charge import BatteryCharge, CellCharge, ModuleCharge
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.sim.household import Household
from gridzero.sim.pack import Pack, PackModel, rest_v
from gridzero.sim.sources import Sun

_MOST_CHARGE_W, _MOST_DISCHARGE_W = 2800.0, 2600.0
_TOP, _TOP_AGAIN, _BOTTOM, _BOTTOM_AGAIN = 0.93, 0.88, 0.10, 0.15
_RESTED_S = 1200.0
_QUIET_PART = 0.05
_ASSUMED_OHM = 0.0022  # of a cell; the twin has 2.7 mOhm and more where it is cold
_READ_SIGMA_V = 0.0005


class QuickPack(Pack):
    """A pack in steps of many seconds, whose capacities may be changed."""

    def leap(self, seconds: float, current_a: float) -> None:
        """One step; up to 30 s the currents between modules stay true."""
        self._step(seconds, current_a)

    def scale(self, module: str, factor: float, cell: int | None = None) -> None:
        """Make a module, or one of its cells (from 1), larger or smaller."""
        cells = self._modules[module].capacity_as
        for i in range(len(cells)):
            if cell is None or i == cell - 1:
                cells[i] *= factor

    def drain(self, module: str, cell: int, ah: float) -> None:
        """Let a cell (from 1) lose charge by itself."""
        this = self._modules[module]
        this.soc[cell - 1] -= 3600.0 * ah / this.capacity_as[cell - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is lived. shares_known: the estimator knows each module's current, else takes equal."""

    modules: Mapping[str, int]
    days: float = 10.0
    step_s: float = 30.0
    offset_a: float = 0.25
    gain: float = 1.01
    table_error: float = 0.004
    shares_known: bool = False
    seed: int = 1


class Moment(NamedTuple):
    """What the twin shows."""

    now_s: float
    charge: BatteryCharge
    modules: tuple[ModuleReading, ...]
    current_a: float


class HouseholdDays:
    """Runs a scene; ``pack`` may be made odd before."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        smaller = PackModel(capacity_spread=0.03)
        self.pack = QuickPack(scene.modules, soc=0.5, model=smaller, seed=scene.seed)
        self._dice = Random(scene.seed)
        self._load, self._sun = Household(scene.seed), Sun(4000.0, cloudiness=0.5, seed=scene.seed)
        self._parts = sum(scene.modules.values()) / 108.0
        self._is_full = self._is_empty = False
        self._rests_s = self._quiet_s = 0.0
        self._anchored_s: float | None = None

    def run(self, see: Callable[[Moment], None]) -> None:
        """Live all days."""
        for step in range(int(self._scene.days * 86400.0 / self._scene.step_s)):
            now_s = step * self._scene.step_s
            wanted_a = self._wanted_a(now_s)
            self.pack.leap(self._scene.step_s, wanted_a)
            self._rests_s = self._rests_s + self._scene.step_s if abs(wanted_a) < 0.1 else 0.0
            is_quiet = abs(wanted_a) < _QUIET_PART * 25.0 * len(self.pack.modules)
            self._quiet_s = self._quiet_s + self._scene.step_s if is_quiet else 0.0
            see(self._moment(now_s + self._scene.step_s, wanted_a))

    def _wanted_a(self, now_s: float) -> float:
        missing_w = 1.5 * self._load.power_w(now_s) - self._sun.power_w(now_s)
        wanted_w = self._parts * max(-_MOST_CHARGE_W, min(_MOST_DISCHARGE_W, missing_w))
        soc = self.pack.soc
        self._is_full = soc >= _TOP or (self._is_full and soc > _TOP_AGAIN)
        self._is_empty = soc <= _BOTTOM or (self._is_empty and soc < _BOTTOM_AGAIN)
        blocked = self._is_full if wanted_w < 0.0 else self._is_empty
        return 0.0 if blocked else wanted_w / self.pack.terminal_v

    def _moment(self, now_s: float, true_a: float) -> Moment:
        readings = tuple(self._reading(name, now_s) for name in self.pack.modules)
        if self._rests_s >= _RESTED_S:
            self._anchored_s = now_s
        current_a = self._scene.gain * true_a + self._scene.offset_a + self._dice.gauss(0.0, 0.05)
        return Moment(now_s, self._charge(readings, now_s), readings, current_a)

    def _reading(self, name: str, now_s: float) -> ModuleReading:
        volts = tuple(self.pack.cell_v(name))
        if self._quiet_s >= _RESTED_S:  # nobody looks closely at the others
            gauss = self._dice.gauss
            volts = tuple(round(v + gauss(0.0, _READ_SIGMA_V), 3) for v in volts)
        temp_c = self.pack.temp_c(name)
        return ModuleReading(
            bus=name[:-1],
            number=int(name[-1]),
            cell_v=volts,
            cell_at_s=(now_s,) * len(volts),
            temps=(Temperature(temp_c, temp_c),),
            temp_at_s=now_s,
        )

    def _charge(self, readings: tuple[ModuleReading, ...], now_s: float) -> BatteryCharge:
        equal_a = self.pack.current_a / len(readings)
        sigma = 0.03
        if self._quiet_s >= _RESTED_S:
            sigma = 0.005 if self._anchored_s == now_s else 0.01
        modules = {}
        for reading in readings:
            own_a = self.pack.module_a(reading.name) if self._scene.shares_known else equal_a
            is_vague = sigma > 0.02
            socs = self.pack.cell_soc(reading.name) if is_vague else self._read(reading, own_a)
            cells = tuple(CellCharge(soc, sigma, rest_v(soc), 0.0027) for soc in socs)
            modules[reading.name] = ModuleCharge(name=reading.name, cells=cells, current_a=own_a)
        return plain_charge(now_s, self.pack.soc, modules, self._anchored_s)

    def _read(self, reading: ModuleReading, current_a: float) -> list[float]:
        """From the voltage at next to no current, through the wrong table."""
        open_v = [volts + current_a * _ASSUMED_OHM for volts in reading.cell_v if volts is not None]
        return [soc + self._scene.table_error * sin(9.0 * soc) for soc in map(soc_at_rest, open_v)]


def plain_charge(
    at_s: float, soc: float, modules: dict[str, ModuleCharge], anchored_s: float | None
) -> BatteryCharge:
    """An estimate with what the state of health looks at; the rest is 0."""
    return BatteryCharge(
        at_s=at_s,
        soc=soc,
        sigma=0.01,
        capacity_ah=0.0,
        out_ah=0.0,
        in_ah=0.0,
        out_wh=0.0,
        in_wh=0.0,
        to_empty_s=None,
        to_full_s=None,
        is_full=False,
        is_empty=False,
        anchored_s=anchored_s,
        modules=modules,
    )


_GRID = [rest_v(place / 400.0) for place in range(401)]


def soc_at_rest(volts: float) -> float:
    """State of charge of a cell of the twin that has rested, 0..1."""
    low, high = 0, len(_GRID) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _GRID[middle] <= volts else (low, middle)
    part = (volts - _GRID[low]) / (_GRID[high] - _GRID[low])
    return (low + min(1.0, max(0.0, part))) / 400.0
