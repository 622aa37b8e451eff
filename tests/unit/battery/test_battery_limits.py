from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, nan

import pytest
from healthy import HEALTHY
from hypothesis import given
from hypothesis import strategies as st

from gridzero.battery.curve import Curve, freshness
from gridzero.battery.limits import LimitKeeper, Ratings
from gridzero.battery.profile import VW_GTE_12S, profile
from gridzero.battery.view import BatteryViewer
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.readings import ModuleReading, Temperature
from gridzero.domain.reasons import Because

RATINGS = Ratings(max_charge_a=50.0, max_discharge_a=50.0, max_module_a=12.5)


def settled(view: BatteryView | None) -> CurrentLimits:
    """Limits after the slow recovery has passed."""
    keeper = LimitKeeper(VW_GTE_12S, RATINGS)
    keeper.update(view, 0.0)
    keeper.update(view, 50.0)
    return keeper.update(view, 100.0)


def module(
    bus: str = "a", number: int = 3, volts: float = 3.7, at_s: float = 10.0, **changes: object
) -> ModuleReading:
    reading = ModuleReading(
        bus=bus,
        number=number,
        cell_v=(volts,) * 12,
        cell_at_s=(at_s,) * 12,
        temps=(Temperature(17.0, 20.0),),
        temp_at_s=at_s,
    )
    return replace(reading, **changes)  # type: ignore[arg-type]  # each caller names fields


def test_a_healthy_battery_bears_its_full_current() -> None:
    limits = settled(HEALTHY)
    assert (limits.charge_a, limits.discharge_a) == (50.0, 50.0)
    assert limits.max_v == pytest.approx(49.2)


@pytest.mark.parametrize(
    ("cell_v", "fraction"), [(3.86, 1.0), (3.96, 0.55), (4.05, 0.145), (4.06, 0.0), (4.3, 0.0)]
)
def test_charge_falls_as_the_highest_cell_fills(cell_v: float, fraction: float) -> None:
    assert settled(replace(HEALTHY, max_cell_v=cell_v)).charge_a == pytest.approx(50 * fraction)


@pytest.mark.parametrize(
    ("cell_v", "fraction"), [(3.50, 1.0), (3.35, 0.5), (3.23, 0.1), (3.20, 0.0), (2.5, 0.0)]
)
def test_discharge_falls_as_the_lowest_cell_empties(cell_v: float, fraction: float) -> None:
    assert settled(replace(HEALTHY, min_cell_v=cell_v)).discharge_a == pytest.approx(50 * fraction)


def test_a_full_cell_stops_the_charge_but_not_the_discharge() -> None:
    limits = settled(replace(HEALTHY, max_cell_v=4.07))
    assert (limits.charge_a, limits.charge_because) == (0.0, Because.CELL_FULL)
    assert limits.discharge_a == 50.0


def test_full_has_memory_so_that_a_relaxing_cell_does_not_restart_the_charge() -> None:
    keeper = LimitKeeper(VW_GTE_12S, RATINGS)
    keeper.update(replace(HEALTHY, max_cell_v=4.07), 0.0)
    assert keeper.update(replace(HEALTHY, max_cell_v=4.03), 60.0).charge_a == 0.0
    assert keeper.update(replace(HEALTHY, max_cell_v=3.99), 120.0).charge_a > 0.0


@pytest.mark.parametrize(
    ("low_c", "charge_a", "discharge_a"),
    [(1.9, 0, 0), (3.5, 25, 50), (2.5, 50 / 6, 25), (6, 50, 50)],
)
def test_cold_looks_at_the_coldest_possible_reading(
    low_c: float, charge_a: float, discharge_a: float
) -> None:
    limits = settled(replace(HEALTHY, low_c=low_c))
    assert limits.charge_a == pytest.approx(charge_a)
    assert limits.discharge_a == pytest.approx(discharge_a)


def test_heat_stops_both() -> None:
    limits = settled(replace(HEALTHY, high_c=inf))
    assert (limits.charge_a, limits.discharge_a) == (0.0, 0.0)
    assert limits.discharge_because is Because.TOO_HOT


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"volt_age_s": 4.4}, Because.BATTERY_STALE),
        ({"volt_age_s": inf}, Because.BATTERY_STALE),
        ({"temp_age_s": 30.0}, Because.TEMPERATURE_UNKNOWN),
        ({"implausible": ("a3.1",)}, Because.CELL_IMPLAUSIBLE),
        ({"max_cell_v": None}, Because.BATTERY_UNKNOWN),
    ],
)
def test_what_is_not_known_refuses_both(change: dict[str, object], because: Because) -> None:
    limits = settled(replace(HEALTHY, **change))  # type: ignore[arg-type]  # table of fields
    assert (limits.charge_a, limits.discharge_a) == (0.0, 0.0)
    assert limits.charge_because is limits.discharge_because is because


