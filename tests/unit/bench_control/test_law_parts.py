"""Each part of the law is worth something: gridzero with and without it, on a load made for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle

import pytest

from gridzero.bench.control.ablate import without
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.metrics import Metrics, measure
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.simulate import simulate
from gridzero.bench.control.traces import Trace, _from_levels

Levels = Iterable[tuple[float, float]]


def ramps() -> Iterator[tuple[float, float]]:
    """40 W/s up and down again, with rests."""
    while True:
        yield 20.0, 200.0
        yield from ((0.1, 200.0 + 4.0 * i) for i in range(150))
        yield 20.0, 800.0
        yield from ((0.1, 800.0 - 4.0 * i) for i in range(150))


def figures(
    levels: Levels, off: str, *, seconds: float = 600.0, meter: str = "0.5s", plant: str = "house"
) -> Metrics:
    """What gridzero does on this load (how long s, W) without these parts; "" = with all."""
    trace: Trace = _from_levels("made for it", levels, seconds)
    law = without(off) if off else LAWS["gridzero"]
    return measure(simulate(law, Setting(PLANTS[plant], METERS[meter], trace), seed=1))


def error_share(levels: list[tuple[float, float]], part: str) -> float:
    """Mean error with the part over the one without it."""
    return figures(cycle(levels), "").mean_w / figures(cycle(levels), part).mean_w


@pytest.mark.parametrize(
    ("part", "levels", "share"),
    [
        ("jumps", [(40.0, 200.0), (40.3, 600.0)], 0.9),
        ("drop_to_zero", [(30.0, 650.0), (30.0, 250.0)], 0.85),
        ("keep_warm", [(26.0, -900.0), (4.0, 200.0)], 0.6),
        ("zero_cross_hold", [(0.8, -80.0), (5.0, 150.0)], 0.6),
        ("periodic", [(6.0, 700.0), (9.0, 200.0)], 0.75),
    ],
)
@pytest.mark.slow
def test_a_part_lowers_the_error_on_the_load_that_it_is_for(
    part: str, levels: list[tuple[float, float]], share: float
) -> None:
    assert error_share(levels, part) < share


def test_carrying_a_ramp_on_lowers_its_error() -> None:
    assert figures(ramps(), "").mean_w < 0.6 * figures(ramps(), "slope").mean_w


@pytest.mark.slow
def test_asking_again_lowers_what_a_spiky_meter_costs() -> None:
    asking, believing = (
        figures([(1800.0, 400.0)], off, seconds=1800.0, meter="spiky") for off in ("", "spikes")
    )
    assert asking.mean_w < 0.75 * believing.mean_w


def test_a_drop_by_way_of_zero_exports_less_than_half() -> None:
    drops = [(30.0, 650.0), (30.0, 250.0)]
    by_zero, by_ramp = (figures(cycle(drops), off) for off in ("", "drop_to_zero"))
    assert by_zero.export_wh_h < 0.5 * by_ramp.export_wh_h


def test_a_charger_that_is_kept_warm_starts_less_often() -> None:
    gaps = [(26.0, -900.0), (4.0, 200.0)]
    assert figures(cycle(gaps), "").starts_h < 0.5 * figures(cycle(gaps), "keep_warm").starts_h


def test_doubt_calms_a_loop_whose_model_is_far_too_quick() -> None:
    step = [(60.0, 200.0), (1000.0, 500.0)]
    doubting, sure = (
        figures(step, off, plant="dead-2.5") for off in ("identify", "identify,damping")
    )
    assert doubting.mean_w < 0.5 * sure.mean_w
    assert doubting.travel_kw_h < 0.5 * sure.travel_kw_h


def test_a_wild_alternation_makes_starts_dear_and_so_fewer() -> None:
    wild = [(1.5, -150.0), (6.0, 400.0)]
    rationed, free = (figures(cycle(wild), off) for off in ("", "start_budget"))
    assert rationed.starts_h < free.starts_h
    assert rationed.mean_w < free.mean_w
