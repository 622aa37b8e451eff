"""A meter is believed at once until it has shown spikes; then large steps wait for one reading."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.spikes import SpikeFilter

NOISE_W = 2.0


class Watched:
    """The filter with the load that is believed behind it."""

    def __init__(self, load_w: float = 300.0) -> None:
        self.filter = SpikeFilter()
        self.believed_w = load_w
        self.at_s = 0.0

    def sees(self, *loads_w: float, seconds: float = 0.5) -> list[bool]:
        return [self._sees(load_w, seconds) for load_w in loads_w]

    def _sees(self, load_w: float, seconds: float) -> bool:
        self.at_s += seconds
        passes = self.filter.passes(self.at_s, load_w, self.believed_w, NOISE_W)
        self.believed_w = load_w if passes else self.believed_w
        return passes

    def with_spikes(self, count: int) -> Watched:
        for _ in range(count):
            self.sees(2300.0, 300.0, 300.0)
        return self


def test_a_meter_without_a_past_is_believed_at_once() -> None:
    assert Watched().sees(300.0, 2300.0, 2300.0, 300.0) == [True] * 4


def test_after_two_spikes_a_large_step_must_be_confirmed() -> None:
    watched = Watched().with_spikes(2)
    assert watched.sees(2300.0, 2310.0, 2300.0) == [False, True, True]


def test_a_spike_is_left_out_then() -> None:
    watched = Watched().with_spikes(2)
    assert watched.sees(2300.0, 301.0, 300.0) == [False, True, True]
    assert watched.believed_w == 300.0


@pytest.mark.parametrize("step_w", [90.0, -90.0])
def test_small_steps_never_wait(step_w: float) -> None:
    assert Watched().with_spikes(4).sees(300.0 + step_w) == [True]


def test_spikes_are_forgotten_after_half_an_hour() -> None:
    watched = Watched().with_spikes(4)
    watched.sees(300.0, seconds=1800.0)
    assert watched.sees(2300.0) == [True]


def test_three_different_levels_in_a_row_wait_only_once() -> None:
    watched = Watched().with_spikes(4)
    assert watched.sees(2300.0, 5300.0, 9300.0) == [False, True, False]


@given(st.lists(st.tuples(st.floats(-100.0, 100.0), st.floats(-1e6, 1e6))))
def test_never_are_two_readings_held_in_a_row(readings: list[tuple[float, float]]) -> None:
    watched = Watched().with_spikes(4)
    passed = [watched.sees(load_w, seconds=seconds)[0] for seconds, load_w in readings]
    assert all(first or second for first, second in pairwise(passed))
