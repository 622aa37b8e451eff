from __future__ import annotations

from dataclasses import replace

from gridzero.battery.balancing import BalancePlan, Balancer, choose
from gridzero.domain.readings import ModuleReading

PLAN = BalancePlan()


def module(*volts: float | None, **changes: object) -> ModuleReading:
    cells = (*volts, *([3.95] * (12 - len(volts))))
    reading = ModuleReading(bus="a", number=3, cell_v=cells, cell_at_s=(0.0,) * 12)
    return replace(reading, **changes)  # type: ignore[arg-type]  # each caller names fields


def test_cells_strictly_above_the_lowest_plus_the_spread_are_bled() -> None:
    assert choose([module(3.95, 3.98, 3.981, 4.0)], 0.0, PLAN) == {"a3": 0b1100}


def test_low_cells_are_never_bled() -> None:
    assert choose([module(*([3.50] * 11), 3.80)], 0.0, PLAN) == {}


def test_one_cell_that_reads_low_does_not_bleed_a_module_down_below_the_floor() -> None:
    misread = module(2.58, *([3.85] * 11))
    assert choose([misread], 0.0, PLAN) == {}


def test_a_module_with_any_doubt_is_left_alone() -> None:
    high = module(3.95, 4.05)
    doubtful = [
        replace(high, suspect=1),
        replace(high, bleeding=1),
        replace(high, cell_v=(None, *high.cell_v[1:])),
        replace(high, cell_at_s=(-9.0, *high.cell_at_s[1:])),
    ]
    assert [choose([m], 0.0, PLAN) for m in doubtful] == [{}] * 4


def test_bleeding_pauses_to_measure_and_ends_when_not_allowed() -> None:
    balancer, cells = Balancer(PLAN), [replace(module(3.95, 4.05), cell_at_s=(1e9,) * 12)]
    seen = {t: balancer.update(cells, float(t), allowed=True) for t in range(90)}
    assert [seen[t] for t in (0, 9, 10, 69, 70, 79, 80)] == [
        {},
        {},
        {"a3": 2},
        {"a3": 2},
        {},
        {},
        {"a3": 2},
    ]
    assert balancer.update(cells, 90.0, allowed=False) == {}
    assert balancer.update(cells, 91.0, allowed=True) == {}
