"""Kinds of cells: what is refused, and that look-ups agree with the tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf, isclose, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.cells.catalogue import CELLS, LFP, NCA, NMC, OF_PROFILE, VW_GTE, sized
from gridzero.battery.cells.model import CellModel
from gridzero.sim.pack import rest_v

ALL = pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"capacity_ah": 0.0}, "capacity_ah must be above 0, it is 0"),
        ({"capacity_ah": -3.0}, "capacity_ah must be above 0"),
        ({"capacity_ah": nan}, "capacity_ah must be above 0"),
        ({"slow_s": inf}, "slow_s must be above 0"),
        ({"ocv_sigma_v": 0.0}, "ocv_sigma_v must be above 0"),
        ({"ocv_sigma_v": 2.0}, "at most 0.5 V"),
        ({"ohmic": ((0.0, -0.001), (25.0, 0.001))}, "ohmic must be above 0 everywhere"),
        ({"slow": ()}, "slow is empty"),
        ({"slow": ((25.0, 0.001), (0.0, 0.002))}, "rising degrees"),
        ({"ohmic": ((0.0, nan),)}, "not a number"),
        ({"ohm_by_soc": ((0.0, 0.0), (1.0, 1.0))}, "ohm_by_soc must be above 0"),
        ({"ocv": ((0.0, 3.0), (1.0, 4.0))}, "2 points, it needs 4"),
        ({"ocv": ((0.0, 3.0), (0.4, 3.6), (0.5, 3.5), (1.0, 4.0))}, "does not rise from 0.4 to"),
        ({"ocv": ((0.0, 3.0), (0.4, 3.6), (0.4, 3.7), (1.0, 4.0))}, "does not rise from 0.4 to"),
        ({"ocv": ((0.1, 3.0), (0.4, 3.6), (0.5, 3.7), (1.0, 4.0))}, "from state of charge 0 to 1"),
        ({"ocv": ((0.0, 3.0), (0.4, 3.6), (0.5, 3.7), (0.9, 4.0))}, "from state of charge 0 to 1"),
        ({"ocv": ((0.0, 3.0), (0.4, nan), (0.5, 3.7), (1.0, 4.0))}, "not a number"),
        ({"ocv": ((0.0, -1.0), (0.4, 3.6), (0.5, 3.7), (1.0, 4.0))}, "begins at -1 V"),
    ],
)
def test_what_no_cell_can_be_is_refused_in_words(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(VW_GTE, **change)


@ALL
def test_the_voltage_rises_with_charge_all_the_way(cell: CellModel) -> None:
    volts = [cell.open_v(i / 1000) for i in range(-50, 1051)]
    assert all(b > a for a, b in pairwise(volts))
    assert all(cell.slope_v(i / 100) > 0.0 for i in range(-5, 106))


@ALL
@given(soc=st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_the_way_back_from_the_voltage(cell: CellModel, soc: float) -> None:
    assert isclose(cell.soc_at(cell.open_v(soc)), soc, abs_tol=1e-6)


@ALL
def test_tables_are_kept_at_their_points(cell: CellModel) -> None:
    assert all(
        isclose(cell.open_v(soc), volts, abs_tol=0.02) for soc, volts in cell.ocv if soc > 0.03
    )
    assert cell.open_v(0.0) == cell.ocv[0][1]
    assert isclose(cell.open_v(1.0), cell.ocv[-1][1])


def test_voltages_beyond_the_curve_are_its_ends() -> None:
    assert VW_GTE.soc_at(2.0) == 0.0
    assert VW_GTE.soc_at(5.0) == 1.0
    assert VW_GTE.soc_at(nan) == 0.0


@ALL
def test_energy_is_the_area_under_the_curve(cell: CellModel) -> None:
    steps = 2000
    summed = sum(cell.open_v(0.2 + 0.5 * (i + 0.5) / steps) for i in range(steps)) * 0.5 / steps
    assert isclose(cell.energy_wh(0.2, 0.7, 10.0), 10.0 * summed, rel_tol=1e-5)
    assert cell.energy_wh(0.4, 0.4, 10.0) == 0.0
    assert isclose(cell.energy_wh(0.7, 0.2, 10.0), -cell.energy_wh(0.2, 0.7, 10.0))


@ALL
def test_cold_cells_resist_more(cell: CellModel) -> None:
    ohms = [cell.ohmic_ohm(t) + cell.slow_ohm(t) for t in (-40, -20, -10, 0, 10, 25, 40, 80)]
    assert ohms == sorted(ohms, reverse=True)
    assert ohms[0] == ohms[1]


def test_a_cell_of_twice_the_size_has_half_the_resistance() -> None:
    big = sized(NMC, 50.0)
    assert big.capacity_ah == 50.0
    assert isclose(big.ohmic_ohm(25.0), NMC.ohmic_ohm(25.0) / 2)
    assert big.open_v(0.4) == NMC.open_v(0.4)
    with pytest.raises(ValueError, match="above 0"):
        sized(NMC, nan)


def test_an_lfp_cell_says_next_to_nothing_in_the_middle() -> None:
    assert max(LFP.slope_v(i / 100) for i in range(32, 58)) < 0.2
    assert min(NCA.slope_v(i / 100) for i in range(32, 58)) > 0.4


def test_every_profile_names_a_kind_of_cell_and_every_kind_its_source() -> None:
    assert set(OF_PROFILE.values()) <= set(CELLS)
    assert all(len(cell.source) > 20 for cell in CELLS.values())


def test_the_twin_is_not_the_model() -> None:
    """Else every test on the twin would flatter the estimator."""
    apart_v = [abs(VW_GTE.open_v(i / 20) - rest_v(i / 20)) for i in range(1, 20)]
    assert max(apart_v) > 0.05
    assert sum(apart_v) / len(apart_v) > 0.01
