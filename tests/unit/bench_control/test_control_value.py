"""What a bias does to a house: nothing without prices, and no more than it says with them."""

from __future__ import annotations

from statistics import fmean, pstdev

import pytest

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.laws.law import LawRow, Setting
from gridzero.bench.control.laws.ours import Ours
from gridzero.bench.control.metrics import measure
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.simulate import Run, simulate
from gridzero.bench.control.traces import TRACES, Level
from gridzero.control.switches import ALL_ON
from gridzero.domain.value import Outlook, Prices

PRICES = Prices(30.0, 8.0)
LAST_10_MIN = round(600.0 / STEP_S)


def setting(trace: str, seconds: float) -> Setting:
    plant = PLANTS["house"]
    return Setting(plant, METERS["0.5s"], TRACES[trace].make(plant, 1, seconds))


def constant(power_w: float, seconds: float, plant: str = "house") -> Setting:
    row = PLANTS[plant]
    return Setting(row, METERS["0.5s"], Level("level", power_w)(row, 1, seconds))


def run(at: Setting, **known: object) -> Run:
    def make(told: Setting) -> Ours:
        return Ours(told, **known)  # type: ignore[arg-type]  # as a test names them

    return simulate(LawRow("ours", "", "", make), at, 1)


@pytest.mark.parametrize("trace", ["random", "hob", "evening"])
def test_without_prices_or_outlook_nothing_changes_at_all(trace: str) -> None:
    at = setting(trace, 300.0)
    plain = run(at).battery_w
    assert run(at, switches=ALL_ON.without("value")).battery_w == plain
    assert run(at, outlook=Outlook.EMPTYING).battery_w == plain
    assert run(at, prices=PRICES).battery_w == plain
    off = ALL_ON.without("value")
    assert run(at, prices=PRICES, outlook=Outlook.FILLING, switches=off).battery_w == plain


@pytest.mark.parametrize(
    ("plant", "power_w", "outlook", "sign"),
    [
        ("house", 60.0, Outlook.EMPTYING, 1),
        ("house", 400.0, Outlook.FILLING, -1),
        ("house", -900.0, Outlook.EMPTYING, 1),
        pytest.param("gain-low", 400.0, Outlook.EMPTYING, 1, marks=pytest.mark.long),
        pytest.param("dead-1.0", 400.0, Outlook.FILLING, -1, marks=pytest.mark.long),
    ],
)
@pytest.mark.slow
def test_at_a_constant_load_the_deviation_is_the_bias_and_nothing_swings(
    plant: str, power_w: float, outlook: Outlook, sign: int
) -> None:
    at = constant(power_w, 1260.0, plant)
    plain, leaning = run(at), run(at, prices=PRICES, outlook=outlook)
    grid_w = [power_w - own_w for own_w in leaning.battery_w[-LAST_10_MIN:]]
    assert 2.0 < sign * fmean(grid_w) < 6.0, "the meter's noise is 2 W, 1.6 of it are 3.3 W"
    assert pstdev(grid_w) < pstdev(plain.battery_w[-LAST_10_MIN:]) + 0.5
    assert leaning.starts == plain.starts


@pytest.mark.slow
def test_a_restless_evening_costs_less_where_it_matters() -> None:
    at = setting("evening", 1800.0)
    plain = measure(run(at))
    dry = measure(run(at, prices=PRICES, outlook=Outlook.EMPTYING))
    wet = measure(run(at, prices=PRICES, outlook=Outlook.FILLING))
    assert dry.emptying_ct_h < plain.emptying_ct_h
    assert wet.filling_ct_h < plain.filling_ct_h
    assert dry.exporting < 0.5 * plain.exporting
    assert wet.exporting > plain.exporting


def test_a_load_beyond_the_inverters_teaches_nothing() -> None:
    at = constant(3000.0, 900.0)
    plain = run(at)
    made: list[Ours] = []

    def make(told: Setting) -> Ours:
        made.append(Ours(told, prices=PRICES, outlook=Outlook.FILLING))
        return made[-1]

    ended = simulate(LawRow("ours", "", "", make), at, 1)
    decision = made[0].decide(made[0]._snapshot(900.0))
    assert abs(decision.bias_w) < 0.5, "what it learned on the way up"
    assert ended.battery_w[-LAST_10_MIN:] == plain.battery_w[-LAST_10_MIN:]
