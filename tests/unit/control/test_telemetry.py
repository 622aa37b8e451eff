"""Readings that cannot be true do not get in."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from conftest import CHARGER, house

from gridzero.control.chapter import Command, Sample
from gridzero.control.second_thoughts import Mover, SecondThoughts
from gridzero.control.telemetry import LastGood, believable
from gridzero.domain.converters import Dynamics
from gridzero.domain.readings import ConverterReading, CurrentReading, MeterReading

_GOOD = MeterReading(99.7, 100.0, 300.0)
_TRUE = Dynamics(dead_time_s=0.3, jump_w=57.0, rise_w_per_s=75.0, fall_w_per_s=100.0)


@pytest.mark.parametrize(
    "bad",
    [
        MeterReading(100.2, 100.5, nan),
        MeterReading(100.2, 100.5, -inf),
        MeterReading(nan, 100.5, 300.0),
        MeterReading(80.0, 100.5, 300.0),
        MeterReading(99.2, 99.5, 300.0),
        MeterReading(100.2, 130.0, 300.0),
        MeterReading(100.2, nan, 300.0),
    ],
)
def test_a_meter_reading_that_cannot_be_true_leaves_the_last_one_to_age(bad: MeterReading) -> None:
    last_good = LastGood()
    assert last_good.of(house(meter=_GOOD)).meter is _GOOD
    assert last_good.of(house(now_s=100.6, meter=bad)).meter is _GOOD
    assert last_good.of(house(now_s=101.0, meter=bad)).meter_age_s == pytest.approx(1.0)


def test_a_stamp_from_the_future_counts_as_the_arrival() -> None:
    seen = LastGood().of(house(meter=replace(_GOOD, at_s=500.0))).meter
    assert seen == MeterReading(100.0, 100.0, 300.0)


def test_good_readings_leave_the_snapshot_as_it_is() -> None:
    now = house()
    assert LastGood().of(now) is now


@pytest.mark.parametrize("bad", [CurrentReading(100.0, nan), CurrentReading(200.0, 1.0)])
def test_a_shunt_reading_that_cannot_be_true_leaves_the_last_one(bad: CurrentReading) -> None:
    last_good, good = LastGood(), CurrentReading(99.9, 3.0)
    assert last_good.of(house(shunt=bad)).shunt is None
    assert last_good.of(house(shunt=good)).shunt is good
    assert last_good.of(house(shunt=bad)).shunt is good
    assert last_good.of(house(shunt=None)).shunt is None


def test_numbers_of_a_converter_that_cannot_be_true_are_not_known() -> None:
    good = ConverterReading(at_s=99.0, ac_w=-500.0, dc_v=44.0, dc_a=-10.0)
    spec = CHARGER.spec
    assert believable(good, spec, 100.0) is good
    assert believable(good, spec, 98.0) is None, "of the future"
    assert believable(None, spec, 98.0) is None
    cleaned = believable(replace(good, ac_w=-9e9, dc_a=nan), spec, 100.0)
    assert cleaned == replace(good, ac_w=None, dc_a=None)


def _movers(believed: Dynamics) -> list[Mover]:
    commands = (Command(0.0, 100.0), Command(12.0, 400.0))
    return [Mover(name, 1.0, commands, believed, _TRUE) for name in ("one", "other")]


def _samples() -> tuple[Sample, ...]:
    """Two inverters of _TRUE climb from 100 to 400 W at a steady load of 1000 W."""
    powers_w = [min(400.0, max(100.0, 100.0 + 75.0 * (0.5 * i - 2.3))) for i in range(21)]
    return tuple(Sample(10.0 + 0.5 * i, 1000.0 - 2.0 * w) for i, w in enumerate(powers_w))


def test_three_moves_together_that_the_configuration_explains_refute_what_was_learned() -> None:
    wrong = replace(_TRUE, rise_w_per_s=25.0, gain=0.7)
    thoughts = SecondThoughts()
    found = [thoughts.take(_movers(wrong), _samples()) for _ in range(3)]
    assert found == [(), (), ("one", "other")]


def test_a_belief_that_explains_as_much_is_kept() -> None:
    close = replace(_TRUE, rise_w_per_s=72.0)
    thoughts = SecondThoughts()
    assert not any(thoughts.take(_movers(close), _samples()) for _ in range(9))
