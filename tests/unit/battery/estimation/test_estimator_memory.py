"""What survives a restart, and what is refused."""

from __future__ import annotations

import json
from math import inf, nan

import pytest
from estimation_shed import WINDOW, Shed
from hypothesis import given, settings
from hypothesis import strategies as st

from gridzero.battery.cells.catalogue import LFP
from gridzero.battery.estimation.estimator import Estimator

READING = Shed(modules=1).reading("b1")
GOOD = [0.6, 0.02, 0.1]


def document(cells: object = None, **changes: object) -> dict[str, object]:
    cells = [GOOD] * 4 if cells is None else cells
    stored = {"cells": cells, "anchored_age_s": 60.0}
    return {"version": 1, "cell": "vw_gte", "modules": {"b1": stored}, **changes}


def test_a_restart_goes_on_where_it_was() -> None:
    shed = Shed()
    shed.run(1800.0, 0.0)
    shed.run(1800.0, 8.0, shown_a=8.3)
    kept = json.loads(json.dumps(shed.estimator.to_dict()))
    before, anchored_s = shed.latest, shed.latest.anchored_s
    again = Shed()
    again.pack, again.now_s = shed.pack, 50.0
    assert again.estimator.restore(kept, 10.0) == {}
    after = again.look(8.3)
    assert after is not None
    assert after.soc == pytest.approx(before.soc, abs=0.01)
    assert after.sigma == pytest.approx(before.sigma, abs=0.01)
    assert before.at_s - anchored_s == pytest.approx(50.0 - 10.0 - after.anchored_s, abs=1.0)


@pytest.mark.parametrize(("age_s", "least"), [(0.0, 0.02), (86400.0, 0.03), (30 * 86400.0, 0.25)])
def test_age_makes_less_sure(age_s: float, least: float) -> None:
    sigmas = []
    for age in (0.0, age_s):
        estimator = Estimator(LFP, WINDOW)
        estimator.restore(document(cell="lfp"), age)
        reading = Shed(modules=1).reading("b1")
        charge = estimator.update([reading], 0.0, 0.25, 1000.0)
        assert charge is not None
        sigmas.append(charge.modules["b1"].cells[0].sigma)
    assert sigmas[1] >= sigmas[0]
    assert sigmas[1] > 0.9 * least or age_s == 0.0


@pytest.mark.parametrize(
    ("content", "age_s", "says"),
    [
        (None, 0.0, "not a table"),
        ([], 0.0, "not a table"),
        ({}, 0.0, "version None is not 1"),
        (document(version=2), 0.0, "version 2 is not 1"),
        (document(cell="lfp"), 0.0, "'lfp' cells"),
        (document(modules=None), 0.0, "no modules"),
        (document(), -1.0, "age of -1"),
        (document(), nan, "age of nan"),
        (document(), inf, "age of inf"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(content: object, age_s: float, says: str) -> None:
    shed = Shed(modules=1)
    assert says in shed.estimator.restore(content, age_s)["battery"]
    shed.look(0.0)
    assert shed.worst() < 0.02


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ("many", "no cells"),
        ([], "0 cells"),
        ([GOOD] * 500, "500 cells"),
        ([GOOD, [0.5, 0.01]], "cell 2 is not three numbers"),
        ([GOOD, [0.5, 0.01, nan]], "cell 2 is not three numbers"),
        ([[True, 0.01, 0.0]], "cell 1 is not three numbers"),
        ([["0.5", 0.01, 0.0]], "cell 1 is not three numbers"),
        ([[7.0, 0.01, 0.0]], "state of charge of 7"),
        ([[0.5, -0.01, 0.0]], "deviation of -0.01"),
    ],
)
def test_a_module_that_does_not_fit_is_refused_alone(cells: object, says: str) -> None:
    shed = Shed()
    content = document(cells)
    content["modules"]["b2"] = {"cells": [GOOD] * 4, "anchored_age_s": "long"}  # type: ignore[index]
    refused = shed.estimator.restore(content, 0.0)
    assert set(refused) == {"b1"}
    assert says in refused["b1"]
    assert refused == shed.estimator.refused
    charge = shed.look(0.0)
    assert charge is not None
    assert charge.anchored_s is None
    assert shed.worst() < 0.03


def test_another_number_of_cells_is_noticed_when_the_module_appears() -> None:
    shed = Shed(modules=1)
    assert shed.estimator.restore(document([[0.1, 0.01, 0.0]] * 12), 0.0) == {}
    shed.look(0.0)
    assert shed.estimator.refused == {"b1": "it was stored with 12 cells and has 4"}
    assert shed.worst() < 0.02


def test_a_stored_state_that_was_wrong_is_found_out() -> None:
    shed = Shed(modules=1, soc=0.6)
    shed.estimator.restore(document([[0.95, 0.01, 0.0]] * 4), 0.0)
    shed.look(0.0)
    shed.run(900.0, 2.0)
    assert shed.worst() < 0.04


def test_modules_that_never_appear_do_no_harm() -> None:
    shed = Shed(modules=1)
    content = document()
    content["modules"]["x9"] = {"cells": [GOOD] * 4}  # type: ignore[index]
    assert shed.estimator.restore(content, 0.0) == {}
    charge = shed.look(0.0)
    assert charge is not None
    assert set(charge.modules) == {"b1"}


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5), st.integers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["version", "cell", "modules", "cells", "b1"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(modules=anything, age_s=st.floats())
@settings(max_examples=80)
def test_no_content_raises(modules: object, age_s: float) -> None:
    estimator = Estimator(LFP, WINDOW)
    estimator.restore(modules, age_s)
    estimator.restore(document(modules=modules, cell="lfp"), age_s)
    estimator.restore(document(modules, cell="lfp"), age_s)
    assert estimator.update([READING], 0.0, 0.25, 1000.0) is not None
