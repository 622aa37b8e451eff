from __future__ import annotations

from array import array

import pytest

from gridzero.bench.control.index import Assumed, Index, Loss
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.metrics import Metrics, avoidable_error, mean_of, measure
from gridzero.bench.control.plants import METERS, PLANTS, PlantRow
from gridzero.bench.control.simulate import Run
from gridzero.bench.control.traces import Trace

HOUSE = PLANTS["house"]


def run_of(
    load_w: list[float],
    battery_w: list[float],
    *,
    steps: tuple[tuple[int, int], ...] = (),
    plant: PlantRow = HOUSE,
) -> Run:
    trace = Trace("made", array("d", load_w), steps)
    return Run(Setting(plant, METERS["0.5s"], trace), array("d", battery_w), starts=3)


@pytest.mark.parametrize(
    ("load_w", "battery_w", "error_w"),
    [
        (500.0, 450.0, 50.0),
        (500.0, 550.0, -50.0),
        (2000.0, 864.0, 0.0),  # all that one inverter can
        (2000.0, 400.0, 464.0),
        (-3000.0, -2800.0, 0.0),
        (-3000.0, -2000.0, -800.0),
        (-3000.0, 100.0, -2900.0),
        (-30.0, 0.0, 0.0),  # less than the rectifier can hold
        (-30.0, -48.0, 18.0),
        (-100.0, 0.0, -100.0),
    ],
)
def test_only_what_converters_could_cover_is_an_error(
    load_w: float, battery_w: float, error_w: float
) -> None:
    assert avoidable_error(run_of([load_w], [battery_w]))[0] == pytest.approx(error_w)


def test_means_energies_travel_and_regret_of_a_made_up_hour() -> None:
    half = 18000
    load_w, battery_w = [500.0] * (2 * half), [480.0] * half + [510.0] * half
    found = measure(run_of(load_w, battery_w))
    counted = 2 * half - 300  # the first 30 s are left out
    assert found.import_wh_h == pytest.approx(20.0 * (half - 300) / counted)
    assert found.export_wh_h == pytest.approx(10.0 * half / counted)
    assert found.mean_w == pytest.approx(found.import_wh_h + found.export_wh_h)
    assert found.rms_w == pytest.approx(((400 * (half - 300) + 100 * half) / counted) ** 0.5)
    assert found.travel_kw_h == pytest.approx(0.03)
    assert found.starts_h == pytest.approx(3.0)
    regret_ct_h = (found.import_wh_h * 30 - found.export_wh_h * 8) / 1000
    assert found.regret_ct_h == pytest.approx(regret_ct_h)
    assert found.settle_s is None
    assert found.dead_s is None


def stepping(after: list[float]) -> Metrics:
    """200 W for 20 s, then 600 W while the battery does what after says."""
    load_w = [200.0] * 200 + [600.0] * len(after)
    battery_w = [200.0] * 200 + after
    return measure(run_of(load_w, battery_w, steps=((200, 200 + len(after)),)))


def test_a_step_is_timed_from_the_jump() -> None:
    found = stepping([200.0] * 12 + [400.0] * 10 + [640.0] * 8 + [590.0] * 200)
    assert found.dead_s == pytest.approx(1.2)
    assert found.settle_s == found.settle_max_s == pytest.approx(3.0)
    assert found.overshoot_w == pytest.approx(40.0)
    assert found.stationary_w == pytest.approx(10.0)
    assert found.unsettled == 0.0


def test_a_step_that_never_settles_counts_in_full() -> None:
    found = stepping([560.0, 640.0] * 150)
    assert found.unsettled == 1.0
    assert found.settle_s == pytest.approx(30.0)


def test_several_seeds_are_averaged_but_the_worst_settling_stays() -> None:
    quick = stepping([600.0] * 300)
    slow = stepping([200.0] * 50 + [600.0] * 250)
    both = mean_of([quick, slow])
    assert both.settle_s == pytest.approx(2.5)
    assert both.settle_max_s == pytest.approx(5.0)
    assert both.mean_w == pytest.approx((quick.mean_w + slow.mean_w) / 2)


FREE = Assumed(discharge=Loss(0, 0, 0), charge=Loss(0, 0, 0), standby_w=0.0, stored_ct=0.0)


def test_an_ideal_battery_has_index_one_and_none_has_zero() -> None:
    load_w = [500.0] * 36000
    index = Index(HOUSE, load_w, FREE)
    assert index.shares(load_w).full == pytest.approx(1.0)
    assert index.shares([0.0] * 36000).full == pytest.approx(0.0)
    assert index.shares([250.0] * 36000).control == pytest.approx(0.5)


def test_losses_are_told_apart() -> None:
    load_w = [500.0] * 36000
    lossy = Assumed(discharge=Loss(0.0, 0.2, 0.0), standby_w=20.0)
    shares = Index(HOUSE, load_w, lossy).shares(load_w)
    saved_ct = 0.5 * (30 - 19)
    assert shares.control == pytest.approx(1.0)
    assert shares.conversion == pytest.approx(1 - 0.1 * 19 / saved_ct)
    assert shares.standby == pytest.approx(1 - 0.02 * 30 / saved_ct)
    both = 1 - (0.1 * 19 + 0.02 * 30) / saved_ct
    assert shares.full == pytest.approx(both)


def test_an_empty_battery_gives_nothing() -> None:
    load_w = [800.0] * 36000
    small = Assumed(
        capacity_wh=800.0,
        discharge=Loss(0, 0, 0),
        charge=Loss(0, 0, 0),
        standby_w=0.0,
        stored_ct=0.0,
    )
    index = Index(HOUSE, load_w, small)
    assert index.shares(load_w).full == pytest.approx(1.0)  # the ideal one is as small
    assert index.shares([400.0] * 36000).full == pytest.approx(1.0, abs=1e-3)


def test_without_anything_to_save_there_is_no_index() -> None:
    assert Index(HOUSE, [0.0] * 36000).shares([0.0] * 36000).control is None
