"""The facade: bad content, bad times, silence."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from ageing_made import charge, reading
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.ageing.health import VERSION, StateOfHealth
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.domain.trust import UNTROUBLED

SPEC = AgeingSpec()
PARTS = ("capacities", "resistances", "self_discharge", "life", "lasting", "throughput")

json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=5,
)


def lived() -> StateOfHealth:
    soh = StateOfHealth(SPEC)
    for second in range(0, 600, 20):
        now = charge(float(second), {"b1": [0.5] * 12}, anchored=True, current_a=3.0)
        soh.update(now, [reading("b1", (3.7,) * 12, second)], 3.0, UNTROUBLED, float(second))
    return soh


def test_nothing_known_is_a_report_too() -> None:
    report = StateOfHealth(SPEC).report()
    assert report.capacity_ah is None
    assert report.ohm is None
    assert report.modules == {}


@pytest.mark.parametrize("current_a", [None, nan, inf])
@pytest.mark.parametrize("volts", [(None, None), (), (3.7, nan)])
def test_no_reading_leads_to_an_error_or_a_count(
    current_a: float | None, volts: tuple[float | None, ...]
) -> None:
    soh = StateOfHealth(SPEC)
    for second in range(60):
        now = charge(float(second), {"b1": [nan, 0.5]}, sigma=nan, anchored=second % 7 == 0)
        soh.update(now, [reading("b1", volts, second, nan)], current_a, UNTROUBLED, float(second))
    report = soh.report()
    assert report.throughput.out_ah == 0.0
    assert report.capacity_ah is None
    assert report.maintenance == ()


@pytest.mark.parametrize("later_s", [580.0, 10.0, nan, -inf])
def test_a_moment_that_is_not_later_is_left_out(later_s: float) -> None:
    soh = lived()
    before = soh.to_dict()
    soh.update(charge(later_s, {"b1": [0.5] * 12}), [], 500.0, UNTROUBLED, later_s)
    assert soh.to_dict() == before


def test_an_empty_battery_of_no_modules_is_borne() -> None:
    soh = StateOfHealth(SPEC)
    for second in range(5):
        soh.update(charge(float(second), {}, anchored=True), [], 5.0, UNTROUBLED, float(second))
    assert soh.report().modules == {}


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, json_like)), st.floats())
def test_no_stored_content_raises_or_spoils_the_report(
    content: dict[str, Any], age_s: float
) -> None:
    soh = StateOfHealth(SPEC)
    soh.restore({"version": VERSION, "days": 1.0, **content}, age_s)
    soh.update(charge(0.0, {"b1": [0.5] * 12}), [], 1.0, UNTROUBLED, 0.0)
    assert soh.report().days >= 1.0


@pytest.mark.parametrize(
    "content", [None, [], "x", {}, {"version": VERSION + 1}, {"version": VERSION}]
)
def test_what_is_not_ours_is_left_whole_with_a_reason(content: Any) -> None:
    soh = StateOfHealth(SPEC)
    (reason,) = soh.restore(content, 0.0)
    assert reason
    assert soh.report().days == 0.0


@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_part_costs_only_itself(part: str) -> None:
    kept, soh = lived().to_dict(), StateOfHealth(SPEC)
    reasons = soh.restore({**kept, part: "damaged"}, 60.0)
    assert len(reasons) >= 1
    assert soh.to_dict()["days"] == pytest.approx(kept["days"] + 60.0 / 86400.0)
    others = [key for key in PARTS if key not in {part, "capacities"}]
    assert all(soh.to_dict()[key] == kept[key] for key in others)


def test_an_unknown_age_begins_the_drifts_anew() -> None:
    soh = StateOfHealth(SPEC)
    (reason,) = soh.restore(lived().to_dict(), nan)
    assert "self-discharge" in reason
    assert soh.to_dict()["self_discharge"] == {}


def test_a_call_is_cheap_in_what_it_keeps() -> None:
    soh = lived()
    size = len(str(soh.to_dict()))
    for second in range(600, 7200, 20):
        now = charge(float(second), {"b1": [0.5] * 12}, anchored=True, current_a=3.0)
        soh.update(now, [reading("b1", (3.7,) * 12, second)], 3.0, UNTROUBLED, float(second))
    assert len(str(soh.to_dict())) < size + 12 * 600
