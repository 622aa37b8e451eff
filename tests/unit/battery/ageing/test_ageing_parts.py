"""Throughput, imbalance, life, warmth, lasting, ranking: small parts."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from random import Random

import pytest
from ageing_made import reading
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.ageing.imbalance import Cell, imbalance, smoothed
from gridzero.battery.ageing.lasting import Lasting
from gridzero.battery.ageing.life import Life
from gridzero.battery.ageing.ranking import usable_ah, weakest_first
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.battery.ageing.throughput import Meter
from gridzero.battery.ageing.warmth import Warmth
from gridzero.domain.ageing import (
    CellHealth,
    Estimate,
    Imbalance,
    ModuleHealth,
    RemainingLife,
    Throughput,
)
from gridzero.domain.trust import UNTROUBLED, Trust


def test_charge_energy_and_hours_are_counted_each_way() -> None:
    meter = Meter()
    meter.add(2.0, 10.0, 44.0, 0.95, 30.0)
    meter.add(1.0, -15.0, 46.0, 0.05, -2.0)
    meter.add(1.0, -5.0, nan, None, None)
    seen = meter.report(25.0)
    assert (seen.out_ah, seen.in_ah) == (20.0, 20.0)
    assert (seen.out_wh, seen.in_wh) == (880.0, 690.0)
    assert seen.cycles == pytest.approx(0.8)
    assert seen.soc_h == (1.0, 0.0, 0.0, 0.0, 2.0)
    assert seen.temp_h == (1.0, 0.0, 0.0, 2.0, 0.0, 0.0)
    assert Meter.from_dict(meter.to_dict()).report(25.0) == seen


@pytest.mark.parametrize(
    "bad", [{"ah": [1.0]}, {"ah": [-1.0, 0.0]}, {"soc_h": [0.0] * 9}, {"wh": "x"}]
)
def test_bad_sums_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Meter.from_dict({**Meter().to_dict(), **bad})


def test_level_cells_lose_nothing_but_what_the_smallest_lacks() -> None:
    seen = imbalance([Cell(0.5, 0.004, 25.0), Cell(0.5, 0.004, 24.0), Cell(0.5, 0.004, 26.0)])
    assert seen is not None
    assert seen.level_ah == pytest.approx(0.0)
    assert seen.spread_ah == pytest.approx(1.0)


def test_cells_that_are_not_level_lose_the_difference_between_the_extremes() -> None:
    seen = imbalance([Cell(0.5, 0.004, 25.0), Cell(0.6, 0.004, 25.0), Cell(0.55, 0.004, 25.0)])
    assert seen is not None
    assert seen.level_ah == pytest.approx(2.5)
    assert seen.level_part == pytest.approx(0.1)
    assert seen.sigma_ah == pytest.approx(0.1 * 2**0.5)


def test_one_cell_or_an_unknown_capacity_says_nothing() -> None:
    assert imbalance([Cell(0.5, 0.004, 25.0)]) is None
    assert imbalance([Cell(0.5, 0.004, 25.0), Cell(0.5, 0.004, nan)]) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.floats(5.0, 40.0)).map(lambda c: Cell(c[0], 0.004, c[1])),
        min_size=2,
        max_size=12,
    )
)
def test_what_is_lost_is_between_nothing_and_all(cells: list[Cell]) -> None:
    seen = imbalance(cells)
    assert seen is not None
    assert 0.0 <= seen.level_ah <= min(cell.ah for cell in cells) + 1e-9
    assert seen.spread_ah >= -1e-9


def test_one_rest_does_not_make_an_imbalance() -> None:
    calm = Imbalance(level_ah=0.0, spread_ah=1.0, level_part=0.0, sigma_ah=0.1)
    jump = smoothed(calm, replace(calm, level_ah=1.0))
    assert 0.0 < jump.level_ah < 0.5
    assert smoothed(None, calm) == calm


def test_an_imbalance_stays_when_a_fortnight_has_not_made_it_smaller() -> None:
    seen = Imbalance(level_ah=1.0, spread_ah=0.0, level_part=0.04, sigma_ah=0.1)
    lasting = Lasting()
    for day in range(20):
        lasting.note("b1", float(day), seen)
        lasting.note("b2", float(day), replace(seen, level_part=0.04 * 0.9**day))
        lasting.note("b3", float(day), replace(seen, level_part=0.01))
    assert lasting.staying() == {"b1": 19.0}
    again = Lasting()
    assert again.restore(lasting.to_dict()) == []
    again.note("b1", 25.0, seen)
    assert again.staying() == {"b1": 25.0}
    assert again.restore({"b1": [1.0, nan]}) != []


def life(loss_a_day: float, days: int = 200, noise: float = 0.3) -> RemainingLife | None:
    dice, made = Random(1), Life()
    for day in range(0, days, 5):
        made.note(float(day), Estimate(200.0 - loss_a_day * day + dice.gauss(0.0, noise), 0.5))
    return made.remaining(end_ah=140.0)


def test_remaining_life_is_told_only_when_a_loss_is_sure() -> None:
    assert life(0.0) is None
    assert life(0.05, days=40) is None
    left = life(0.05)
    assert left is not None
    assert left.days == pytest.approx((200.0 - 0.05 * 195 - 140.0) / 0.05, rel=0.15)
    assert left.from_days < left.days
    assert left.to_days is None or left.to_days > left.days


def test_life_comes_back_and_refuses_nonsense() -> None:
    made, again = Life(), Life()
    made.note(1.0, Estimate(200.0, 1.0))
    assert again.restore(made.to_list()) == []
    assert again.to_list() == made.to_list()
    for bad in (None, [[1.0, 2.0]], [[1.0, nan, 1.0]], 7):
        assert again.restore(bad) != []
    assert again.to_list() == made.to_list()


def test_a_warmer_module_shows_after_half_a_day_not_in_a_minute() -> None:
    warmth = Warmth()
    modules = [reading(f"b{n}", (3.7,), 0.0, 20.0 + (8.0 if n == 2 else 0.0)) for n in (1, 2, 3)]
    warmth.look(modules, UNTROUBLED, 0.1)
    assert warmth.warmer_c("b2") is None
    for _ in range(24):
        warmth.look(modules, UNTROUBLED, 1.0)
    assert warmth.warmer_c("b2") == pytest.approx(8.0)
    assert warmth.warmer_c("b1") == pytest.approx(0.0)


def test_a_doubted_thermometer_makes_nobody_warm() -> None:
    warmth = Warmth()
    modules = [
        reading(f"b{n}", (3.7,), 0.0, 20.0 + (60.0 if n == 2 else 0.0)) for n in (1, 2, 3, 4)
    ]
    for _ in range(24):
        warmth.look(modules, Trust(odd_temps={"b2": "80 degC at once"}), 1.0)
    assert warmth.warmer_c("b2") is None
    assert warmth.warmer_c("b1") == pytest.approx(0.0)


def healthy(name: str, ah: float, level_ah: float = 0.0) -> ModuleHealth:
    level = Imbalance(level_ah=level_ah, spread_ah=0.0, level_part=level_ah / ah, sigma_ah=0.1)
    return ModuleHealth(
        name=name,
        capacity_ah=Estimate(ah, 0.5),
        usable_ah=ah,
        ohm=None,
        growth=None,
        imbalance=level,
        warmer_c=None,
        throughput=Throughput(),
        cells=(),
    )


def test_the_weakest_module_is_the_one_that_gives_least() -> None:
    modules = {"b1": healthy("b1", 24.0), "b2": healthy("b2", 25.0, 2.0), "b3": healthy("b3", 25.0)}
    assert weakest_first(modules) == ("b2", "b1", "b3")
    unknown = replace(modules["b1"], usable_ah=None)
    assert weakest_first({**modules, "b1": unknown}) == ("b2", "b3")


def test_usable_needs_half_of_the_cells() -> None:
    small = CellHealth(relative_capacity=Estimate(0.9, 0.01))
    assert usable_ah(Estimate(25.0, 1.0), (small, CellHealth())) == pytest.approx(22.5)
    assert usable_ah(Estimate(25.0, 1.0), (small, CellHealth(), CellHealth())) is None
    assert usable_ah(None, (small,)) is None


@pytest.mark.parametrize("field", ["module_ah", "bleed_ohm", "cold_factor"])
@pytest.mark.parametrize("value", [0.0, -1.0, nan])
def test_a_battery_that_cannot_be_is_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        AgeingSpec(**{field: value})
    with pytest.raises(ValueError, match="below 1"):
        AgeingSpec(end_part=1.2)
