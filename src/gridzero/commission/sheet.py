"""The list as a sheet for paper: Markdown that reads well as it is."""

from __future__ import annotations

from collections.abc import Mapping

from gridzero.commission.result import Kept, Outcome
from gridzero.commission.steps import STEPS, Step

_SIGNS = {Outcome.GOOD: "[x]", Outcome.BAD: "[!]", Outcome.SKIPPED: "[-]"}


def sheet(results: Mapping[str, Kept], site: str) -> str:
    """Every line with its tick, date and figures; open ones with room for a pen."""
    rows = "".join(_row(place, step, results.get(step.key)) for place, step in enumerate(STEPS, 1))
    return (
        f"# Commissioning: {site}\n\n"
        "[x] good, [!] not so, [-] not done, [ ] open\n\n"
        "| | | what | seen | when (UTC) |\n|---|---|---|---|---|\n"
        f"{rows}\n{summary(results)}\n\nBy: ____________________  Signed: ____________________\n"
    )


def summary(results: Mapping[str, Kept]) -> str:
    """How many lines are good, not so and open, and which."""
    bad = [step.key for step in STEPS if _outcome(results, step) is Outcome.BAD]
    still = [step.key for step in STEPS if _outcome(results, step) in {None, Outcome.SKIPPED}]
    told = [f"{len(STEPS) - len(bad) - len(still)} of {len(STEPS)} lines are good"]
    told += [f"not so: {', '.join(bad)}"] if bad else []
    told += [f"to be done: {', '.join(still)}"] if still else []
    return "; ".join(told)


def is_done(results: Mapping[str, Kept]) -> bool:
    """Whether every line is good."""
    return all(_outcome(results, step) is Outcome.GOOD for step in STEPS)


def _outcome(results: Mapping[str, Kept], step: Step) -> Outcome | None:
    kept = results.get(step.key)
    return None if kept is None else kept.result.outcome


def _row(place: int, step: Step, kept: Kept | None) -> str:
    if kept is None:
        return f"| {place} | [ ] | {step.title} | {' ' * 24} | {' ' * 10} |\n"
    text = kept.result.text + (f" -> {kept.result.mend}" if kept.result.mend else "")
    cell = text.replace("|", "/")
    return f"| {place} | {_SIGNS[kept.result.outcome]} | {step.title} | {cell} | {kept.at} |\n"
