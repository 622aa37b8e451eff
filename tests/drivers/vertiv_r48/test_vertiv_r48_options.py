"""The configuration section, the figures derived from it, and power to current."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from vertiv_r48_bench import bench

from gridzero.domain.converters import Setpoint
from gridzero.ports.devices import Charger, Role
from gridzero_drivers.vertiv_r48 import plugin
from gridzero_drivers.vertiv_r48.options import RATED_W, VertivR48Options
from gridzero_drivers.vertiv_r48.output import Rating, Slew


def options(**more: Any) -> VertivR48Options:
    return VertivR48Options(link="charger", **more)


def demanded(
    power_w: float, dc_v: float | None = 44.0, caps: dict[str, Any] | None = None, **more: Any
) -> tuple[float, float]:
    """(amperes, volts) that a set-point leads to."""
    rating = Rating(options(**more))
    setpoint = Setpoint(power_w=power_w, until_s=10.0, **(caps or {}))
    demand = rating.demand(setpoint, power_w, dc_v)
    return rating.amps(demand.fraction), demand.volts


def test_defaults_are_those_of_the_common_unit() -> None:
    made = options()
    assert (made.module, made.model, made.max_v, made.refresh_s) == (0, "R48-3000e3", 49.2, 2.0)
    assert made.rated_dc_w == 3000.0
    assert options(rated_w=1800.0).rated_dc_w == 1800.0
    assert options(model="R48-2000e3").rated_dc_w == RATED_W["R48-2000e3"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"module": 128},
        {"model": "R4850G2"},
        {"max_v": 40.9},
        {"max_v": 58.6},
        {"max_v": math.nan},
        {"refresh_s": 10.0},
        {"efficiency": 1.2},
        {"rise_a_per_s": 0.0},
        {"min_fraction": -0.1},
        {"colour": "grey"},
        {"compat_read_ids": True, "module": 1},
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**wrong)


def test_every_option_says_what_it_is_and_its_unit() -> None:
    for name, field in VertivR48Options.model_fields.items():
        if name not in {"driver", "link"}:
            text = field.description or ""
            units = (" in W", " in V", " in A", " in s", "in A/s", "no unit", "fraction")
            assert any(unit in text for unit in units), name


def test_a_fixed_model_list_matches_the_ratings() -> None:
    annotation = VertivR48Options.model_fields["model"].annotation
    assert set(getattr(annotation, "__args__", ())) == set(RATED_W)


def test_the_specification_follows_the_options() -> None:
    spec = Rating(options()).spec
    assert spec.max_w == 2800.0
    assert spec.min_w == pytest.approx(0.02 * 62.5 / 1.21 * 44.0 / 0.955)
    assert spec.dynamics.start_s == 10.0
    assert spec.dynamics.rise_w_per_s == pytest.approx(5.0 * 44.0 / 0.955)
    assert spec.dynamics.zero_at_once
    assert Rating(options(model="R48-1000e3")).spec.max_w == pytest.approx(1000 / 0.955)


def test_power_becomes_current_at_the_measured_voltage() -> None:
    amps, volts = demanded(1000.0, dc_v=45.0)
    assert amps == pytest.approx(1000.0 * 0.955 / 45.0, abs=0.06)
    assert amps <= 1000.0 * 0.955 / 45.0
    assert volts == 49.2


def test_an_unknown_voltage_counts_as_the_highest() -> None:
    assert demanded(1000.0, dc_v=None)[0] == pytest.approx(1000.0 * 0.955 / 49.2, abs=0.06)
    assert demanded(1000.0, dc_v=0.0) == demanded(1000.0, dc_v=None)


def test_the_battery_limits_current_and_voltage() -> None:
    amps, volts = demanded(2000.0, caps={"max_dc_a": 10.0, "max_dc_v": 48.123})
    assert 9.9 < amps <= 10.0
    assert volts == 48.12
    assert demanded(2000.0, caps={"max_dc_v": 60.0})[1] == 49.2


@pytest.mark.parametrize(
    "caps",
    [{"max_dc_a": 0.5}, {"max_dc_a": math.nan}, {"max_dc_v": 40.0}, {"max_dc_v": math.nan}],
)
def test_a_battery_that_bears_too_little_gets_nothing(caps: dict[str, Any]) -> None:
    assert demanded(2000.0, caps=caps)[0] == 0.0


@pytest.mark.parametrize("power_w", [0.0, 20.0, -500.0, math.nan])
def test_less_than_it_can_hold_is_off(power_w: float) -> None:
    assert demanded(power_w)[0] == 0.0


def test_no_more_than_configured() -> None:
    assert demanded(9999.0)[0] == pytest.approx(2800.0 * 0.955 / 44.0, abs=0.06)
    assert demanded(math.inf)[0] == 0.0, "no number is no power"


@given(
    power_w=st.floats(),
    dc_v=st.none() | st.floats(),
    max_dc_a=st.none() | st.floats(),
    max_dc_v=st.none() | st.floats(),
)
def test_nothing_that_is_asked_leads_outside_the_limits(
    power_w: float, dc_v: float | None, max_dc_a: float | None, max_dc_v: float | None
) -> None:
    amps, volts = demanded(power_w, dc_v, {"max_dc_a": max_dc_a, "max_dc_v": max_dc_v})
    assert 41.0 <= volts <= 49.2
    assert 0.0 <= amps <= 62.5
    if amps > 0.0:
        assert max_dc_a is None or amps <= max_dc_a + 1e-4
        assert max_dc_v is None or volts <= max_dc_v + 1e-6


def test_rising_keeps_its_pace_however_often_it_is_asked() -> None:
    slew = Slew(fraction_per_s=0.1)
    slew.begin(0.0)
    fraction, now_s = 0.02, 0.0
    while now_s < 2.0:
        now_s += 0.003
        fraction = slew.toward(now_s, fraction, 1.0)
    assert fraction == pytest.approx(0.22, abs=0.02)
    assert slew.toward(now_s, fraction, 0.1) == 0.1


async def test_the_plugin_builds_a_charger_and_its_twin() -> None:
    async with bench() as house:
        driver = house.driver()
        assert isinstance(driver, Charger)
        assert plugin.role is Role.CHARGER
        assert plugin.link_names(options()) == (("can", "charger"),)
        twin = plugin.twin(options(module=3), house.world, 1)
        assert set(twin.can) == {"charger"}
        assert twin.converters[0].ac_w <= 0.0
