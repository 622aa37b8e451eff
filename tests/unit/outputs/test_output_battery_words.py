"""One line on the battery: what is known, and nothing for what is not."""

from __future__ import annotations

import pytest

from gridzero.domain.ageing import Estimate, HealthReport, Maintenance, Throughput, Urgency
from gridzero.domain.balancing import BalanceReason, BalancingState, ModuleBalancing
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.condition import NOTHING_KNOWN, Condition
from gridzero.outputs.battery_words import outlook_of


def charge(to_empty_s: float | None, to_full_s: float | None) -> BatteryCharge:
    return BatteryCharge(
        at_s=0.0,
        soc=0.5,
        sigma=0.03,
        capacity_ah=180.0,
        out_ah=90.0,
        in_ah=90.0,
        out_wh=3900.0,
        in_wh=4100.0,
        to_empty_s=to_empty_s,
        to_full_s=to_full_s,
        is_full=False,
        is_empty=False,
        anchored_s=None,
        modules={},
    )


def module(name: str, reason: BalanceReason, cells: int = 0, ah: float = 0.0) -> ModuleBalancing:
    return ModuleBalancing(
        module=name,
        cells=cells,
        reason=reason,
        text="",
        cell_ah=(ah,),
        bleed_hours=None,
        hours_left=None,
        progress=None,
        bled_ah=0.0,
        since_s=0.0,
    )


def health(part: Estimate | None, *jobs: Maintenance) -> HealthReport:
    return HealthReport(
        days=3.0,
        capacity_ah=None,
        health=part,
        ohm=None,
        offset_a=None,
        throughput=Throughput(),
        maintenance=jobs,
    )


LEAK = Maintenance(
    code="cell_self_discharge",
    module="b3",
    cell=7,
    urgency=Urgency.SOON,
    what="",
    why="",
    sure=0.9,
    remedy="",
)


def test_nothing_known_is_said_as_such() -> None:
    assert outlook_of(NOTHING_KNOWN, health(None)) == "health: not known yet"


@pytest.mark.parametrize(
    ("to_empty_s", "to_full_s", "words"),
    [(18_000.0, None, "empty in 5.0 h"), (None, 9_000.0, "full in 2.5 h"), (None, None, "health")],
)
def test_it_says_where_the_charge_goes(
    to_empty_s: float | None, to_full_s: float | None, words: str
) -> None:
    line = outlook_of(Condition(charge=charge(to_empty_s, to_full_s)), health(None))
    assert line.startswith(words)


def test_a_module_that_is_bled_comes_before_those_that_wait() -> None:
    waiting = [module(f"a{n}", BalanceReason.TOO_EMPTY) for n in range(3)]
    state = BalancingState(at_s=0.0, modules={one.module: one for one in waiting})
    line = outlook_of(Condition(balancing=state), health(None))
    assert "balancing: waits until the battery is fuller  " in line
    bled = module("b3", BalanceReason.BLEEDING, cells=1, ah=1.24)
    state = BalancingState(at_s=0.0, modules={one.module: one for one in (*waiting, bled)})
    line = outlook_of(Condition(balancing=state), health(None))
    assert "balancing: cells that hold more than the lowest are being bled, 1.2 Ah left" in line


def test_health_has_its_error_and_what_to_look_after() -> None:
    line = outlook_of(NOTHING_KNOWN, health(Estimate(0.871, 0.016), LEAK))
    assert line == "health: 87 ±2 %, 1 to look after"
