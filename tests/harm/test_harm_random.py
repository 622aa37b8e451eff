"""Scenarios at random, and proof that the invariants would notice if something were wrong."""

from __future__ import annotations

import os

import pytest
from harm_draw import plan_of, plans
from harm_play import Plan, Turn, play, shrink
from harm_world import Start
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridzero.battery import limits
from gridzero.battery.curve import Curve
from gridzero.domain.converters import Setpoint
from gridzero.runtime import supervisor

EXAMPLES = int(os.environ.get("GRIDZERO_HARM_EXAMPLES", "10"))
DISCHARGING = Start(load_w=600.0)
CHARGING = Start(load_w=200.0, sun_w=1300.0)


@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plan=plans())
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


def test_limits_that_look_away_from_a_full_cell_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = Plan(CHARGING, (Turn("cell_is_full", 36.0, 12.0), Turn("mqtt_flood", 34.0, 2.0)))
    monkeypatch.setattr(limits._Memory, "update", lambda *_: False)
    monkeypatch.setattr(Curve, "at", lambda *_: 1.0)
    assert {"cell_over", "cell_full"} <= _broken(plan)
    assert shrink(plan, "cell_over").turns == plan.turns[:1]


def test_readings_that_never_grow_old_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "freshness", lambda *_: 1.0)
    assert "old_cells_discharge" in _broken(Plan(DISCHARGING, (Turn("bus_a_lost", 36.0, 12.0),)))


def test_a_lease_that_never_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setpoint, "power_at", lambda self, _: self.power_w)
    monkeypatch.setattr(supervisor, "_HUNG_S", 1e9)
    hangs = Turn("control_hangs", 36.0, 12.0)
    assert _broken(Plan(DISCHARGING, (hangs,))) >= {"no_decision_discharge"}
    assert _broken(Plan(CHARGING, (hangs,))) >= {"no_decision_charge"}
