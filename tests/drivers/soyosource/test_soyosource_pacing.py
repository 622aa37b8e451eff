"""When frames may leave."""

from __future__ import annotations

import pytest

from gridzero_drivers.soyosource.pacing import (
    FRAME_S,
    MIN_GAP_S,
    QUERY_AFTER_S,
    REPLY_SILENCE_S,
    Pace,
)


def test_the_first_demand_is_due_at_once() -> None:
    pace = Pace(0.5, None)
    assert pace.demand_is_due(-100.0, changed=False)
    assert pace.query_due_s() == float("inf")


@pytest.mark.parametrize(("changed", "due_s"), [(True, 10.25), (False, 10.5)])
def test_a_change_waits_for_the_gap_and_a_repetition_for_the_period(
    changed: bool, due_s: float
) -> None:
    pace = Pace(0.5, None)
    pace.demand_left(10.0)
    assert pace.demand_due_s(changed=changed) == due_s
    assert not pace.demand_is_due(due_s - 0.001, changed=changed)
    assert pace.demand_is_due(due_s, changed=changed)


def test_a_query_leaves_room_for_its_reply_before_any_demand() -> None:
    pace = Pace(0.25, 5.0)
    pace.demand_left(10.0)
    assert not pace.take_query(10.0 + QUERY_AFTER_S - 0.001)
    assert pace.take_query(10.0 + QUERY_AFTER_S)
    assert pytest.approx(0.0167, abs=1e-4) == FRAME_S
    assert MIN_GAP_S - QUERY_AFTER_S - FRAME_S >= REPLY_SILENCE_S


def test_a_query_that_comes_too_late_waits_for_the_next_demand() -> None:
    pace = Pace(0.5, 5.0)
    pace.demand_left(10.0)
    assert not pace.take_query(10.09)
    assert pace.query_due_s() == float("inf")
    pace.demand_left(10.5)
    assert pace.take_query(10.5 + QUERY_AFTER_S)


def test_queries_keep_their_own_period() -> None:
    pace, asked_s = Pace(0.5, 5.0), []
    for half_s in range(60):
        at_s = half_s / 2
        pace.demand_left(at_s)
        if pace.take_query(at_s + QUERY_AFTER_S):
            asked_s.append(at_s)
    assert asked_s == [0.0, 5.5, 11.0, 16.5, 22.0, 27.5]
