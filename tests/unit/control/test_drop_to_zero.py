"""A cut to zero and a new climb, where that costs less than ramping down."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import pytest
from conftest import DYNAMICS, INVERTER
from conftest import house as a_house
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.drop_to_zero import DropToZero, saved_ws
from gridzero.control.ledger import Ledger

RAMPS = replace(DYNAMICS, zero_at_once=False)


def test_what_a_detour_saves_is_the_ramp_less_the_climb_less_the_pause() -> None:
    ramp_ws, climb_ws, pause_ws = 400.0**2 / 200.0, 193.0**2 / 150.0, 0.3 * 250.0
    assert saved_ws(DYNAMICS, 650.0, 250.0) == pytest.approx(ramp_ws - climb_ws - pause_ws)


@pytest.mark.parametrize(("from_w", "to_w"), [(300.0, 250.0), (900.0, 700.0)])
def test_a_small_drop_is_better_ramped(from_w: float, to_w: float) -> None:
    assert saved_ws(DYNAMICS, from_w, to_w) < 0.0


@pytest.mark.parametrize(("from_w", "to_w"), [(250.0, 650.0), (400.0, 400.0), (650.0, 0.0)])
def test_there_is_nothing_to_save_upward_or_at_rest_or_to_zero(from_w: float, to_w: float) -> None:
    assert saved_ws(DYNAMICS, from_w, to_w) == 0.0


def test_who_ramps_to_zero_as_well_is_never_cut() -> None:
    assert saved_ws(RAMPS, 900.0, 100.0) == 0.0


def running(**gives_w: float) -> Ledger:
    """Inverters that have long given this much."""
    ledger = Ledger(dict.fromkeys(gives_w, DYNAMICS), {})
    for name, power_w in gives_w.items():
        ledger.sent(name, 0.0, power_w)
    return ledger


PAIR = a_house(inverters=(INVERTER, replace(INVERTER, name="second")))


def test_only_the_unit_that_gains_is_cut() -> None:
    ledger = running(inverter=650.0, second=300.0)
    shaped, cuts = DropToZero().shape({"inverter": 250.0, "second": 280.0}, PAIR, ledger, 60.0)
    assert (shaped, cuts) == ({"inverter": 0.0, "second": 280.0}, 1)


def test_a_dear_start_is_not_worth_it() -> None:
    ledger, asked = running(inverter=650.0), {"inverter": 250.0}
    saved = saved_ws(DYNAMICS, 650.0, 250.0)
    assert DropToZero().shape(asked, a_house(), ledger, saved - 1.0)[1] == 1
    assert DropToZero().shape(asked, a_house(), ledger, saved + 1.0) == (asked, 0)


def test_one_that_was_cut_is_not_cut_again_on_its_way_up() -> None:
    ledger = running(inverter=650.0)
    ledger.sent("inverter", 99.8, 0.0)
    asked = {"inverter": 250.0}
    assert DropToZero().shape(asked, a_house(now_s=100.1), ledger, 60.0) == (asked, 0)


powers = st.floats(0.0, 1e4)


@given(powers, powers, st.floats(0.0, 1e4))
def test_a_cut_only_ever_lowers(from_w: float, to_w: float, price_ws: float) -> None:
    shaped, cuts = DropToZero().shape(
        {"inverter": to_w}, a_house(), running(inverter=from_w), price_ws
    )
    assert isfinite(saved_ws(DYNAMICS, from_w, to_w))
    assert shaped["inverter"] in (to_w, 0.0)
    assert not cuts or (to_w < from_w and shaped["inverter"] == 0.0)
