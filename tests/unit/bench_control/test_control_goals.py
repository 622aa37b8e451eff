from __future__ import annotations

import argparse
import json
from array import array
from math import exp, nan, sin
from pathlib import Path
from typing import Any

import pytest

from gridzero.bench.control.arguments import add
from gridzero.bench.control.command import run
from gridzero.bench.control.compare import Case, Plan
from gridzero.bench.control.goals import real, resting, ringing, settling, step_time
from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.goals.sets import trace_set
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.markdown import grid
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.simulate import Run
from gridzero.bench.control.traces import TRACES, Steps
from gridzero.control.switches import ALL_ON

HOUSE = PLANTS["house"]


def test_a_goal_is_met_missed_or_only_told() -> None:
    goal = Goal(key="k", what="w", value=0.3, limit=0.35, unit=" x", digits=2)
    assert goal.cells == ["w", "<= 0.35 x", "0.30 x", "yes"]
    assert Goal(key="k", what="w", value=0.4, limit=0.35).met is False
    assert Goal(key="k", what="w", value=nan, limit=0.35).met is False
    assert Goal(key="k", what="w", value=0.4).cells == ["w", "", "0.4", ""]
    assert goal.to_dict()["met"] is True


@pytest.mark.parametrize(
    ("from_w", "to_w", "ramp_s", "least_s"),
    [
        (200.0, 600.0, 0.3 + 375 / 75, 0.3 + 375 / 75),
        (600.0, 200.0, 0.3 + 375 / 100, 0.3 + 0.25 + 118 / 75),  # to zero, jump, climb
        (600.0, 560.0, 0.3 + 15 / 100, 0.3 + 15 / 100),
        (-400.0, -800.0, 0.5 + 375 / 240, 0.5 + 375 / 240),
        (-800.0, -400.0, 0.5, 0.5),
    ],
)
def test_the_least_time_of_a_step_follows_from_the_converters(
    from_w: float, to_w: float, ramp_s: float, least_s: float
) -> None:
    assert settling.ramp_s(HOUSE, from_w, to_w) == pytest.approx(ramp_s)
    assert settling.least(HOUSE, from_w, to_w) == pytest.approx(least_s)


def test_steps_settle_not_before_the_converters_can() -> None:
    discharging, charging = settling.goals(jobs=1, seconds=300.0)
    assert 0.0 < charging.value < 2.0
    assert -1.0 < discharging.value < 2.0
    assert "by way of zero" in discharging.detail


def test_ringing_is_what_goes_on_long_after_a_step() -> None:
    trace = Steps("steps", 200.0, 600.0, rest_s=90.0)(HOUSE, 1, 400.0)
    setting = Setting(HOUSE, METERS["0.5s"], trace)
    swinging = array(
        "d", [load_w + 40.0 * sin(k / 10.0) for k, load_w in enumerate(trace.net_load_w)]
    )
    assert ringing.amplitude_w(Run(setting, swinging, 0)) == pytest.approx(40.0, abs=0.5)
    dying = array("d", trace.net_load_w)
    for step, end in trace.steps:
        for k in range(step, end):
            dying[k] += 100.0 * sin(k / 10.0) * exp(-(k - step) / 100.0)
    assert ringing.amplitude_w(Run(setting, dying, 0)) < 1.0


def test_a_right_dead_time_does_not_ring() -> None:
    assert ringing.ringing_w(ringing.Guess(2.5, 0.0), ALL_ON, 300.0) < 10.0


@pytest.mark.long
def test_a_constant_load_leaves_next_to_nothing() -> None:
    exact, noisy = resting.goals(jobs=1)
    assert (exact.met, noisy.met) == (True, True)
    assert "-900 W" in exact.detail


def test_the_control_step_is_timed_for_each_new_reading() -> None:
    (goal,) = step_time.goals(60.0)
    assert 0.0 < goal.value < 1e6
    assert "119 steps" in goal.detail or "120 steps" in goal.detail


