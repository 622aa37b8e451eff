"""Values out of JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridzero.outputs.alerts.words import Words
from gridzero.outputs.console import dig
from gridzero.outputs.dashboard.views import pick
from gridzero.outputs.metrics import reading
from gridzero.outputs.values import at, number_of

HUGE = json.loads("1" + "0" * 400)
NO_NUMBERS = (None, "12", [], {}, float("nan"), float("inf"), HUGE, -HUGE)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:8])
def test_what_is_no_number_is_none_for_every_face(value: Any) -> None:
    tree = {"a": {"b": value}}
    assert number_of(value) is None
    assert dig.number(tree, "a", "b") is None
    assert pick.number(tree, "a.b") is None
    assert reading.number(value) is None


@pytest.mark.parametrize("value", [0, -3, 2.5, 1e300])
def test_numbers_stay(value: float) -> None:
    assert number_of(value) == value
    assert dig.number({"a": value}, "a") == value
    assert reading.number(value) == value


def test_true_is_no_number_but_a_metric() -> None:
    assert number_of(True) is None
    assert dig.number({"a": True}, "a") is None
    assert reading.number(True) == 1.0


@pytest.mark.parametrize("tree", [None, 3, "a", [], {}, {"a": 3}, {"a": {"c": 1}}])
def test_a_path_that_leads_nowhere_ends_in_none(tree: Any) -> None:
    assert at(tree, "a", "b") is None


def test_an_alert_names_only_figures_that_are_some() -> None:
    message = Words("House").message([], {"grid_w": HUGE, "setpoint_w": 12.4}, None)
    assert message.body == "Now: battery 12 W."
