"""Each injection alone: told in time, without power in time, and back afterwards."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from importlib.util import find_spec

import pytest
from harm_catalogue import BY_NAME, ELSEWHERE, TROUBLES, Trouble
from harm_play import Plan, Turn, Verdict, play
from harm_truth import CHARGES_A, DISCHARGES_A, FOREVER
from harm_world import Start

from gridzero.domain.faults import FAULTS

pytestmark = pytest.mark.slow

SCENES = {
    "discharging": Start(load_w=600.0),
    "charging": Start(load_w=200.0, sun_w=1300.0),
}
BEGINS_S = {"charging": 34.03, "discharging": 18.03}
"""By then power flows: a rectifier takes its time to start.

Beside the round moments at which timers are due: a task that is just being woken cannot be hung.
"""
IS_LONG = "GRIDZERO_HARM_EXAMPLES" in os.environ
_PATIENCE_S = 200.0
"""Who comes back later, after a person has acknowledged, is waited for by ``make faults``."""
IS_JUDGED = find_spec("gridzero.battery.battery") is not None
"""Whether the site has the judgement of readings that ``Trouble.judged`` speaks of."""


def scene_of(row: Trouble) -> str:
    """A row for any scene is tried in one, the same one always; the long run tries all."""
    if row.scene != "any":
        return row.scene
    return ("charging", "discharging")[TROUBLES.index(row) % 2]


def begins_s(row: Trouble) -> float:
    return BEGINS_S[scene_of(row)]


@cache
def lived(name: str) -> Verdict:
    row = BY_NAME[name]
    start = replace(SCENES[scene_of(row)], contactor=row.contactor)
    plan = Plan(start, (Turn(name, begins_s(row), row.lasts_s),))
    return play(plan, patient=IS_LONG or row.back_s <= _PATIENCE_S)


def test_every_fault_has_an_injection_or_a_reason_why_not() -> None:
    injected = {code for row in TROUBLES for code in (*row.codes, *row.judged)}
    assert not injected & set(ELSEWHERE), "what is injected needs no excuse"
    assert injected | set(ELSEWHERE) == set(FAULTS), "add a row to harm_catalogue.TROUBLES"


def test_names_are_told_apart() -> None:
    assert len(BY_NAME) == len(TROUBLES)


def test_each_trouble_lasts_as_long_as_what_it_must_show() -> None:
    for row in TROUBLES:
        shown_s = (*row.codes.values(), *row.judged.values(), row.stop_s if row.stops else 0.0)
        assert max(shown_s) <= row.lasts_s, row.name


@pytest.mark.parametrize("row", TROUBLES, ids=lambda row: row.name)
def test_a_trouble_is_told_stops_what_it_must_and_goes_away(row: Trouble) -> None:
    verdict = lived(row.name)
    assert not verdict.violations, verdict.plan
    for code, within_s in {**row.codes, **(row.judged if IS_JUDGED else {})}.items():
        told = [at_s for at_s, known, _, active in verdict.told if known == code and active]
        assert told, f"{code} was not told: {verdict.told}"
        assert told[0] - begins_s(row) <= within_s, code
    if row.stops:
        assert _current_s(verdict, row) <= begins_s(row) + row.stop_s
    if IS_LONG or row.back_s <= _PATIENCE_S:
        assert (verdict.back_s or FOREVER) <= row.back_s


def _current_s(verdict: Verdict, row: Trouble) -> float:
    """When current last flowed in a direction that had to stop, while the trouble stood."""
    ends_s = begins_s(row) + row.lasts_s
    charge = row.stops in {"charge", "both"}
    discharge = row.stops in {"discharge", "both"}
    return max(
        (
            at_s
            for at_s, in_a, out_a in verdict.flows
            if at_s <= ends_s
            and ((charge and in_a > CHARGES_A) or (discharge and out_a > DISCHARGES_A))
        ),
        default=0.0,
    )
