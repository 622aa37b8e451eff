"""Ten days of a household on the twin: what is learned of a battery with three odd cells."""

from __future__ import annotations

import json
from dataclasses import asdict
from statistics import harmonic_mean

import pytest

from gridzero.battery.ageing.health import StateOfHealth
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.bench.battery.household import HouseholdDays, Moment, Scene
from gridzero.domain.ageing import HealthReport, ModuleHealth
from gridzero.domain.trust import UNTROUBLED

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ten days of a household")]

STEP_S = 30.0
LOSS_MA = 6.0


class Lived:
    """Modules b1 to b3; b2 holds 12 % less, b3.4 holds 14 % less, b1.2 loses 6 mA."""

    def __init__(self, *, shares_known: bool, days: float = 10.0) -> None:
        modules = {"b1": 4, "b2": 4, "b3": 4}
        scene = Scene(modules=modules, days=days, step_s=STEP_S, shares_known=shares_known)
        self.house = HouseholdDays(scene)
        self.house.pack.scale("b2", 0.88)
        self.house.pack.scale("b3", 0.86, cell=4)
        self.soh = StateOfHealth(AgeingSpec())
        self.house.run(self._see)
        self.report: HealthReport = self.soh.report()

    def _see(self, now: Moment) -> None:
        self.house.pack.drain("b1", 2, LOSS_MA / 1000.0 * STEP_S / 3600.0)
        self.soh.update(now.charge, now.modules, now.current_a, UNTROUBLED, now.now_s)

    def true_ah(self, module: str) -> float:
        return harmonic_mean(self.house.pack.cell_ah(module))

    def error(self, module: ModuleHealth) -> float:
        assert module.capacity_ah is not None
        return module.capacity_ah.value / self.true_ah(module.name) - 1.0


@pytest.fixture(scope="module")
def known() -> Lived:
    return Lived(shares_known=True)


@pytest.fixture(scope="module")
def equal() -> Lived:
    return Lived(shares_known=False, days=4.0)


def test_the_capacity_of_the_battery_is_within_two_percent(known: Lived) -> None:
    true_ah = sum(known.true_ah(name) for name in ("b1", "b2", "b3"))
    learned = known.report.capacity_ah
    assert learned is not None
    assert learned.value == pytest.approx(true_ah, rel=0.02)
    assert abs(learned.value - true_ah) < 2.0 * learned.sigma
    assert learned.sigma < 0.02 * true_ah


def test_the_offset_of_the_shunt_is_found(known: Lived) -> None:
    found = known.report.offset_a
    assert found is not None
    assert found.value == pytest.approx(0.25, abs=0.02)
    assert found.sigma < 0.02


def test_modules_are_within_two_percent_when_their_shares_are_known(known: Lived) -> None:
    for module in known.report.modules.values():
        assert abs(known.error(module)) < 0.02
    assert known.report.ranking[0] == "b2"


def test_without_shares_a_module_is_not_known_better_than_it_says(equal: Lived) -> None:
    for module in equal.report.modules.values():
        assert module.capacity_ah is not None
        assert module.capacity_ah.sigma > 0.09 * module.capacity_ah.value
        assert abs(equal.error(module)) < 2.0 * 0.1
    assert not any(one.code.startswith("module") for one in equal.report.maintenance)


def test_cells_are_compared_within_their_module_to_a_percent(equal: Lived) -> None:
    for name, module in equal.report.modules.items():
        for cell, ah in zip(module.cells, equal.house.pack.cell_ah(name), strict=True):
            assert cell.relative_capacity is not None
            assert cell.relative_capacity.value == pytest.approx(ah / equal.true_ah(name), abs=0.01)


def test_a_cell_that_loses_charge_is_named_and_no_other(known: Lived) -> None:
    loss = known.report.modules["b1"].cells[1].self_discharge_ma
    assert loss is not None
    assert loss.value == pytest.approx(LOSS_MA, abs=1.5)
    assert loss.sigma < 1.0
    named = [one.subject for one in known.report.maintenance if "discharge" in one.code]
    assert named == ["b1.2"]


def test_the_list_holds_what_is_odd_and_nothing_else(known: Lived) -> None:
    found = {(one.code, one.subject) for one in known.report.maintenance}
    assert {("cell_self_discharge", "b1.2"), ("cell_capacity", "b3.4")} <= found
    assert {subject for _, subject in found} <= {"b1.2", "b3.4", "b1"}  # b1 is no longer level
    urgencies = [one.urgency for one in known.report.maintenance]
    assert urgencies == sorted(urgencies, reverse=True)


def test_the_smallest_cell_limits_its_module(known: Lived) -> None:
    module = known.report.modules["b3"]
    assert module.capacity_ah is not None
    assert module.usable_ah is not None
    assert module.usable_ah == pytest.approx(min(known.house.pack.cell_ah("b3")), rel=0.02)
    assert module.imbalance is not None
    assert module.imbalance.spread_ah > 1.0


def test_the_days_and_what_passed_through_are_counted(known: Lived) -> None:
    report, soc_h = known.report, known.report.throughput.soc_h
    assert report.days == pytest.approx(10.0, abs=0.01)
    assert sum(soc_h) == pytest.approx(240.0, abs=0.1)
    assert 4.0 < report.throughput.cycles < 10.0
    parts = [one.throughput.out_ah for one in report.modules.values()]
    assert sum(parts) == pytest.approx(report.throughput.out_ah, rel=0.01)
    assert report.life is None  # ten days say nothing about years


def test_it_goes_on_after_a_restart_as_if_nothing_had_been(known: Lived) -> None:
    kept = json.loads(json.dumps(known.soh.to_dict()))
    again = StateOfHealth(AgeingSpec())
    assert again.restore(kept, age_s=3600.0) == ()
    known_ah, ah = known.soh.cell_ah("b3", 3), again.cell_ah("b3", 3)
    assert ah == pytest.approx(known_ah)
    assert ah.value == pytest.approx(known.house.pack.cell_ah("b3")[3], rel=0.02)
    assert again.to_dict()["days"] == pytest.approx(known.report.days + 1.0 / 24.0)


def test_the_report_is_plain_enough_for_json(known: Lived) -> None:
    assert "cell_self_discharge" in json.dumps(asdict(known.report))
