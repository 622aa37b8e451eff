"""The whole bank on the twin: what it knows, and what it survives."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from estimation_shed import OWN_CURVE, WINDOW, Shed
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.cells.catalogue import VW_GTE
from gridzero.battery.estimation.estimator import Estimator
from gridzero.battery.estimation.settings import EstimatorSettings, Window
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import Blame, CellDoubt, Oddity, Trust

HOUR_S = 3600.0


def offset_doubt(cell: int, estimate_v: float | None) -> Trust:
    doubt = CellDoubt(
        module="b1",
        cell=cell,
        oddity=Oddity.OFFSET,
        blame=Blame.SENSOR,
        reading_v=2.58,
        estimate_v=estimate_v,
        within_v=0.02,
        text="",
    )
    return Trust(cells={doubt.name: doubt})


def test_nothing_is_known_without_modules() -> None:
    estimator = Estimator(VW_GTE, WINDOW)
    assert estimator.update([], 3.0, 0.25, 5.0) is None
    assert estimator.latest is None


def test_it_starts_from_the_voltage_of_resting_cells() -> None:
    shed = Shed()
    assert shed.look(0.0) is not None
    assert shed.worst() < 0.02
    assert shed.sigma() < 0.10


def test_a_published_curve_is_off_but_says_so() -> None:
    shed = Shed(model=VW_GTE, soc=0.55)
    shed.run(600.0, 4.0)
    assert all(abs(e) < 2.0 * shed.sigma() for e in shed.errors().values())


def test_hours_of_use_with_a_wrong_shunt_stay_within_two_percent() -> None:
    shed = Shed()
    for current_a in (10.0, -12.0, 14.0, 3.0):
        shed.run(0.5 * HOUR_S, current_a, shown_a=current_a + 0.25)
    assert shed.worst() < 0.02
    assert all(abs(e) < 3.0 * shed.sigma() for e in shed.errors().values())


def test_unequal_modules_are_told_apart() -> None:
    """Nothing flows at the terminals, and yet one module fills the other."""
    shed = Shed()
    shed.pack.set_cell_soc("b1", 1, 0.75)
    true = {n: [[soc, 0.01, 0.0] for soc in shed.pack.cell_soc(n)] for n in shed.names}
    modules = {name: {"cells": cells} for name, cells in true.items()}
    shed.estimator.restore({"version": 1, "cell": "vw_gte", "modules": modules}, 0.0)
    shed.run(120.0, 0.0)
    assert shed.pack.module_a("b1") > 1.0
    assert shed.latest is not None
    assert shed.latest.modules["b1"].current_a > 0.3
    assert shed.latest.modules["b2"].current_a < -0.3


def test_the_current_of_the_modules_adds_up() -> None:
    shed = Shed(modules=3)
    charge = shed.run(60.0, 30.0)
    assert sum(m.current_a for m in charge.modules.values()) == pytest.approx(30.0, abs=0.5)


def test_zero_is_the_first_empty_cell_and_one_the_first_full() -> None:
    shed = Shed(modules=1)
    shed.pack.set_cell_soc("b1", 2, 0.40)
    shed.pack.set_cell_soc("b1", 3, 0.70)
    charge = shed.run(60.0, 0.0)
    empty, full = OWN_CURVE.soc_at(WINDOW.empty_v), OWN_CURVE.soc_at(WINDOW.full_v)
    assert charge.out_ah == pytest.approx((0.40 - empty) * 25.0, abs=0.4)
    assert charge.in_ah == pytest.approx((full - 0.70) * 25.0, abs=0.4)
    assert charge.capacity_ah == pytest.approx(charge.out_ah + charge.in_ah)
    assert charge.soc == pytest.approx(charge.out_ah / charge.capacity_ah)
    assert charge.out_wh == pytest.approx(charge.out_ah * 3.6 * 4, rel=0.05)


def test_modules_in_parallel_add_up() -> None:
    one, three = Shed(modules=1).run(20.0), Shed(modules=3).run(20.0)
    assert three.out_ah == pytest.approx(3 * one.out_ah, rel=0.05)
    assert three.soc == pytest.approx(one.soc, abs=0.02)


def test_the_time_that_is_left_follows_the_mean_current() -> None:
    shed = Shed(modules=1)
    charge = shed.run(1800.0, 5.0)
    assert charge.to_empty_s == pytest.approx(charge.out_ah / 5.0 * HOUR_S, rel=0.05)
    assert charge.to_full_s is None
    charge = shed.run(2400.0, -5.0)
    assert charge.to_empty_s is None
    assert charge.to_full_s == pytest.approx(charge.in_ah / 5.0 * HOUR_S, rel=0.2)
    assert Shed().run(60.0, 0.0).to_empty_s is None


def test_full_and_empty_are_seen_and_end() -> None:
    shed = Shed(modules=1, soc=0.84)
    assert not shed.run(30.0, 0.0).is_full
    while not shed.run(60.0, -3.0).is_full:
        assert shed.now_s < 4 * HOUR_S
    assert max(shed.pack.cell_v("b1")) > WINDOW.full_v
    assert shed.latest is not None
    assert shed.latest.soc > 0.97
    assert shed.latest.anchored_s is not None
    assert not shed.run(HOUR_S, 4.0).is_full


def test_empty_is_seen() -> None:
    shed = Shed(modules=1, soc=0.10)
    while not shed.run(60.0, 2.0).is_empty:
        assert shed.now_s < 4 * HOUR_S
    assert min(shed.pack.cell_v("b1")) < WINDOW.empty_v
    assert shed.latest is not None
    assert shed.latest.soc < 0.03


def test_a_strong_charge_that_only_lifts_the_voltage_is_not_full() -> None:
    shed = Shed(modules=1, soc=0.80)
    charge = shed.run(60.0, -30.0)
    assert max(shed.pack.cell_v("b1")) > WINDOW.full_v
    assert not charge.is_full


def test_rest_anchors() -> None:
    shed = Shed()
    assert shed.run(300.0, 0.1).anchored_s is None
    charge = shed.run(1500.0, 0.1)
    assert charge.anchored_s is not None
    assert charge.at_s - charge.anchored_s < 700.0
    before_s = charge.anchored_s
    assert shed.run(1200.0, 8.0).anchored_s == before_s


def test_an_unknown_current_widens_and_the_voltage_leads() -> None:
    shed = Shed(soc=0.5)
    shed.run(1200.0, 4.0)
    sure = shed.sigma()
    shed.run(HOUR_S, 4.0, shown_a=None)
    assert shed.sigma() > sure
    assert shed.worst() < 0.05
    assert all(abs(e) < 3.0 * shed.sigma() for e in shed.errors().values())
    shed.run(HOUR_S, 4.0)
    assert shed.worst() < 0.03


@pytest.mark.parametrize("current_a", [nan, inf, -inf])
def test_a_current_that_is_no_number_is_unknown(current_a: float) -> None:
    shed = Shed()
    charge = shed.run(60.0, 0.0, shown_a=current_a)
    assert shed.worst() < 0.03
    assert charge.to_empty_s is None


def test_what_is_known_about_the_shunt_is_taken_out() -> None:
    shed, plain = Shed(), Shed()
    trust = Trust(shunt_offset_a=2.0, shunt_sign_wrong=True)
    shed.run(600.0, 10.0, shown_a=-10.0 + 2.0, trust=trust)
    plain.run(600.0, 10.0)
    assert shed.errors() == pytest.approx(plain.errors(), abs=1e-6)


def test_a_misread_cell_is_counted_without_its_voltage() -> None:
    shed = Shed(modules=1)
    shed.lies["b1.2"] = 2.58
    shed.run(HOUR_S, 5.0, trust=offset_doubt(2, None))
    assert shed.worst() < 0.25  # it started unsure, as the mean of the others
    assert abs(shed.errors()["b1.2"]) < 2.0 * shed.sigma("b1", 2)
    assert abs(shed.errors()["b1.1"]) < 0.02


def test_what_the_others_say_about_a_misread_cell_is_used() -> None:
    shed = Shed(modules=1)
    shed.lies["b1.2"] = 2.58
    for _ in range(360):
        shed.run(5.0, 3.0, trust=offset_doubt(2, shed.pack.cell_v("b1")[1]))
    assert shed.worst() < 0.03


def test_a_sudden_wrong_reading_does_not_move_the_estimate_for_a_minute() -> None:
    shed = Shed(modules=1)
    shed.run(600.0, 3.0)
    shed.lies["b1.2"] = 2.58
    shed.run(50.0, 3.0)
    assert abs(shed.errors()["b1.2"]) < 0.02


def test_a_reading_that_stays_is_believed_in_the_end() -> None:
    shed = Shed(modules=1)
    shed.run(600.0, 3.0)
    shed.pack.set_cell_soc("b1", 2, 0.05)
    shed.run(60.0, 1.0)
    assert shed.errors()["b1.2"] > 0.4
    shed.run(600.0, 1.0)
    assert abs(shed.errors()["b1.2"]) < 0.05


def test_a_cell_that_the_driver_doubts_is_only_counted() -> None:
    shed = Shed(modules=1)
    shed.run(300.0, 0.0)
    shed.suspect["b1"], shed.lies["b1.1"] = 1, 4.4
    shed.run(300.0, 2.0)
    assert abs(shed.errors()["b1.1"]) < 0.02


def test_frozen_and_deviating_modules_are_handled() -> None:
    shed = Shed()
    shed.run(300.0, 2.0)
    trust = Trust(frozen={"b1": "stands still"}, apart={"b2": "does not agree"})
    shed.lies = {f"b1.{i + 1}": v for i, v in enumerate(shed.pack.cell_v("b1"))}
    shed.run(HOUR_S, 10.0, trust=trust)
    assert shed.worst() < 0.03


def test_bleeding_counts_as_discharge() -> None:
    shed = Shed(modules=1)
    shed.run(60.0, 0.0)
    shed.pack.bleed("b1", 0b0010)
    shed.run(6 * HOUR_S, 0.5, step_s=5.0)
    true = shed.pack.cell_soc("b1")
    assert true[0] - true[1] > 0.015
    assert shed.latest is not None
    cells = shed.latest.modules["b1"].cells
    assert cells[0].soc - cells[1].soc == pytest.approx(true[0] - true[1], abs=0.01)


def test_unknown_temperatures_and_missing_cells_break_nothing() -> None:
    shed = Shed()
    shed.has_temps = False
    shed.lies["b2.3"] = None
    shed.run(HOUR_S, 8.0)
    assert abs(shed.errors()["b1.1"]) < 0.03
    assert abs(shed.errors()["b2.3"]) < 2.0 * shed.sigma("b2", 3)


def test_a_module_without_voltages_does_not_start() -> None:
    shed = Shed()
    shed.lies = {f"b2.{i}": None for i in (1, 2, 3)}
    charge = shed.run(60.0, 4.0)
    assert set(charge.modules) == {"b1"}
    assert charge.modules["b1"].current_a == pytest.approx(2.0, abs=0.3)


def test_a_module_may_come_late_go_and_come_back() -> None:
    shed = Shed()
    shed.missing = {"b2"}
    assert set(shed.run(60.0, 4.0).modules) == {"b1"}
    shed.missing = set()
    assert set(shed.run(600.0, 4.0).modules) == {"b1", "b2"}
    assert shed.worst() < 0.03
    shed.missing = {"b1"}
    assert set(shed.run(60.0, 4.0).modules) == {"b2"}
    shed.missing = set()
    shed.run(600.0, 4.0)
    assert shed.worst() < 0.03


def test_a_module_of_another_number_of_cells_starts_anew() -> None:
    shed = Shed(modules=1)
    shed.run(60.0, 1.0)
    other = Shed(modules=1, cells=6, soc=0.3)
    other.estimator, other.now_s = shed.estimator, shed.now_s
    charge = other.run(60.0, 1.0)
    assert len(charge.modules["b1"].cells) == 6
    assert other.worst() < 0.03


def test_modules_of_different_size_side_by_side() -> None:
    shed, other = Shed(modules=2), Shed(modules=1, cells=6)
    for _ in range(20):
        shed.now_s += 1.0
        six = replace(other.reading("b1"), number=7, cell_at_s=(shed.now_s,) * 6)
        modules = [shed.reading("b1"), shed.reading("b2"), six]
        charge = shed.estimator.update(modules, 9.0, 0.25, shed.now_s)
    assert charge is not None
    assert all(-5.0 < m.current_a < 10.0 for m in charge.modules.values())


def test_a_gap_widens_and_then_it_finds_back() -> None:
    shed = Shed(soc=0.7)
    shed.run(600.0, 5.0)
    sure = shed.sigma()
    shed.pack.advance(HOUR_S, 12.0)
    shed.now_s += HOUR_S
    shed.look(5.0)
    assert shed.sigma() > sure
    shed.run(1200.0, 5.0)
    assert shed.worst() < 0.03


def test_time_that_jumps_breaks_nothing() -> None:
    shed = Shed()
    shed.run(60.0, 5.0)
    for jump_s in (-500.0, 1e6, -1e6, 0.0):
        shed.now_s += jump_s
        assert shed.look(5.0) is not None
        shed.run(600.0, 0.0)
        assert all(abs(e) < 0.2 for e in shed.errors().values())


def test_nothing_is_done_while_nothing_is_new() -> None:
    shed = Shed()
    reading = [shed.reading(name) for name in shed.names]
    first = shed.estimator.update(reading, 5.0, 0.25, 1000.0)
    assert shed.estimator.update(reading, 5.0, 0.25, 1000.2) is first
    again = [replace(one) for one in reading]
    assert shed.estimator.update(again, 5.0, 0.25, 1000.3) is first  # too early
    assert shed.estimator.update(again, 5.0, 0.25, 1000.5) is not first


def test_a_silent_module_is_counted_on() -> None:
    shed = Shed()
    shed.run(600.0, 5.0)
    old = {name: shed.reading(name) for name in shed.names}
    charge = None
    for _ in range(1800):
        shed.pack.advance(1.0, 10.0)
        shed.now_s += 1.0
        charge = shed.estimator.update(list(old.values()), 10.0, 0.25, shed.now_s)
    shed.latest = charge
    assert shed.worst() < 0.02


def test_a_less_exact_current_makes_the_offset_less_sure() -> None:
    shed = Shed(modules=1)
    shed.look(5.0, sigma_a=0.1)
    for _ in range(1800):
        shed.pack.advance(2.0, 5.0)
        shed.now_s += 2.0
        shed.look(7.0, sigma_a=2.0)
    assert shed.worst() < 0.03


def test_what_ageing_has_shown_is_used() -> None:
    shed = Shed(modules=1)
    shed.estimator.calibrate("b1", capacity_ah=(20.0,) * 4, ohm_factor=1.5)
    charge = shed.run(20.0, 0.0)
    plain = Shed(modules=1).run(20.0, 0.0)
    assert charge.capacity_ah == pytest.approx(0.8 * plain.capacity_ah, rel=0.01)
    assert charge.modules["b1"].cells[0].ohm == pytest.approx(
        1.5 * plain.modules["b1"].cells[0].ohm, rel=0.05
    )
    for bad in ({"capacity_ah": (20.0, 0.0)}, {"capacity_ah": (nan,)}, {"ohm_factor": 0.0}):
        with pytest.raises(ValueError, match="b1"):
            shed.estimator.calibrate("b1", **bad)  # type: ignore[arg-type]


def test_a_window_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above empty"):
        Window(full_v=3.2, empty_v=4.0)


volts = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(2.5, 4.2))


@given(
    run=st.lists(
        st.tuples(
            st.lists(volts, min_size=3, max_size=3),
            st.one_of(st.none(), st.floats()),
            st.floats(-10.0, 100.0),
            st.integers(0, 7),
            st.integers(0, 7),
        ),
        max_size=25,
    )
)
@settings(max_examples=60)
def test_nothing_that_modules_say_breaks_it(
    run: list[tuple[list[float | None], float | None, float, int, int]],
) -> None:
    estimator = Estimator(VW_GTE, WINDOW, EstimatorSettings())
    now_s = 1000.0
    for cell_v, current_a, seconds, bleeding, suspect in run:
        now_s += seconds
        reading = ModuleReading(
            bus="b",
            number=1,
            cell_v=tuple(cell_v),
            cell_at_s=(now_s, None, now_s),
            bleeding=bleeding,
            suspect=suspect,
        )
        charge = estimator.update([reading], current_a, 0.25, now_s)
        if charge is not None:
            assert 0.0 <= charge.soc <= 1.0
            assert 0.0 <= charge.sigma <= 1.0
            assert charge.out_ah >= 0.0
            assert all(0.0 <= c.soc <= 1.0 for c in charge.modules["b1"].cells)
