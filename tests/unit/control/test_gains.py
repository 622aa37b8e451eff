"""Commands by gain: what shall flow flows, and nothing is ever told more than is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.gains import as_they_are, commands_for
from gridzero.control.guard import power_limits
from gridzero.control.ledger import Ledger
from gridzero.domain.converters import Dynamics
from gridzero.domain.snapshot import Snapshot

House = Callable[..., Snapshot]
DYNAMICS = Dynamics(dead_time_s=0.3, jump_w=57, rise_w_per_s=75, fall_w_per_s=100)


def ledger(inverter: float = 1.0, charger: float = 1.0) -> Ledger:
    made = Ledger({"inverter": DYNAMICS}, {"charger": DYNAMICS})
    made.learn("inverter", replace(DYNAMICS, gain=inverter))
    made.learn("charger", replace(DYNAMICS, gain=charger))
    return made


def test_less_gain_is_told_more(house: House) -> None:
    commands = commands_for({"inverter": 400.0, "charger": 0.0}, house(), ledger(inverter=0.8))
    assert commands == {"inverter": 500.0, "charger": 0.0}


def test_more_gain_is_told_less(house: House) -> None:
    commands = commands_for({"inverter": 0.0, "charger": 1000.0}, house(), ledger(charger=1.25))
    assert commands == {"inverter": 0.0, "charger": 800.0}


def test_no_more_than_its_largest_power_is_told(house: House) -> None:
    commands = commands_for({"inverter": 800.0}, house(), ledger(inverter=0.7))
    assert commands["inverter"] == 900.0


def test_a_gain_that_may_be_wrong_does_not_lift_the_battery_limit(house: House) -> None:
    now = house()
    assert now.limits is not None
    weak = replace(now, limits=replace(now.limits, discharge_a=10.0))
    most_w = power_limits(weak, over_current=False, rogue_charge=False).discharge_w
    commands = commands_for({"inverter": most_w}, weak, ledger(inverter=0.75))
    assert commands["inverter"] == pytest.approx(most_w)


def test_where_nothing_is_learned_the_snapshot_is_the_same_one(house: House) -> None:
    now = house()
    unlearned = Ledger({"inverter": DYNAMICS}, {"charger": DYNAMICS})
    assert as_they_are(now, unlearned) is now


def test_limits_of_a_converter_are_limits_of_what_it_is_told(house: House) -> None:
    true = as_they_are(house(), ledger(inverter=0.8))
    assert true.inverters[0].spec.max_w == pytest.approx(720.0)
    assert true.inverters[0].spec.min_w == pytest.approx(21.6)
    assert true.chargers[0].spec.max_w == house().chargers[0].spec.max_w


@given(share_w=st.floats(0, 2000), gain=st.floats(0.7, 1.3), discharge_a=st.floats(0, 60))
def test_no_command_is_above_unit_or_battery(
    share_w: float, gain: float, discharge_a: float
) -> None:
    from conftest import LIMITS, house  # noqa: PLC0415 - plain function, not the fixture

    now = house(limits=replace(LIMITS, discharge_a=discharge_a))
    now_w = power_limits(now, over_current=False, rogue_charge=False).discharge_w
    share_w = min(share_w, now_w)
    command_w = commands_for({"inverter": share_w}, now, ledger(inverter=gain))["inverter"]
    assert 0.0 <= command_w <= min(900.0, max(now_w, share_w)) + 1e-6
    assert command_w == 0.0 or command_w * gain <= share_w + 1e-6