def cases() -> list[Case]:
    names = ("gridzero", "syssi-3s", "dpl", "simc-1.5", "perfect-model", "perfect-no-idle")
    plan = Plan(
        plants=[HOUSE],
        meters=[METERS["0.5s"]],
        traces=[TRACES["steps"], TRACES["hob"]],
        laws=[LAWS[name] for name in names],
        seeds=[1],
        seconds=200.0,
        with_shares=False,
    )
    return list(plan.cases())


def test_ours_is_held_against_the_best_public_law_over_all_loads() -> None:
    together = cases()
    public, blind, perfect, theory = real.error_goals(together)
    ours_w = real.mean_w(together, LAWS["gridzero"])
    best_w = min(real.mean_w(together, LAWS[name]) for name in ("syssi-3s", "dpl"))
    assert public.value == pytest.approx(ours_w / best_w)
    better_w = [
        min(r.metrics.mean_w for r in case.results if r.law.name.startswith("perfect"))
        for case in together
    ]
    assert perfect.value == pytest.approx(ours_w / (sum(better_w) / 2))
    assert blind.value == pytest.approx(ours_w / real.mean_w(together, LAWS["syssi-3s"]))
    assert (blind.limit, theory.limit) == (None, None)
    starts = real.stress_goals(together)
    assert [goal.key for goal in starts] == ["starts_steps", "starts_hob"]


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    lines = grid(["what", "w"], [["|e|", "1"]], markdown=True).splitlines()
    assert lines == ["| what  |   w |", "| ----- | --: |", "| \\|e\\| |   1 |"]
    assert grid(["what", "w"], [["|e|", "1"]]) == "what  w\n|e|   1"


def test_without_files_the_built_in_loads_are_taken_and_that_is_said() -> None:
    traces = trace_set(None, quick=False)
    assert "built-in" in traces.summary
    assert [row.name for row in traces.stress] == ["stress"]


def test_with_files_the_days_are_taken(tmp_path: Path) -> None:
    for name in (
        "load/uk_house_gjw_1s_days.parquet",
        "load/de_tracebase_composite_a_1s.parquet",
        "load/de_tracebase_composite_b_1s.parquet",
        "pv/pv_1s_day_mixed.parquet",
        "pv/pv_1s_48min_variable.parquet",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    full = trace_set(tmp_path, quick=False)
    assert len(full.real) == 8 + 4 + 2 + 1
    assert len({row.name for row in full.real + full.stress}) == len(full.real + full.stress)
    quick = trace_set(tmp_path, quick=True)
    assert sum(row.seconds for row in quick.real) < 5 * 3600.0


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add(parser)
    return run(parser.parse_args(words))


@pytest.mark.slow
def test_all_goals_come_from_one_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    goals = "gridzero.bench.control.goals"
    monkeypatch.setattr(f"{goals}.sets._QUICK_BUILT_IN_S", 60.0)
    monkeypatch.setattr(f"{goals}.ringing._WRONG", (-0.7, 1.0))
    monkeypatch.setattr(f"{goals}.resting._LOADS_W", (400.0, -900.0))
    assert command("--goals", "--quick", "--json") == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    met = {goal["key"]: goal["met"] for goal in report["goals"]}
    assert met.keys() == {
        *("against_public", "against_blind", "against_perfect", "against_theory"),
        "starts_stress",
        *("settling_steps", "settling_steps-sun", "ringing", "ringing_believed"),
        *("resting", "resting_noise", "step_time"),
    }
    assert {key for key, value in met.items() if value is None} == {
        "against_blind",
        "against_theory",
    }
    assert {case["trace"] for case in report["cases"]} == {
        *("evening", "midday", "washing", "stress")
    }


def test_the_goals_as_text_name_the_machine_and_the_loads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridzero.bench.control.goals.sets._QUICK_BUILT_IN_S", 60.0)
    monkeypatch.setattr(
        "gridzero.bench.control.goals.command._others", lambda _jobs, _seconds: iter(())
    )
    assert command("--goals", "--quick", "--markdown") == 0
    shown = capsys.readouterr().out
    assert "built-in loads" in shown
    assert "cores of" in shown
    assert "| against" not in shown
    assert "| mean avoidable error, against the best public law" in shown
    assert "| evening" in shown
