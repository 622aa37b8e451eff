"""Many random scenarios, on several processors; prints what broke and how to replay it.

python tests/harm/harm_many.py --runs 10000 --jobs 2
python tests/harm/harm_many.py --seed 4711           # one of them again, with what was told
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from harm_draw import plan_of
from harm_play import play, shrink


class Outcome(NamedTuple):
    """What is kept of one scenario."""

    seed: int
    broken: tuple[tuple[str, str], ...]
    back_s: float | None
    simulated_s: float
    worst: dict[str, float]


def outcome(seed: int) -> Outcome:
    """Live through one; a harness that fails is a violation too."""
    try:
        verdict = play(plan_of(seed))
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed must be printed
        return Outcome(seed, (("harness", repr(error)),), None, 0.0, {})
    broken = tuple((v.name, f"{v.at_s:.1f} s: {v.text}") for v in verdict.violations)
    return Outcome(seed, broken, verdict.back_s, verdict.simulated_s, verdict.worst)


def run(seeds: Iterable[int], jobs: int) -> list[Outcome]:
    """All outcomes, in the order of the seeds."""
    if jobs <= 1:
        return [_shown(outcome(seed)) for seed in seeds]
    with ProcessPoolExecutor(jobs) as pool:
        return [_shown(one) for one in pool.map(outcome, seeds, chunksize=8)]


def _shown(one: Outcome) -> Outcome:
    for name, text in one.broken:
        print(f"seed {one.seed}: {name}: {text}", flush=True)
    return one


def _summary(outcomes: list[Outcome], took_s: float) -> str:
    broken = Counter(name for one in outcomes for name, _ in one.broken)
    backs_s = sorted(one.back_s for one in outcomes if one.back_s is not None)
    middle_s = backs_s[len(backs_s) // 2] if backs_s else 0.0
    return (
        f"{len(outcomes)} scenarios, {sum(o.simulated_s for o in outcomes) / 3600:.0f} h of house "
        f"time in {took_s:.0f} s ({60 * len(outcomes) / took_s:.0f} a minute); "
        f"{sum(1 for o in outcomes if o.broken)} with violations {dict(broken)}; "
        f"back after {middle_s:.0f} s in the middle, {max(backs_s, default=0.0):.0f} s at most"
    )


def _reactions(outcomes: list[Outcome]) -> str:
    """How long each forbidden current lasted at most where no trouble slowed the reaction."""
    worst: dict[str, float] = {}
    for one in outcomes:
        for name, lasted_s in one.worst.items():
            worst[name] = max(worst.get(name, 0.0), lasted_s)
    return "\n".join(f"  {name:24} {worst[name]:6.2f} s" for name in sorted(worst))


def _again(seed: int) -> int:
    plan = plan_of(seed)
    verdict = play(plan)
    print(plan)
    for at_s, code, subject, active in verdict.told:
        print(f"{at_s:8.2f} s  {'+' if active else '-'} {code} {subject}")
    for violation in verdict.violations:
        print(f"{violation.name} at {violation.at_s:.1f} s: {violation.text}")
        print("  shortest:", shrink(plan, violation.name))
    return 1 if verdict.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=int(os.environ.get("GRIDZERO_HARM_RUNS", "200"))
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, help="replay one scenario and shrink it")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _again(asked.seed)
    began_s = time.monotonic()
    outcomes = run(range(asked.first, asked.first + asked.runs), asked.jobs)
    print(_summary(outcomes, time.monotonic() - began_s))
    print("longest current beyond each condition, in troubles that add nothing to the reaction:")
    print(_reactions(outcomes))
    return 1 if any(one.broken for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
