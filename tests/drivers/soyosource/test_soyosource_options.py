"""What the configuration accepts."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gridzero_drivers.soyosource.driver import spec_of
from gridzero_drivers.soyosource.options import SoyosourceOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"units": 0},
        {"units": 9},
        {"send_period_s": 0.2},
        {"send_period_s": 1.1},
        {"status_period_s": 1.9},
        {"system_v": 50},
        {"min_w": 8},
        {"min_w": 400, "max_w": 300},
        {"baud": 9600},
        {"link": ""},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SoyosourceOptions(**{"link": "rs485", **wrong})


@pytest.mark.parametrize(
    ("options", "efficiency"),
    [
        ({}, 0.96 * 0.89),
        ({"system_v": 24}, 0.96 * 0.87),
        ({"gain": 0.9}, 0.9 * 0.89),
        ({"dc_efficiency": 0.8}, 0.8),
    ],
)
def test_efficiency_follows_from_what_was_measured(
    options: dict[str, Any], efficiency: float
) -> None:
    assert SoyosourceOptions(link="rs485", **options).efficiency == pytest.approx(efficiency)


def test_several_units_are_one_larger_inverter() -> None:
    spec = spec_of(SoyosourceOptions(link="rs485", units=3))
    assert (spec.min_w, spec.max_w) == pytest.approx((81.0 * 0.96, 2700.0 * 0.96))
    assert (spec.dynamics.jump_w, spec.dynamics.rise_w_per_s) == (171.0, 225.0)
    assert spec.dynamics.fall_w_per_s == 300.0
    assert (spec.dynamics.gain, spec.dynamics.dead_time_s) == (1.0, 0.3)


@pytest.mark.parametrize(
    ("options", "window"),
    [
        ({}, (43.0, 44.0, 90.0)),
        ({"system_v": 24}, (21.0, 22.0, 45.0)),
        ({"system_v": 36}, (None, None, 62.0)),
        ({"system_v": 36, "stop_v": 35.0}, (35.0, 36.0, 62.0)),
        ({"stop_v": 45.0, "start_v": 48.0}, (45.0, 48.0, 90.0)),
        ({"start_v": 47.0}, (43.0, 47.0, 90.0)),
    ],
)
def test_the_window_is_that_of_the_type_unless_it_is_set(
    options: dict[str, Any], window: tuple[float | None, ...]
) -> None:
    found = spec_of(SoyosourceOptions(link="rs485", **options)).window
    assert (found.stop_v, found.start_v, found.max_v) == window


@pytest.mark.parametrize(
    "wrong", [{"stop_v": 45.0, "start_v": 44.0}, {"system_v": 36, "start_v": 40.0}]
)
def test_a_window_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="start_v"):
        SoyosourceOptions(link="rs485", **wrong)


def test_the_loss_curve_meets_the_efficiency_that_limits_rest_on() -> None:
    spec = spec_of(SoyosourceOptions(link="rs485", units=2, full_load_extra_w=20.0))
    curve = spec.loss_curve
    flat_w = spec.max_w * (1.0 / spec.efficiency - 1.0)
    assert curve.at(spec.max_w) == pytest.approx(flat_w + 2 * 2.0 + 2 * 20.0)
    assert curve.at(0.0) == 2 * 1.5
