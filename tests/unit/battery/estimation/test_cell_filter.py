"""The filter of one cell group, apart from everything around it."""

from __future__ import annotations

from math import inf, isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.cells.catalogue import LFP, VW_GTE
from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation.cell_filter import (
    SOC_BOUNDS,
    WIDEST_SOC,
    CellFilter,
    Noise,
    Step,
    left_after,
)


def step(seconds: float = 1.0, blind_a: float = 0.0, model: CellModel = VW_GTE) -> Step:
    return Step(
        dt_s=seconds,
        a=left_after(seconds, model.slow_s),
        ohmic=model.ohmic_ohm(25.0),
        slow=model.slow_ohm(25.0),
        blind_a=blind_a,
        cycle_var=8e-4,
        drift_var=1e-7,
    )


NOISE = Noise(sigma_v=0.008, ohm_sigma=0.2, repeat=60.0, curve_v=0.03, gate_sigma=6.0, gate_v=0.05)


def true_v(model: CellModel, soc: float, current_a: float = 0.0) -> float:
    return model.open_v(soc) - current_a * model.ohmic_ohm(25.0) * model.at(soc).ohm_factor


def test_an_hour_of_a_fifth_of_the_capacity_takes_a_fifth() -> None:
    cell = CellFilter(VW_GTE, 0.8, 0.01, 0.0)
    for _ in range(3600):
        cell.predict(5.0, step())
    assert cell.soc == pytest.approx(0.6, abs=1e-6)
    slow_v = 5.0 * VW_GTE.slow_ohm(25.0) * VW_GTE.at(0.8).ohm_factor
    assert cell.rc_v == pytest.approx(slow_v, rel=0.01)


def test_counting_alone_makes_less_sure() -> None:
    cell = CellFilter(VW_GTE, 0.8, 0.01, 0.2)
    before = cell.sigma
    for _ in range(600):
        cell.predict(5.0, step())
    assert cell.sigma > before


def test_a_wrong_start_is_found_from_the_voltage() -> None:
    cell = CellFilter(VW_GTE, 0.4, 0.15, 0.1)
    for _ in range(300):
        cell.predict(0.0, step())
        cell.correct(true_v(VW_GTE, 0.6), 0.0, step(), NOISE)
    assert cell.soc == pytest.approx(0.6, abs=0.01)


def test_an_offset_of_the_current_is_learned() -> None:
    cell = CellFilter(VW_GTE, 0.9, 0.02, 0.5)
    soc = 0.9
    for _ in range(4 * 3600):
        soc -= 3.0 / 3600.0 / VW_GTE.capacity_ah
        cell.predict(3.5, step())  # half an ampere too much is said
        slow_v = 3.0 * VW_GTE.slow_ohm(25.0)
        cell.correct(true_v(VW_GTE, soc, 3.0) - slow_v, 3.5, step(), NOISE)
    assert cell.offset_a == pytest.approx(0.5, abs=0.1)
    assert cell.soc == pytest.approx(soc, abs=0.02)


def test_a_misread_voltage_is_left_out_and_changes_nothing() -> None:
    cell = CellFilter(VW_GTE, 0.6, 0.02, 0.1)
    before = (cell.soc, cell.p00, cell.offset_a)
    assert not cell.correct(2.58, 0.0, step(), NOISE)
    assert not cell.correct(nan, 0.0, step(), NOISE)
    assert not cell.correct(inf, 0.0, step(), NOISE)
    assert (cell.soc, cell.p00, cell.offset_a) == before


def test_a_wrong_curve_does_not_become_surer_with_time() -> None:
    """Whole days of readings cannot say that the table is right."""
    cell = CellFilter(VW_GTE, 0.6, 0.1, 0.1)
    for _ in range(20_000):
        cell.correct(true_v(VW_GTE, 0.6), 0.0, step(), NOISE)
    assert cell.sigma >= 0.8 * VW_GTE.ocv_sigma_v / VW_GTE.slope_v(0.6)
    assert cell.p00**0.5 < 0.002


def test_a_flat_curve_does_not_pretend() -> None:
    cell = CellFilter(LFP, 0.4, 0.2, 0.1)
    for _ in range(1200):
        cell.correct(true_v(LFP, 0.5), 0.0, step(model=LFP), NOISE)
    assert cell.sigma > 0.08
    assert abs(cell.soc - 0.5) < 2.5 * cell.sigma


def test_a_flat_curve_keeps_what_was_counted() -> None:
    """What came from the steep end is not given up for a voltage that says nothing."""
    cell = CellFilter(LFP, 0.7, 0.01, 0.02)
    for _ in range(1200):
        cell.correct(true_v(LFP, 0.7) + 0.004, 0.0, step(model=LFP), NOISE)
    assert abs(cell.soc - 0.7) < 0.05
    assert cell.sigma < 0.10


def test_an_unknown_current_widens_and_teaches_no_offset() -> None:
    cell = CellFilter(VW_GTE, 0.6, 0.02, 0.2)
    offset_var = cell.p22
    for _ in range(600):
        cell.predict(cell.offset_a, step(blind_a=7.5))
    assert cell.sigma > 0.05
    assert cell.soc == pytest.approx(0.6)
    assert (cell.p02, cell.p12) == (0.0, 0.0)
    assert cell.p22 == pytest.approx(offset_var, rel=0.01)


def minors(cell: CellFilter) -> tuple[float, float, float]:
    """Of the covariance scaled to correlations, so that units do not hide anything."""
    s0, s1, s2 = cell.p00**0.5, cell.p11**0.5, cell.p22**0.5
    a, b, c = cell.p01 / s0 / s1, cell.p02 / s0 / s2, cell.p12 / s1 / s2
    return 1 - a * a, 1 - b * b, 1 + 2 * a * b * c - a * a - b * b - c * c


moments = st.tuples(
    st.floats(-200.0, 200.0),
    st.floats(2.0, 4.5),
    st.sampled_from([0.5, 1.0, 60.0]),
    st.sampled_from([0.0, 0.0, 7.5]),
    st.booleans(),
)


@given(soc=st.floats(0.0, 1.0), sigma=st.floats(0.0, 0.3), run=st.lists(moments, max_size=40))
@settings(max_examples=60)
def test_nothing_drives_the_filter_out_of_bounds(
    soc: float, sigma: float, run: list[tuple[float, float, float, float, bool]]
) -> None:
    cell = CellFilter(VW_GTE, soc, sigma, 0.3)
    for current_a, volts, seconds, blind_a, sure in run:
        now = step(seconds, blind_a)
        cell.predict(current_a, now)
        noise = NOISE._replace(sigma_v=0.001, repeat=1.0) if sure else NOISE
        cell.correct(volts, current_a, now, noise)
        if not sure:
            cell.doubt(0.05)
        assert SOC_BOUNDS[0] <= cell.soc <= SOC_BOUNDS[1]
        assert 0.0 <= cell.sigma <= WIDEST_SOC
        assert cell.is_sound
        assert isfinite(sum(minors(cell)))
        assert min(minors(cell)) > -1e-6
