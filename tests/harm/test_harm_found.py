"""What the suite has found, each as the shortest scenario that showed it; mended since."""

from __future__ import annotations

import pytest
from harm_play import Plan, Turn, play
from harm_world import Start

HAZARD = {"stored": "factory", "contactor": False}
DISCHARGING = Start(load_w=600.0, **HAZARD)
CHARGING = Start(load_w=200.0, sun_w=1300.0, **HAZARD)

FOUND = {
    # the rectifier went back to 53.5 V and 62.5 A after 30 s, beside a living control loop, and
    # nobody was told, because polling, repeating and telling are all done by that task
    "a hung rectifier task": Plan(CHARGING, (Turn("rectifier_task_hangs", 40.0, 60.0),)),
    # heard again, the ledger let the rectifier rise to what it had drawn on its own after each of
    # its reports: 180 W of import for ever
    "a rectifier that charged on its own": Plan(
        DISCHARGING, (Turn("charger_bus_lost", 40.0, 60.0),)
    ),
    # full while its rectifier was out, the battery said for ever that the rectifier did not follow
    "a battery that became full meanwhile": Plan(
        Start(soc=0.82, load_w=600.0, sun_w=1300.0, **HAZARD), (Turn("mains_dip", 46.0, 50.0),)
    ),
    # an output that fails when the last state is published made the process end with a traceback
    # instead of its exit code
    "a bug in the last words": Plan(DISCHARGING, (Turn("bug_in_a_task", 40.0, 10.0),)),
}


@pytest.mark.parametrize("what", FOUND)
def test_it_stays_mended(what: str) -> None:
    verdict = play(FOUND[what])
    assert not verdict.violations
    assert verdict.back_s is not None
    assert verdict.back_s < 120.0
