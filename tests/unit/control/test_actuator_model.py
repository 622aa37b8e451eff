from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.actuator_model import ActuatorModel
from gridzero.control.ledger import Ledger
from gridzero.domain.converters import Dynamics

INVERTER = Dynamics(dead_time_s=0.3, jump_w=57, rise_w_per_s=75, fall_w_per_s=100)


def test_nothing_happens_before_the_dead_time_has_passed() -> None:
    model = ActuatorModel(INVERTER)
    model.sent(10.0, 500.0)
    assert (model.output_at(10.29), model.output_at(10.3)) == (0.0, 57.0)


def test_output_jumps_then_climbs_to_the_command() -> None:
    model = ActuatorModel(INVERTER)
    model.sent(0.0, 207.0)
    assert model.output_at(1.3) == pytest.approx(57 + 75)
    assert model.output_at(2.3) == pytest.approx(207.0)
    assert model.output_at(99.0) == 207.0
    assert model.final_w == 207.0


def test_it_falls_in_a_ramp_but_to_zero_at_once() -> None:
    model = ActuatorModel(INVERTER)
    model.sent(0.0, 600.0)
    model.sent(20.0, 400.0)
    assert model.output_at(21.3) == pytest.approx(500.0)
    model.sent(22.0, 0.0)
    assert model.output_at(22.31) == 0.0


def test_the_past_can_be_asked() -> None:
    model = ActuatorModel(INVERTER)
    model.sent(0.0, 300.0)
    model.sent(10.0, 0.0)
    assert model.output_at(9.0) == 300.0


def test_a_start_takes_its_time_and_can_be_called_off() -> None:
    charger = Dynamics(dead_time_s=0.5, jump_w=0, rise_w_per_s=200, fall_w_per_s=1e6, start_s=10.0)
    model = ActuatorModel(charger)
    model.sent(0.0, 1000.0)
    model.sent(5.0, 1200.0)
    assert model.output_at(10.4) == 0.0
    assert model.output_at(12.5) == pytest.approx(400.0)
    assert model.output_at(17.0) == pytest.approx(1200.0)
    other = ActuatorModel(charger)
    other.sent(0.0, 1000.0)
    other.sent(5.0, 0.0)
    assert (other.output_at(30.0), other.final_w) == (0.0, 0.0)


def test_what_the_converter_itself_says_corrects_the_model() -> None:
    model = ActuatorModel(INVERTER)
    model.sent(0.0, 500.0)
    model.observed(4.0, 100.0)
    assert model.output_at(5.0) == pytest.approx(175.0)
    assert model.output_at(20.0) == 500.0


def test_the_ledger_adds_with_the_sign_of_the_direction() -> None:
    ledger = Ledger({"inverter": INVERTER}, {"charger": INVERTER})
    ledger.sent("inverter", 0.0, 300.0)
    assert ledger.own_w(20.0) == 300.0
    ledger.sent("inverter", 20.0, 0.0)
    ledger.sent("charger", 20.0, -800.0)
    assert (ledger.own_w(60.0), ledger.final_w()) == (-800.0, -800.0)


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0, 900)), min_size=1, max_size=40),
    st.floats(0, 200),
)
def test_output_stays_between_zero_and_the_largest_command(
    steps: list[tuple[float, float]], ask_s: float
) -> None:
    model, at_s = ActuatorModel(INVERTER), 0.0
    for pause_s, power_w in steps:
        at_s += pause_s
        model.sent(at_s, power_w)
    largest = max(power_w for _, power_w in steps)
    assert 0.0 <= model.output_at(ask_s) <= largest + 1e-6
    assert model.output_at(at_s + 1000) == pytest.approx(steps[-1][1])


def test_it_remembers_only_what_can_still_be_asked() -> None:
    model = ActuatorModel(INVERTER)
    for second in range(1000):
        model.observed(float(second), 100.0)
        model.sent(second + 0.5, 100.0 + second % 2)
    assert len(model._legs) < 50


def test_one_that_stood_alone_stays_at_what_it_reports_until_a_command_leaves() -> None:
    model = ActuatorModel(INVERTER)
    model.sent(0.0, 0.0)
    model.stands(20.0, 700.0)
    assert model.output_at(25.0) == 700.0
    for second in range(30, 34):
        model.observed(float(second), 0.0)
        assert model.output_at(second + 0.9) == 0.0, "it does not rise to what it once gave alone"
    model.sent(40.0, 300.0)
    assert model.final_w == pytest.approx(300.0 * INVERTER.gain)
