"""Two beats that agree foretell the next change; the first that fails ends it."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import pytest
from conftest import DYNAMICS
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.periodic import Beat, PeriodicLoad, ahead_of

RAMPS_BOTH_WAYS = replace(DYNAMICS, zero_at_once=False)


def after(*edges: tuple[float, float], base_w: float = 200.0) -> PeriodicLoad:
    """A load that jumped to these levels at these times; (s, W)."""
    load, level_w = PeriodicLoad(), base_w
    load.update(0.0, level_w, 0.0)
    for at_s, to_w in edges:
        load.update(at_s, to_w, to_w - level_w)
        level_w = to_w
    return load


def hob(
    beats: int, on_s: float = 6.0, off_s: float = 9.0, high_w: float = 700.0
) -> list[tuple[float, float]]:
    """On and off in turn, from 10 s on."""
    edges = []
    for beat in range(beats):
        on_at_s = 10.0 + beat * (on_s + off_s)
        edges += [(on_at_s, high_w), (on_at_s + on_s, 200.0)]
    return edges


def test_after_two_beats_the_next_change_is_known() -> None:
    assert after(*hob(2)).next(32.0) is None, "four edges are not yet two full beats"
    assert after(*hob(3)[:5]).next(41.0) == Beat(46.0, 200.0)
    assert after(*hob(3)).next(47.0) == Beat(55.0, 700.0)


def test_a_change_that_does_not_come_ends_it() -> None:
    load = after(*hob(3))
    assert load.next(55.5) is not None
    assert load.next(56.0) is None
    load.update(60.0, 700.0, 500.0)
    assert load.next(60.5) is None


@pytest.mark.parametrize(
    "edges",
    [
        [(10, 700), (16, 200), (25, 700), (31, 200), (45, 700), (51, 200)],
        [(10, 700), (16, 200), (25, 900), (31, 200), (40, 1200), (46, 200)],
        [(10, 700), (16, 1200), (25, 700), (31, 900), (40, 700), (46, 300)],
        hob(3, on_s=40.0, off_s=40.0),
    ],
    ids=["not in time", "not as high", "no way back", "too slow to be worth it"],
)
def test_what_is_not_even_is_no_beat(edges: list[tuple[float, float]]) -> None:
    assert after(*edges).next(edges[-1][0]) is None


def test_a_jump_that_is_seen_in_two_readings_is_one_edge() -> None:
    edges = [part for at_s, to_w in hob(3) for part in ((at_s, 450.0), (at_s + 0.5, to_w))]
    assert after(*edges).next(47.0) == Beat(55.0, 700.0)


def test_a_lost_meter_ends_it() -> None:
    load = after(*hob(3))
    load.forget()
    assert load.next(47.0) is None


def test_half_the_climb_is_done_before_the_load_comes() -> None:
    beat = Beat(55.0, 700.0)
    lead_s = (700.0 - 200.0) / (2 * 75.0) + 0.3
    assert ahead_of(beat, 200.0, 55.0 - lead_s - 0.1, 900.0, DYNAMICS) == 200.0
    assert ahead_of(beat, 200.0, 55.0 - lead_s + 0.1, 900.0, DYNAMICS) == 700.0


def test_beyond_what_inverters_can_there_is_nothing_to_climb() -> None:
    lead_s = (900.0 - 200.0) / (2 * 75.0) + 0.3
    beat = Beat(55.0, 3000.0)
    assert ahead_of(beat, 200.0, 55.0 - lead_s - 0.1, 900.0, DYNAMICS) == 200.0
    assert ahead_of(beat, 200.0, 55.0 - lead_s + 0.1, 900.0, DYNAMICS) == 900.0


def test_a_fall_is_led_too_unless_a_cut_to_zero_is_cheaper() -> None:
    beat = Beat(55.0, 200.0)
    assert ahead_of(beat, 700.0, 54.0, 900.0, RAMPS_BOTH_WAYS) == 200.0
    assert ahead_of(beat, 700.0, 54.0, 900.0, DYNAMICS) == 700.0


@pytest.mark.parametrize(("here_w", "to_w"), [(-300.0, 700.0), (700.0, -300.0)])
def test_surplus_needs_no_head_start(here_w: float, to_w: float) -> None:
    assert ahead_of(Beat(55.0, to_w), here_w, 54.9, 900.0, RAMPS_BOTH_WAYS) == here_w


readings = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 6.0, 9.0, 1e5, -1.0]),
        st.sampled_from([200.0, 700.0, 1700.0]) | st.floats(-1e6, 1e6),
    ),
    max_size=30,
)


@given(readings)
def test_whatever_happens_a_beat_is_a_level_that_was_there(
    seen: list[tuple[float, float]],
) -> None:
    load, at_s, level_w, levels_w = PeriodicLoad(), 100.0, 0.0, {0.0}
    for seconds, to_w in seen:
        at_s += seconds
        load.update(at_s, to_w, to_w - level_w if abs(to_w - level_w) > 100.0 else 0.0)
        level_w = to_w
        levels_w.add(to_w)
        beat = load.next(at_s)
        assert beat is None or (beat.to_w in levels_w and isfinite(beat.at_s))
        if beat is not None:
            assert ahead_of(beat, level_w, at_s, 900.0, DYNAMICS) in (
                level_w,
                min(900.0, beat.to_w),
            )
