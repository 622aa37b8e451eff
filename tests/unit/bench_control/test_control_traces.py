from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from gridzero.bench.control.plants import PLANTS
from gridzero.bench.control.records import Recorded, from_files
from gridzero.bench.control.traces import TRACES
from gridzero.errors import ConfigError

HOUSE, DISCHARGE = PLANTS["house"], PLANTS["discharge"]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_has_the_length_that_was_asked_for_and_depends_on_its_seed(name: str) -> None:
    row = TRACES[name]
    trace = row.make(HOUSE, 1, 200.0)
    assert trace.name == name
    assert len(trace.net_load_w) == 2000
    assert trace.net_load_w == row.make(HOUSE, 1, 200.0).net_load_w


def test_steps_rest_between_200_and_600_w() -> None:
    trace = TRACES["steps"].make(HOUSE, 1, 300.0)
    assert set(trace.net_load_w) == {200.0, 600.0}
    for first, end in trace.steps:
        assert trace.net_load_w[first] != trace.net_load_w[first - 1]
        assert len(set(trace.net_load_w[first:end])) == 1
        assert end - first >= 200


def test_random_loads_stay_within_what_the_converters_can() -> None:
    both = TRACES["random"].make(HOUSE, 3, 3600.0).net_load_w
    assert -0.8 * 2800 <= min(both) < 0 < max(both) <= 0.8 * 864
    alone = TRACES["random"].make(DISCHARGE, 3, 3600.0).net_load_w
    assert min(alone) >= 0.2 * 864


def test_clouds_are_not_faster_than_60_w_per_s() -> None:
    powers_w = TRACES["ramps"].make(HOUSE, 1, 600.0).net_load_w
    moves = [abs(b - a) for a, b in pairwise(powers_w)]
    assert 0.0 < max(moves) <= 6.0 + 1e-9


def test_the_hob_is_on_for_6_of_15_s() -> None:
    powers_w = TRACES["hob"].make(HOUSE, 1, 170.0).net_load_w[200:]
    assert powers_w.count(1750.0) / len(powers_w) == pytest.approx(0.4)


def test_a_washing_machine_heats_and_turns() -> None:
    powers_w = TRACES["washing"].make(HOUSE, 1, 3000.0).net_load_w
    assert powers_w[0] == 150.0
    assert max(powers_w) > 2000.0


def test_files_of_load_and_sun_make_a_net_load(tmp_path: Path) -> None:
    load, sun = tmp_path / "load.csv", tmp_path / "sun.csv"
    load.write_text("day,time_s,power_w\nmon,0,100\nmon,2,300\ntue,0,900\n")
    sun.write_text("time_s,pv_pu\n0,0.0\n1,0.1\n")
    row = from_files(Recorded(load=load, sun=sun, day="mon", peak_w=1000.0))
    assert row.name == "load-sun-mon"
    assert row.seconds == 2.0
    powers_w = row.make(HOUSE, 1, 3.0).net_load_w
    assert [powers_w[0], powers_w[10], powers_w[20]] == [100.0, 0.0, 300.0]


def test_a_day_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    load = tmp_path / "load.csv"
    load.write_text("day,time_s,power_w\nmon,0,100\n")
    with pytest.raises(ConfigError, match="mon"):
        from_files(Recorded(load=load, day="sun"))
