"""The list for people: what stands out is named, noise is not."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from ageing_made import misread

from gridzero.battery.ageing.maintenance import maintenance
from gridzero.domain.ageing import (
    CellHealth,
    Estimate,
    Imbalance,
    Maintenance,
    ModuleHealth,
    Throughput,
    Urgency,
)
from gridzero.domain.trust import UNTROUBLED, Trust

CELL = CellHealth(
    relative_capacity=Estimate(1.0, 0.005),
    ohm=Estimate(0.0016, 0.00005),
    growth=Estimate(1.02, 0.03),
    self_discharge_ma=Estimate(0.0, 0.3),
)
LEVEL = Imbalance(level_ah=0.1, spread_ah=0.5, level_part=0.004, sigma_ah=0.1)


def module(name: str, odd: CellHealth = CELL, **changes: Any) -> ModuleHealth:
    made = ModuleHealth(
        name=name,
        capacity_ah=Estimate(24.5, 1.0),
        usable_ah=24.0,
        ohm=Estimate(0.019, 0.0003),
        growth=Estimate(1.02, 0.01),
        imbalance=LEVEL,
        warmer_c=0.3,
        throughput=Throughput(),
        cells=(CELL, CELL, odd, *(CELL,) * 9),
    )
    return replace(made, **changes)


def told(
    odd: ModuleHealth, trust: Trust = UNTROUBLED, staying: dict[str, float] | None = None
) -> list[Maintenance]:
    modules = {one.name: one for one in (module("b1"), odd, module("b3"))}
    return list(maintenance(modules, trust, staying or {}, worn_ah=17.5))


def test_a_healthy_battery_needs_nothing() -> None:
    assert told(module("b2")) == []


@pytest.mark.parametrize(
    ("odd", "code", "urgency", "figure"),
    [
        (replace(CELL, ohm=Estimate(0.0026, 0.0001)), "cell_resistance", Urgency.PLAN, "2.60 mOhm"),
        (replace(CELL, ohm=Estimate(0.0040, 0.0001)), "cell_resistance", Urgency.SOON, "4.00 mOhm"),
        (replace(CELL, growth=Estimate(1.5, 0.05)), "cell_resistance_grows", Urgency.PLAN, "50 %"),
        (
            replace(CELL, relative_capacity=Estimate(0.90, 0.01)),
            "cell_capacity",
            Urgency.PLAN,
            "90.0 %",
        ),
        (
            replace(CELL, self_discharge_ma=Estimate(4.0, 0.4)),
            "cell_self_discharge",
            Urgency.SOON,
            "12 % a month",
        ),
        (
            replace(CELL, self_discharge_ma=Estimate(25.0, 1.0)),
            "cell_self_discharge",
            Urgency.NOW,
            "25.0 mA",
        ),
    ],
)
def test_an_odd_cell_is_named_with_figures(
    odd: CellHealth, code: str, urgency: Urgency, figure: str
) -> None:
    (one,) = told(module("b2", odd))
    assert (one.code, one.subject, one.urgency) == (code, "b2.3", urgency)
    assert figure in one.why
    assert one.sure > 0.99


@pytest.mark.parametrize(
    ("changes", "code", "urgency"),
    [
        ({"capacity_ah": Estimate(20.0, 1.0)}, "module_capacity", Urgency.PLAN),
        ({"capacity_ah": Estimate(14.0, 1.0)}, "module_worn", Urgency.PLAN),
        ({"warmer_c": 7.0}, "module_hot", Urgency.PLAN),
        ({"warmer_c": 14.0}, "module_hot", Urgency.SOON),
        (
            {"imbalance": replace(LEVEL, level_ah=1.5, level_part=0.06)},
            "imbalance",
            Urgency.WATCH,
        ),
    ],
)
def test_an_odd_module_is_named(changes: dict[str, Any], code: str, urgency: Urgency) -> None:
    (one,) = told(module("b2", **changes))
    assert (one.code, one.subject, one.urgency) == (code, "b2", urgency)


def test_balancing_that_does_not_help_is_told() -> None:
    odd = module("b2", imbalance=replace(LEVEL, level_ah=1.5, level_part=0.06))
    (one,) = told(odd, staying={"b2": 21.0})
    assert (one.code, one.urgency) == ("imbalance_stays", Urgency.PLAN)
    assert "21 days" in one.why


@pytest.mark.parametrize(
    "odd",
    [
        replace(CELL, ohm=Estimate(0.0026, 0.0005)),
        replace(CELL, growth=Estimate(1.5, 0.3)),
        replace(CELL, relative_capacity=Estimate(0.90, 0.05)),
        replace(CELL, self_discharge_ma=Estimate(4.0, 1.5)),
        replace(CELL, self_discharge_ma=Estimate(1.0, 0.01)),
        CellHealth(),
    ],
)
def test_what_may_be_noise_is_not_told(odd: CellHealth) -> None:
    assert told(module("b2", odd)) == []


def test_a_misread_cell_is_told_as_a_sensor_and_the_most_urgent_comes_first() -> None:
    odd = module("b2", replace(CELL, self_discharge_ma=Estimate(25.0, 1.0)), warmer_c=7.0)
    found = told(odd, Trust(cells={"b3.7": misread("b3", 7)}))
    assert [one.code for one in found] == ["cell_self_discharge", "cell_misread", "module_hot"]
    assert found[1].subject == "b3.7"
    assert "2.58 V" in found[1].why


def test_a_hundred_noisy_cells_for_a_year_alarm_nobody() -> None:
    dice = Random(1)
    for _ in range(52):
        cells = tuple(
            CellHealth(
                relative_capacity=Estimate(1.0 + dice.gauss(0.0, 0.01), 0.01),
                ohm=Estimate(0.0016 * (1.0 + dice.gauss(0.0, 0.08)), 0.00013),
                growth=Estimate(1.0 + dice.gauss(0.0, 0.08), 0.08),
                self_discharge_ma=Estimate(dice.gauss(0.0, 0.6), 0.6),
            )
            for _ in range(108)
        )
        assert told(module("b2", cells=cells)) == []
