"""Error on the loads of a house, against the best public law and against a perfect model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gridzero.bench.control.compare import Case, Plan
from gridzero.bench.control.goals.goal import Goal
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import LawRow
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.traces import TraceRow

_OURS, _THEORY = "gridzero", "simc-1.5"
_BOUND = ("perfect-model", "perfect-no-idle")
_AGAINST_PUBLIC, _AGAINST_PERFECT, _STARTS_H = 0.35, 1.15, 15.0
_SHOWN = 3


def run(rows: Sequence[TraceRow], jobs: int) -> Iterator[Case]:
    """All laws but the one that knows the future, on one SoyoSource and an R48."""
    laws = [row for row in LAWS.values() if row.name != "clairvoyant"]
    plan = Plan(
        plants=[PLANTS["house"]],
        meters=[METERS["0.5s"]],
        traces=rows,
        laws=laws,
        seeds=[1],
        with_shares=False,
    )
    return plan.cases(jobs)


def error_goals(cases: Sequence[Case]) -> list[Goal]:
    """Ratios of mean errors over all cases, weighted by their length."""
    means = {law.name: mean_w(cases, law) for law in _laws(cases)}
    public = sorted((law.name for law in _laws(cases) if law.public), key=means.__getitem__)
    telling = {law.name for law in _laws(cases) if law.telemetry}
    blind = next(name for name in public if name not in telling)
    best_w = means[public[0]]
    ours_w, bound_w = means[_OURS], _bound_w(cases)
    others = ", ".join(f"{name} {means[name]:.2f} W" for name in public[:_SHOWN])
    shown = f"gridzero {ours_w:.2f} W"
    return [
        Goal(
            key="against_public",
            what="mean avoidable error, against the best public law",
            value=ours_w / best_w,
            limit=_AGAINST_PUBLIC,
            unit=" x",
            digits=2,
            detail=f"{shown}; {others}; the perfect model is at {bound_w / best_w:.2f} x",
        ),
        Goal(
            key="against_blind",
            what="the same, of those that need no telemetry of the inverter",
            value=ours_w / means[blind],
            unit=" x",
            digits=2,
            detail=f"{shown}, {blind} {means[blind]:.2f} W; a SoyoSource does not tell its output",
        ),
        Goal(
            key="against_perfect",
            what="mean avoidable error, against the perfect model",
            value=ours_w / bound_w,
            limit=_AGAINST_PERFECT,
            unit=" x",
            digits=2,
            detail=f"{shown}, the perfect model {bound_w:.2f} W, for each load with or without "
            "idling, whichever is better",
        ),
        Goal(
            key="against_theory",
            what="mean avoidable error, against a tuned integrator",
            value=ours_w / means[_THEORY],
            unit=" x",
            digits=2,
            detail=f"{shown}, {_THEORY} {means[_THEORY]:.2f} W",
        ),
    ]


def stress_goals(cases: Sequence[Case]) -> list[Goal]:
    """Starts on loads that cross zero again and again, and the error beside them."""
    return [_starts(case) for case in cases]


def _starts(case: Case) -> Goal:
    ours = next(result for result in case.results if result.law.name == _OURS)
    public = [result for result in case.results if result.law.public]
    best = min(public, key=lambda result: result.metrics.mean_w)
    return Goal(
        key=f"starts_{case.trace}",
        what=f"starts of converters, {case.trace}",
        value=ours.metrics.starts_h,
        limit=_STARTS_H,
        unit=" /h",
        detail=f"error {ours.metrics.mean_w:.1f} W; least error of a public law: {best.law.name} "
        f"{best.metrics.mean_w:.1f} W with {best.metrics.starts_h:.0f} starts",
    )


def mean_w(cases: Sequence[Case], law: LawRow) -> float:
    """Mean error of a law over all cases, W, each as long as it is."""
    total_ws = sum(
        result.metrics.mean_w * case.seconds
        for case in cases
        for result in case.results
        if result.law.name == law.name
    )
    return total_ws / sum(case.seconds for case in cases)


def _bound_w(cases: Sequence[Case]) -> float:
    """The same of the perfect model, the better of its two ways for each case."""
    total_ws = sum(
        case.seconds * min(r.metrics.mean_w for r in case.results if r.law.name in _BOUND)
        for case in cases
    )
    return total_ws / sum(case.seconds for case in cases)


def _laws(cases: Sequence[Case]) -> list[LawRow]:
    return [result.law for result in cases[0].results]
