"""The score as plain values: no number that is none, causes in order, words for people."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan

from gridzero.control.ledger import Ledger
from gridzero.control.score import HOUR_MIN, Score
from gridzero.control.score_figures import Figures
from gridzero.domain.causes import Cause
from gridzero.domain.value import REFERENCE, Prices
from gridzero.outputs.score import figures_of, headline_of, in_words, score_of


def nothing() -> Figures:
    return Score(Ledger({}, {}), 1.5).figures(HOUR_MIN)


def test_before_anything_happened_everything_can_be_said() -> None:
    values = score_of(Score(Ledger({}, {}), 1.5))
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["hour"]["mean_w"] is None
    assert values["day"]["causes_ws"] == {}
    assert headline_of(nothing())["worst_cause"] is None
    assert in_words(nothing()) == ""


def test_causes_come_by_what_they_cost_and_numbers_that_are_none_stay_out() -> None:
    costs = {Cause.SLEW: 10.4, Cause.MODE: 300.0, Cause.SMALL: 20.0}
    found = replace(nothing(), mean_w=nan, rms_w=inf, known_s=1234.567, causes_ws=costs)
    values = figures_of(found)
    assert list(values["causes_ws"].items()) == [("mode", 300), ("small", 20), ("slew", 10)]
    assert values["mean_w"] is values["rms_w"] is None
    assert values["known_s"] == 1234.6
    assert headline_of(found)["worst_cause"] == "mode"


def test_a_line_for_people() -> None:
    found = replace(nothing(), mean_w=25.34, rms_w=84.7, settle_s=4.43, causes_ws={Cause.SLEW: 9.0})
    assert in_words(found) == (
        "mean 25.3 W, RMS 85 W, steps settle in 4.4 s;"
        " most of it: a converter was on its way at the rate it can change"
    )


def test_what_is_bought_costs_and_what_is_sold_pays() -> None:
    assert REFERENCE.ct_per_h(1000.0) == 30.0
    assert REFERENCE.ct_per_h(-1000.0) == -8.0
    assert Prices(30.0, -5.0).ct_per_h(-1000.0) == 5.0
