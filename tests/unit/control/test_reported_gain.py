"""What a converter says of itself is its gain, as long as it can be believed."""

from __future__ import annotations

from math import nan

import pytest

from gridzero.control.ledger import Ledger
from gridzero.domain.converters import Dynamics

DYNAMICS = Dynamics(dead_time_s=0.5, jump_w=0, rise_w_per_s=800, fall_w_per_s=800)


def charging(gives: float, told_w: float = 1000.0, seconds: int = 120) -> Ledger:
    """A charger that takes a share of what it is told, and reports it once a second."""
    ledger = Ledger({}, {"charger": DYNAMICS})
    ledger.sent("charger", 0.0, -told_w)
    for second in range(10, seconds):
        ledger.observed("charger", float(second), -told_w * gives)
    return ledger


@pytest.mark.parametrize("gives", [0.85, 0.95, 1.1])
def test_the_gain_of_a_charger_comes_from_its_reports(gives: float) -> None:
    ledger = charging(gives)
    assert ledger.gain("charger") == pytest.approx(gives, abs=0.02)
    assert ledger.final_w() == pytest.approx(-1000.0 * gives, rel=0.02)


@pytest.mark.parametrize("gives", [0.0, 0.5, 1.5, nan])
def test_what_does_not_follow_is_no_gain(gives: float) -> None:
    assert charging(gives).gain("charger") == 1.0


def test_a_promise_is_measured_by_what_was_configured() -> None:
    assert charging(0.85).promised_w("charger", 100.0) == pytest.approx(1000.0)


def test_what_the_meter_teaches_does_not_overrule_a_report() -> None:
    ledger = charging(0.9)
    ledger.learn("charger", _slower(1.2))
    assert ledger.gain("charger") == pytest.approx(0.9, abs=0.02)


def _slower(gain: float) -> Dynamics:
    return Dynamics(dead_time_s=0.7, jump_w=0, rise_w_per_s=400, fall_w_per_s=400, gain=gain)
