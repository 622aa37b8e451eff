from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest

from gridzero.bench.control.converters import (
    STEP_S,
    Inverter,
    InverterWire,
    Rectifier,
    RectifierWire,
)
from gridzero.bench.control.plants import METERS, PLANTS, InverterRow, RectifierRow

SOYO = InverterRow()
R48 = RectifierRow()


def outputs(device: Inverter | Rectifier, first_s: float, seconds: float) -> list[float]:
    first = round(first_s / STEP_S)
    steps = range(first, first + round(seconds / STEP_S))
    return [device.step(step * STEP_S) for step in steps]


def test_the_inverter_waits_jumps_and_climbs_as_captured() -> None:
    inverter = Inverter(SOYO)
    inverter.sent(0.0, 500.0)
    seen = outputs(inverter, 0.0, 8.0)
    assert seen[2] == 0.0  # dead until 0.3 s
    assert seen[3] == pytest.approx(57.0 + 7.5)
    assert seen[13] == pytest.approx(57.0 + 11 * 7.5)
    assert seen[-1] == pytest.approx(480.0)  # gain 0.96
    assert inverter.starts == 1


def test_a_demand_beyond_the_cap_gives_864_w() -> None:
    inverter = Inverter(SOYO)
    inverter.sent(0.0, 1200.0)
    assert outputs(inverter, 0.0, 20.0)[-1] == pytest.approx(864.0)


def test_it_falls_at_100_w_per_s_but_to_zero_at_once() -> None:
    inverter = Inverter(SOYO)
    inverter.sent(0.0, 500.0)
    outputs(inverter, 0.0, 10.0)
    inverter.sent(10.0, 100.0)
    assert outputs(inverter, 10.0, 1.3)[-1] == pytest.approx(480.0 - 100.0)
    inverter.sent(12.0, 0.0)
    seen = outputs(inverter, 12.0, 0.5)
    assert seen[2] > 200.0
    assert seen[3] == 0.0


def test_a_lag_reaches_63_percent_after_its_time() -> None:
    inverter = Inverter(PLANTS["lag"].inverter)
    inverter.sent(0.0, 500.0)
    seen = outputs(inverter, 0.0, 3.0)
    assert seen[9] == 0.0
    assert seen[15] == pytest.approx(480.0 * (1 - exp(-1.0)))


def test_the_rectifier_holds_its_smallest_power_for_ten_seconds_then_climbs() -> None:
    rectifier = Rectifier(R48)
    rectifier.sent(0.0, 1000.0)
    seen = outputs(rectifier, 0.0, 20.0)
    assert seen[4] == 0.0
    assert seen[5] == seen[104] == 48.0
    assert seen[114] == pytest.approx(48.0 + 240.0)
    assert seen[-1] == 1000.0
    rectifier.sent(20.0, 300.0)
    assert outputs(rectifier, 20.0, 0.6)[-1] == 300.0
    rectifier.sent(21.0, 0.0)
    assert outputs(rectifier, 20.6, 1.0)[-1] == 0.0
    assert rectifier.starts == 1


def test_demands_leave_when_they_change_but_not_closer_than_the_gap() -> None:
    wire = InverterWire(SOYO)
    assert wire.frame(0.0, 300.9) == 300.0
    assert wire.frame(0.1, 310.0) is None
    assert wire.frame(0.2, 310.0) is None
    assert wire.frame(0.3, 310.0) == 310.0
    assert wire.frame(0.8, 310.0) is None  # a keep-alive, nothing new
    assert wire.frame(0.9, 320.0) is None  # which keeps the next one waiting
    assert wire.frame(1.1, 320.0) == 320.0


def test_units_share_whole_watts_and_small_demands_are_zero() -> None:
    wire = InverterWire(PLANTS["two-inverters"].inverter)
    assert wire.frame(0.0, 301.9) == 300.0
    assert wire.frame(1.0, 17.9) == 0.0


def test_a_set_point_below_the_smallest_current_is_off() -> None:
    wire = RectifierWire(R48)
    assert wire.frame(500.4) == 500.0
    assert wire.frame(500.9) is None
    assert wire.frame(47.0) == 0.0


def test_rows_are_named_as_they_are_found_and_variants_differ_only_where_they_say() -> None:
    assert all(name == row.name for rows in (PLANTS, METERS) for name, row in rows.items())
    house = PLANTS["house"]
    assert PLANTS["dead-2.5"].inverter == replace(house.inverter, dead_s=2.5)
    assert PLANTS["dead-2.5"].told == house.told
    assert PLANTS["dead-2.5-known"].told.dead_time_s == 2.5
    assert house.discharge_w == pytest.approx(864.0)
    assert PLANTS["discharge"].charge_w == 0.0
