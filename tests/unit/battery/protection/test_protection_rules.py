"""The tables of thresholds keep their order, and nothing in them can be loosened."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.bounds import BOUNDS
from gridzero.battery.profile import PROFILES, Profile, overrides_of, profile
from gridzero.battery.protection.engine import Protection
from gridzero.battery.protection.quantities import QUANTITIES
from gridzero.battery.protection.rule import Rule, Stops
from gridzero.domain.alarms import Level
from gridzero.domain.faults import FAULTS

RULES = [(name, rule) for name, one in PROFILES.items() for rule in one.rules]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda x: getattr(x, "code", x))
def test_each_protection_is_in_order(name: str, rule: Rule) -> None:
    levels = [threshold for _, threshold in rule.levels()]
    assert name in PROFILES
    assert rule.code in FAULTS
    assert rule.quantity in QUANTITIES
    assert all(t.delay_s >= 0 and t.dwell_s >= 0 for t in levels)
    assert all(rule.sign * t.release <= rule.sign * t.value for t in levels)
    assert all(rule.sign * rule.healthy <= rule.sign * t.release for t in levels)
    ordered = [(rule.sign * t.value, t.delay_s) for t in levels]
    assert ordered == sorted(ordered)
    assert len(rule.why) > 20
    assert len(rule.unknown) > 5


@pytest.mark.parametrize("name", PROFILES)
def test_each_code_stands_once_and_each_profile_has_the_same_protections(name: str) -> None:
    codes = [rule.code for rule in PROFILES[name].rules]
    assert len(codes) == len(set(codes))
    assert set(codes) == {rule.code for rule in PROFILES["vw_gte_12s"].rules}


def test_all_quantities_are_watched_by_a_rule() -> None:
    assert {rule.quantity for _, rule in RULES} == set(QUANTITIES)


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda x: getattr(x, "code", x))
def test_only_a_warning_stops_nothing(name: str, rule: Rule) -> None:
    assert name
    assert rule.refuses(Level.WARN) is Stops.NOTHING
    if rule.limit is not None:
        assert rule.refuses(Level.LIMIT) is not Stops.NOTHING
    if rule.trip is not None:
        assert rule.refuses(Level.LIMIT) in rule.refuses(Level.TRIP)


def _rule(of: Profile, code: str) -> Rule:
    return next(rule for rule in of.rules if rule.code == code)


@pytest.mark.parametrize("name", PROFILES)
def test_profile_and_protections_say_the_same(name: str) -> None:
    one = PROFILES[name]
    over, under = _rule(one, "cell_over"), _rule(one, "cell_under")
    assert over.limit is not None
    assert under.limit is not None
    assert (over.limit.value, over.limit.release) == (one.over_cell_v, one.over_release_v)
    assert (under.limit.value, under.limit.release) == (one.under_cell_v, one.under_release_v)
    ends = {
        "hot_charge": one.charge_by_hot_c,
        "too_hot": one.discharge_by_hot_c,
        "too_cold": one.charge_by_cold_c,
        "cold_discharge": one.discharge_by_cold_c,
    }
    for code, curve in ends.items():
        threshold = _rule(one, code).limit
        assert threshold is not None
        assert curve.at(threshold.value) == 0.0


@pytest.mark.parametrize("name", PROFILES)
def test_the_tapers_end_inside_the_warnings(name: str) -> None:
    one = PROFILES[name]
    over, under = _rule(one, "cell_over"), _rule(one, "cell_under")
    assert over.warn is not None
    assert under.warn is not None
    assert one.charge_by_cell_v.at(one.max_cell_v) == 0.0
    assert one.full_cell_v < one.max_cell_v < over.warn.value
    assert under.warn.value < one.empty_cell_v


@pytest.mark.parametrize("name", PROFILES)
def test_defaults_lie_within_what_may_be_chosen(name: str) -> None:
    for key, (low, high) in BOUNDS[name].items():
        assert low <= getattr(PROFILES[name], key) <= high


@pytest.mark.parametrize("name", PROFILES)
def test_no_threshold_can_be_moved_away_from_the_safe_side(name: str) -> None:
    known = overrides_of(name)
    for rule in PROFILES[name].rules:
        for level, threshold in rule.levels():
            key = f"{rule.code}.{level.name.lower()}"
            if key not in known:
                continue
            with pytest.raises(ValueError, match="is not from"):
                profile(name, {key: threshold.value + 0.001 * rule.sign}, series_cells=12)


@settings(max_examples=50)
@given(st.data())
def test_whatever_is_tightened_the_order_holds_or_it_is_refused(data: st.DataObject) -> None:
    known = overrides_of("vw_gte_12s")
    keys = data.draw(st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True))
    wanted = {key: data.draw(st.floats(*known[key])) for key in keys}
    try:
        made = profile("vw_gte_12s", wanted)
    except ValueError:
        return  # said in words before anything starts
    Protection(made.rules)
    for rule in made.rules:
        assert all(isfinite(t.value) and isfinite(t.release) for _, t in rule.levels())
    for key, value in wanted.items():
        code, _, level = key.partition(".")
        if level:
            moved = _rule(made, code).at(Level[level.upper()])
            assert moved is not None
            assert moved.value == value


def test_the_hard_limit_of_the_profile_moves_its_protection_and_the_warning_before_it() -> None:
    over = _rule(profile("vw_gte_12s", {"over_cell_v": 4.08, "over_release_v": 4.0}), "cell_over")
    assert over.warn is not None
    assert over.limit is not None
    assert (over.limit.value, over.limit.release) == (4.08, 4.0)
    assert over.warn.value == pytest.approx(4.06)


@pytest.mark.parametrize(
    ("name", "cells", "what"),
    [
        ("nmc", None, "needs series_cells"),
        ("lfp", None, "needs series_cells"),
        ("vw_gte_12s", 13, "is for 12 cells"),
        ("lto", 12, "unknown profile"),
    ],
)
def test_a_profile_without_its_number_of_cells_is_refused(
    name: str, cells: int | None, what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        profile(name, {}, cells)


def test_a_generic_profile_takes_its_number_of_cells() -> None:
    assert profile("lfp", {}, 16).series_cells == 16
    assert profile("vw_gte_12s", {}, 12).series_cells == 12