def test_limits_fall_at_once_and_recover_slowly() -> None:
    keeper = LimitKeeper(VW_GTE_12S, RATINGS)
    for second in range(60):
        keeper.update(HEALTHY, float(second))
    assert keeper.update(replace(HEALTHY, volt_age_s=9.0), 60.0).discharge_a == 0.0
    recovering = keeper.update(HEALTHY, 61.0)
    assert recovering.discharge_a == pytest.approx(50 * 0.05)
    assert recovering.discharge_because is Because.RECOVERING
    assert keeper.update(HEALTHY, 90.0).discharge_a == 50.0


def test_each_module_carries_no_more_than_its_share() -> None:
    assert settled(replace(HEALTHY, modules=2, healthy=2)).charge_a == 25.0


def test_no_battery_bears_nothing() -> None:
    assert settled(None).discharge_a == 0.0


number = st.one_of(st.none(), st.floats(), st.floats(-10, 100))


@given(
    view=st.builds(
        BatteryView,
        min_cell_v=number,
        max_cell_v=number,
        min_cell=st.just("a1.1"),
        max_cell=st.just("a1.2"),
        pack_v=number,
        volt_age_s=st.floats(),
        low_c=number,
        high_c=number,
        temp_age_s=st.floats(),
        modules=st.integers(0, 20),
        healthy=st.integers(0, 20),
        silent=st.just(()),
        no_temp=st.just(()),
        suspects=st.just(()),
        implausible=st.just(()),
    )
)
def test_nothing_a_battery_reports_leads_outside_the_ratings(view: BatteryView) -> None:
    limits = settled(view)
    for limit_a in (limits.charge_a, limits.discharge_a):
        assert isfinite(limit_a)
        assert 0.0 <= limit_a <= 50.0
    if view.volt_age_s != view.volt_age_s or view.volt_age_s >= 4.4:
        assert limits.charge_a == limits.discharge_a == 0.0


def test_a_curve_refuses_what_it_cannot_read() -> None:
    curve = Curve((1.0, 0.0), (2.0, 1.0))
    assert [curve.at(x) for x in (None, nan, inf, 0.0, 1.5, 3.0)] == [0, 0, 0, 0, 0.5, 1]
    with pytest.raises(ValueError, match="rising"):
        Curve((2.0, 0.0), (1.0, 1.0))


def test_freshness_falls_in_a_line() -> None:
    assert [freshness(age, 2.0, 5.0) for age in (0, 2, 3.5, 5, inf, nan)] == [1, 1, 0.5, 0, 0, 0]


def test_an_override_replaces_one_number() -> None:
    assert profile("vw_gte_12s", {"full_cell_v": 4.03}).full_cell_v == 4.03


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"full_cel_v": 4.0}, "full_cel_v"),
        ({"volt_dead_s": 1e9}, "not from 1 to 4.4"),
        ({"over_cell_v": nan}, "not from"),
        ({"full_cell_v": 3.9}, "full_release_v must be below full_cell_v"),
    ],
)
def test_overrides_cannot_loosen_what_protects(overrides: dict[str, float], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        profile("vw_gte_12s", overrides)


def test_a_silent_module_is_named_and_its_last_cells_still_count() -> None:
    view = BatteryViewer(VW_GTE_12S).view([module(volts=3.7), module("b", 7, 4.1, at_s=4.0)], 10.0)
    assert view is not None
    assert (view.silent, view.healthy, view.volt_age_s) == (("b7",), 1, 6.0)
    assert (view.max_cell_v, view.max_cell) == (4.1, "b7.1")
    assert view.pack_v == pytest.approx(12 * 3.7)


def test_a_cell_that_was_never_heard_makes_the_age_infinite() -> None:
    view = BatteryViewer(VW_GTE_12S).view([module(cell_at_s=(10.0,) * 11 + (None,))], 10.0)
    assert view is not None
    assert view.volt_age_s == inf


def test_a_bled_cell_gets_a_margin_on_top() -> None:
    view = BatteryViewer(VW_GTE_12S).view([module(volts=4.0, bleeding=1)], 10.0)
    assert view is not None
    assert view.max_cell_v == pytest.approx(4.05)
    assert view.min_cell_v == 4.0


def test_an_implausible_cell_is_named_and_an_unconfirmed_jump_only_suspected() -> None:
    shorted = (3.7,) * 6 + (1.0,) + (3.7,) * 5
    view = BatteryViewer(VW_GTE_12S).view([module(cell_v=shorted, suspect=1 << 6 | 1)], 10.0)
    assert view is not None
    assert view.implausible == ("a3.7",)
    assert view.suspects == ("a3.1", "a3.7")


def test_a_sensor_beyond_its_range_counts_as_hot() -> None:
    view = BatteryViewer(VW_GTE_12S).view([module(over_range_temp=True)], 10.0)
    assert view is not None
    assert view.high_c == inf
