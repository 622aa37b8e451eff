"""Resistance from the steps of a house on the twin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import exp, nan
from random import Random

import pytest
from ageing_made import misread, reading

from gridzero.battery.ageing.resistance import Resistances, temperature_c
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import UNTROUBLED, Trust
from gridzero.sim.pack import Pack, PackModel

SPEC = AgeingSpec()
MODULES = {"b1": 4, "b2": 4, "b3": 4}
JOINT_OHM = 0.0025  # of the loose busbar at b2.3


class Bench:
    """A pack under a load that goes on and off every eight seconds."""

    def __init__(self, temp_c: float = 25.0, *, joint_ohm: float = JOINT_OHM) -> None:
        model = PackModel(resistance_spread=0.0, soc_spread=0.0, capacity_spread=0.0)
        self.pack = Pack(MODULES, temp_c=temp_c, model=model)
        self.seen = Resistances(SPEC)
        self.trust = UNTROUBLED
        self._joint_ohm = joint_ohm
        self._dice = Random(1)
        self._second = 0

    def run(self, steps: int, high_a: float = 24.0, period_s: int = 8) -> Bench:
        for _ in range(steps * period_s):
            current_a = high_a if self._second // period_s % 2 else 0.0
            self.pack.advance(1.0, current_a)
            self._second += 1
            modules = tuple(self._readings())
            self.seen.look(modules, current_a, self.trust, float(self._second))
        return self

    def _readings(self) -> Iterator[ModuleReading]:
        for name in MODULES:
            volts: list[float | None] = [
                round(v + self._dice.gauss(0.0, 0.0003), 3) for v in self.pack.cell_v(name)
            ]
            if name == "b2" and volts[2] is not None:
                volts[2] = round(volts[2] - self._joint_ohm * self.pack.module_a(name), 3)
            yield reading(name, volts, float(self._second), self.pack.temp_c(name))

    def ohm(self, module: str, cell: int) -> float:
        known = self.seen.cell(module, cell - 1)
        assert known is not None
        assert known.sigma < 0.1 * known.value
        return known.value


def test_the_resistance_of_each_cell_is_found() -> None:
    bench = Bench().run(120)
    # 1.5 mOhm ohmic and what 1.2 mOhm with 40 s show within two seconds
    usual = 0.0015 + 0.0012 * (1.0 - exp(-2.0 / 40.0))
    assert bench.ohm("b1", 1) == pytest.approx(usual, rel=0.1)
    assert bench.ohm("b2", 3) == pytest.approx(usual + JOINT_OHM, rel=0.1)
    whole = bench.seen.module("b1", 4)
    assert whole is not None
    assert whole.value == pytest.approx(4.0 * usual, rel=0.1)


def test_a_cold_battery_is_told_as_at_25_degrees() -> None:
    warm = Bench(25.0, joint_ohm=0.0).run(80).ohm("b1", 1)
    cold = Bench(5.0, joint_ohm=0.0).run(80).ohm("b1", 1)
    assert cold == pytest.approx(warm, rel=0.06)


def test_growth_is_told_against_the_first_settled_value() -> None:
    bench = Bench(joint_ohm=0.0).run(120)
    bench._joint_ohm = 0.0015
    for _ in range(10):
        bench.seen.later(0.0 if bench.seen._day is None else bench.seen._day + 10.0)
        bench.run(20)
    grown, sibling = bench.seen.growth("b2", 2), bench.seen.growth("b2", 0)
    assert grown is not None
    assert sibling is not None
    assert grown.value == pytest.approx(2.0, abs=0.25)
    assert sibling.value == pytest.approx(1.0, abs=0.1)
    whole = bench.seen.module_growth("b1", 4)
    assert whole is not None
    assert whole.value == pytest.approx(1.0, abs=0.1)


def test_small_and_hasty_steps_say_nothing() -> None:
    assert Bench().run(40, high_a=5.0).seen.steps == 0
    assert Bench().run(40, period_s=2).seen.steps == 0


def test_a_misread_cell_and_a_module_apart_are_left_out() -> None:
    bench = Bench()
    bench.trust = Trust(cells={"b2.3": misread("b2", 3)})
    bench.run(20)
    assert bench.seen.cell("b2", 2) is None
    assert bench.seen.cell("b2", 1) is not None
    apart = Bench()
    apart.trust = Trust(apart={"b2": "2 V less than the others"})
    assert apart.run(20).seen.steps == 0  # nobody knows what part b2 carries


@pytest.mark.parametrize(
    "trust",
    [
        Trust(frozen={"b1": "still"}),
        Trust(odd_temps={"b3": "-43 degC"}),
        Trust(shunt_sign_wrong=True),
    ],
)
def test_doubt_says_nothing(trust: Trust) -> None:
    bench = Bench()
    bench.trust = trust
    assert bench.run(20).seen.steps == 0


def test_unknown_current_and_temperature_say_nothing() -> None:
    seen = Resistances(SPEC)
    for second in range(30):
        seen.look((reading("b1", (3.7, None), second, nan),), None, UNTROUBLED, float(second))
        seen.look((), 5.0, UNTROUBLED, float(second))
        seen.look((reading("b1", (3.7, None), second, nan),), second % 8, UNTROUBLED, float(second))
    assert seen.steps == 0
    assert str(temperature_c(ModuleReading(bus="b", number=1, cell_v=(), cell_at_s=()))) == "nan"


def test_it_comes_back_as_it_was_written() -> None:
    bench, again = Bench().run(60), Resistances(SPEC)
    kept = json.loads(json.dumps(bench.seen.to_dict()))
    assert again.restore({**kept, "b1.1": {"value": -1.0}, "b1.2": "x"}) != []
    assert again.cell("b1", 0) is None
    assert again.cell("b2", 2) == bench.seen.cell("b2", 2)
    assert again.restore(None) != []
