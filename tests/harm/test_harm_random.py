"""Scenarios at random, and proof that the invariants would notice if something were wrong."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from harm_draw import plan_of, plans
from harm_play import Plan, Turn, play, shrink
from harm_world import Start
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridzero.domain.converters import Setpoint
from gridzero.domain.decision import Decision
from gridzero.domain.snapshot import Snapshot
from gridzero.runtime import supervisor
from gridzero.runtime.site import Site

EXAMPLES = int(os.environ.get("GRIDZERO_HARM_EXAMPLES", "6"))
DISCHARGING = Start(load_w=600.0)
CHARGING = Start(load_w=200.0, sun_w=1300.0)


@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plan=plans())
@pytest.mark.slow
def test_no_scenario_drawn_by_hypothesis_breaks_an_invariant(plan: Plan) -> None:
    assert not play(plan).violations


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_a_seed_always_draws_the_same_plan_and_its_words_are_the_replay(seed: int) -> None:
    plan = plan_of(seed)
    assert plan == plan_of(seed)
    assert eval(repr(plan), {"Plan": Plan, "Start": Start, "Turn": Turn}) == plan
    assert 1 <= len(plan.turns) <= 3


def test_the_same_plan_has_the_same_story() -> None:
    plan = plan_of(11)
    first, second = play(plan), play(plan)
    assert first.told == second.told
    assert first.flows == second.flows


def _broken(plan: Plan) -> set[str]:
    return {violation.name for violation in play(plan, patient=False).violations}


def _commands_whatever_is_known(site: Site, now: Snapshot, _decision: Decision) -> None:
    """A control loop without limits, as its last word to the drivers."""
    is_charging = now.meter is not None and now.meter.grid_w < 0.0
    for unit, power_w in (
        *((unit, 0.0 if is_charging else 600.0) for unit in site.parts.inverters),
        *((unit, 1100.0 if is_charging else 0.0) for unit in site.parts.chargers),
    ):
        until_s = now.now_s + 3.0
        unit.command(Setpoint(power_w=power_w, until_s=until_s, max_dc_a=40.0, max_dc_v=52.0))


def test_limits_that_are_not_kept_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_command", _commands_whatever_is_known)
    plan = Plan(Start(load_w=0.0, sun_w=2500.0), (Turn("cell_is_full", 36.0, 12.0),))
    assert {"cell_over", "cell_full"} <= _broken(plan)
    assert "old_cells_discharge" in _broken(Plan(DISCHARGING, (Turn("bus_a_lost", 36.0, 12.0),)))
    assert "cold_discharge" in _broken(Plan(DISCHARGING, (Turn("battery_cold", 36.0, 9.0),)))


def test_the_shortest_plan_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_command", _commands_whatever_is_known)
    cold = Turn("battery_cold", 36.0, 9.0)
    plan = Plan(replace(DISCHARGING, contactor=True), (Turn("mqtt_flood", 34.0, 1.0), cold))
    shortest = shrink(plan, "cold_discharge", patient=False)
    assert shortest.turns == (cold,)
    assert shortest.start == Start()


def test_a_lease_that_never_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setpoint, "power_at", lambda self, _: self.power_w)
    monkeypatch.setattr(supervisor, "_HUNG_S", 1e9)
    hangs = Turn("control_hangs", 36.0, 12.0)
    assert _broken(Plan(DISCHARGING, (hangs,))) >= {"no_decision_discharge"}
    assert _broken(Plan(CHARGING, (hangs,))) >= {"no_decision_charge"}
