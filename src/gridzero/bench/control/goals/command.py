"""``gridzero bench control --goals``: each goal, what was reached, yes or no."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from gridzero import __version__
from gridzero.bench.control.compare import Case
from gridzero.bench.control.goals import real, resting, ringing, settling, step_time
from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.goals.sets import TraceSet, trace_set
from gridzero.bench.control.markdown import grid
from gridzero.bench.figures import machine, machine_line

_LONG_S, _SHORT_S = 1800.0, 300.0


def run(args: argparse.Namespace) -> int:
    """Judge and print; 0 whatever came out: this is a measurement, not a test."""
    traces = trace_set(args.data, quick=args.quick)
    cases = list(_told(real.run([*traces.real, *traces.stress], args.jobs)))
    everyday, stress = cases[: len(traces.real)], cases[len(traces.real) :]
    goals = [
        *real.error_goals(everyday),
        *real.stress_goals(stress),
        *_others(args.jobs, _SHORT_S if args.quick else _LONG_S),
    ]
    _say(
        _as_json(goals, cases, traces)
        if args.json
        else _as_text(goals, cases, traces, markdown=args.markdown)
    )
    return 0


def _told(cases: Iterator[Case]) -> Iterator[Case]:
    """The cases; says on stderr which one is ready, since all of them take minutes."""
    for case in cases:
        sys.stderr.write(f"{case.title}\n")
        yield case


def _others(jobs: int, seconds: float) -> Iterator[Goal]:
    yield from settling.goals(jobs, seconds)
    yield from ringing.goals(jobs, max(seconds / 2.0, 300.0))
    yield from resting.goals(jobs)
    yield from step_time.goals(seconds)


def _as_text(
    goals: Sequence[Goal], cases: Sequence[Case], traces: TraceSet, *, markdown: bool
) -> str:
    table = grid(["goal", "wanted", "reached", "met"], [g.cells for g in goals], markdown=markdown)
    bullet = "- " if markdown else "  "
    details = [f"{bullet}{goal.what}: {goal.detail}" for goal in goals if goal.detail]
    house = "One SoyoSource and an R48, a meter every 0.5 s, seed 1."
    parts = [
        f"{machine_line(machine())}.\nLoads: {traces.summary}. {house}",
        table,
        "\n".join(details),
        "Mean avoidable error, W",
        _by_trace(cases, "mean_w", 1, markdown=markdown),
        "Starts of converters per hour",
        _by_trace(cases, "starts_h", 0, markdown=markdown),
    ]
    return "\n\n".join(parts)


def _by_trace(cases: Sequence[Case], figure: str, digits: int, *, markdown: bool) -> str:
    """Traces downward, since there are more of them than laws."""
    head = ["load", *(result.law.name for result in cases[0].results)]
    rows = [
        [case.trace, *(f"{getattr(r.metrics, figure):.{digits}f}" for r in case.results)]
        for case in cases
    ]
    return grid(head, rows, markdown=markdown)


def _as_json(goals: Sequence[Goal], cases: Sequence[Case], traces: TraceSet) -> str:
    document = {
        "gridzero": __version__,
        "machine": machine(),
        "loads": traces.summary,
        "goals": [goal.to_dict() for goal in goals],
        "cases": [case.to_dict() for case in cases],
    }
    return json.dumps(document, indent=2)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
