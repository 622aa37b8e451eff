"""A battery whose readings lie in every way that a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from gridzero.battery.plausibility.flow import Flow
from gridzero.battery.plausibility.judge import Plausibility
from gridzero.battery.view import estimates_of
from gridzero.domain.readings import CurrentReading, ModuleReading, Temperature
from gridzero.domain.trust import Blame, CellDoubt, Trust
from gridzero.sim.pack import Pack

REFERENCE = ("a3", "a7", "a8", "b1", "b2", "b3", "b4", "b6", "b7")
POLL_S = 0.5
TICK_S = 0.25


@dataclass
class Bank:
    """Modules as the driver shows them; cells by name such as ``b3.7``.

    offset_v: added to a cell; fixed_v: what it reads whatever it is. cut: modules that are not
    connected: their cells keep the voltages written here. repeating: modules that send the same
    for ever. late_s: by how much the polls of bus b come after those of bus a.
    """

    modules: tuple[str, ...] = REFERENCE
    soc: float = 0.5
    seed: int = 1
    noise_v: float = 0.001
    late_s: float = 0.25
    tick_s: float = TICK_S
    current_a: float = 0.0
    shunt_error_a: float = 0.0
    shunt_sign: int = 1
    has_shunt: bool = True
    flow: Flow | None = None
    offset_v: dict[str, float] = field(default_factory=dict)
    fixed_v: dict[str, float] = field(default_factory=dict)
    extra_v: Callable[[str, int, float], float] | None = None
    bleed_drop_v: float = 0.05
    bleeding: dict[str, int] = field(default_factory=dict)
    suspect: dict[str, int] = field(default_factory=dict)
    cut: dict[str, tuple[float, ...]] = field(default_factory=dict)
    repeating: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    temps: dict[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pack = Pack(dict.fromkeys(self.modules, 12), soc=self.soc, seed=self.seed)
        self.dice = Random(self.seed)
        self.now_s = 1000.0
        self.judge = Plausibility()
        self.readings: dict[str, ModuleReading] = {}
        self.trust = Trust()

    def true_v(self, cell: str) -> float:
        module, _, number = cell.partition(".")
        return self.pack.cell_v(module)[int(number) - 1]

    def run(self, seconds: float) -> list[Trust]:
        """Let time pass; the trust after each tick."""
        return [self.tick() for _ in range(round(seconds / self.tick_s))]

    def tick(self) -> Trust:
        self.pack.advance(self.tick_s, self.current_a)
        self.now_s += self.tick_s
        for bus in ("a", "b"):
            phase_s = self.late_s if bus == "b" else 0.0
            if (self.now_s - phase_s) % POLL_S < self.tick_s / 2:
                self._poll(bus)
        shunt_a = self.shunt_sign * self.current_a + self.shunt_error_a
        shunt_a += self.dice.gauss(0.0, 0.05)
        shunt = CurrentReading(self.now_s, shunt_a) if self.has_shunt else None
        flow = self.flow or Flow(self.current_a, at_rest=self.current_a == 0.0)
        self.trust = self.judge.update(list(self.readings.values()), shunt, flow, now_s=self.now_s)
        return self.trust

    def _poll(self, bus: str) -> None:
        for name in self.modules:
            if name.startswith(bus) and name not in self.silent:
                self.readings[name] = self._reading(name)

    def _reading(self, name: str) -> ModuleReading:
        volts = self.cut.get(name) or tuple(self.pack.cell_v(name))
        cell_v = tuple(self._shown(name, i, v) for i, v in enumerate(volts))
        if name in self.repeating and name in self.readings:
            cell_v = self.readings[name].cell_v  # type: ignore[assignment]  # all are known
        temp_c = self.temps.get(name, 20.0)
        return ModuleReading(
            bus=name[0],
            number=int(name[1:]),
            cell_v=cell_v,
            cell_at_s=(self.now_s,) * len(cell_v),
            temps=() if temp_c is None else (Temperature(temp_c - 3.0, temp_c),),
            temp_at_s=self.now_s,
            bleeding=self.bleeding.get(name, 0),
            suspect=self.suspect.get(name, 0),
        )

    def _shown(self, name: str, index: int, true_v: float) -> float:
        cell = f"{name}.{index + 1}"
        volt_v = self.fixed_v.get(cell)
        if volt_v is None:
            volt_v = true_v + self.offset_v.get(cell, 0.0) + self.dice.gauss(0.0, self.noise_v)
            if self.extra_v is not None:
                volt_v += self.extra_v(name, index, self.now_s)
            if self.bleeding.get(name, 0) >> index & 1:
                volt_v -= self.bleed_drop_v
        return min(max(round(volt_v, 3), 1.0), 5.091)


def excused(trusts: Iterable[Trust]) -> set[str]:
    """Names of all cells that were excused at any time."""
    return {
        name
        for trust in trusts
        for name, doubt in trust.cells.items()
        if doubt.blame is Blame.SENSOR
    }


def untroubled(trust: Trust) -> bool:
    """Whether nothing at all is doubted."""
    return not (
        trust.cells
        or trust.apart
        or trust.frozen
        or trust.odd_temps
        or trust.shunt_sign_wrong
        or trust.shunt_stuck
    )


def only(trust: Trust) -> CellDoubt:
    """The only doubt."""
    assert len(trust.cells) == 1, trust.cells
    return next(iter(trust.cells.values()))


class Bounds(NamedTuple):
    """A cell is somewhere between, V."""

    low_v: float
    high_v: float


def believed_cells(module: ModuleReading, trust: Trust) -> tuple[Bounds | None, ...]:
    """Each cell as limits look at it; None = nobody knows."""
    doubted = {one.place: one for one in estimates_of(module, trust)}

    def bounds(place: int, reads_v: float) -> Bounds:
        one = doubted.get(place)
        return Bounds(*(one.end_v(reads_v, side) if one else reads_v for side in (-1, 1)))

    return tuple(None if v is None else bounds(i, v) for i, v in enumerate(module.cell_v))
