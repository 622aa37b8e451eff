"""Doubt grows where the own movement comes back as load, and only there."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridzero.control.model_doubt import ModelDoubt


def doubt_after(changes_w: list[float], steps_w: list[float]) -> ModelDoubt:
    doubt = ModelDoubt()
    for change_w, step_w in zip(changes_w, steps_w, strict=True):
        doubt.update(0.5, change_w, step_w)
    return doubt


def own_moves(count: int = 400) -> list[float]:
    dice = Random("own")
    return [dice.choice((-200.0, -60.0, 60.0, 200.0)) for _ in range(count)]


@pytest.mark.parametrize("lag", [1, 3, 6])
def test_a_movement_that_comes_back_raises_doubt(lag: int) -> None:
    steps_w = own_moves()
    returned_w = [0.0] * lag + [-step_w for step_w in steps_w[:-lag]]
    doubt = doubt_after(returned_w, steps_w)
    assert doubt.score > 0.6
    assert doubt.unsure_w > 100.0


def test_a_load_of_its_own_raises_none() -> None:
    dice = Random("load")
    changes_w = [dice.gauss(0.0, 30.0) for _ in range(400)]
    assert doubt_after(changes_w, own_moves()).unsure_w < 100.0
    assert doubt_after(changes_w, own_moves()).score < 0.3


def test_a_battery_at_rest_has_nothing_to_doubt() -> None:
    doubt = doubt_after([1500.0, -1500.0] * 100, [0.0, 0.0] * 100)
    assert (doubt.score, doubt.unsure_w) == (0.0, 0.0)


def test_doubt_passes_when_the_model_is_right_again() -> None:
    steps_w = own_moves()
    doubt = doubt_after([0.0] + [-step_w for step_w in steps_w[:-1]], steps_w)
    for step_w in own_moves(600):
        doubt.update(0.5, 0.0, step_w)
    assert doubt.score < 0.1


def test_without_movement_nothing_is_unsure_however_large_the_doubt() -> None:
    steps_w = own_moves()
    doubt = doubt_after([0.0] + [-step_w for step_w in steps_w[:-1]], steps_w)
    for _ in range(60):
        doubt.update(0.5, 0.0, 0.0)
    assert doubt.score > 0.6
    assert doubt.unsure_w < 10.0


watts = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.floats(0.0, 1e6), watts, watts)))
def test_doubt_is_a_share(readings: list[tuple[float, float, float]]) -> None:
    doubt = ModelDoubt()
    for seconds, change_w, step_w in readings:
        doubt.update(seconds, change_w, step_w)
        assert 0.0 <= doubt.score <= 1.0
        assert 0.0 <= doubt.unsure_w < float("inf")
