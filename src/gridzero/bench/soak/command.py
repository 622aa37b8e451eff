"""The command: lives the days, says each one when it is over, and what they add up to."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gridzero.bench.control.markdown import grid
from gridzero.bench.figures import machine, machine_line
from gridzero.bench.soak.growth import Sample, Slope, slope
from gridzero.bench.soak.soak import Midnight, Soak
from gridzero.errors import ConfigError
from gridzero.sim.loop import run_simulated

MOST_DAYS = 400.0
_SETTLED_MIDNIGHTS = 2
_WARM_DAYS = 3.0 / 24.0
"""The history alone keeps the rows of two hours in memory: until then it grows."""
_JUDGED_FROM = {"resident_kb": 0.75, "blocks": 0.0}
"""A leak shows in every part of a life, and in the blocks that Python has handed out. What the
process has of the system rises in steps, with the largest load so far, and seldom falls: only its
last quarter tells."""
_ENOUGH_MIDNIGHTS, _ENOUGH_DAYS = 5, 0.25
_MOST_KB_PER_DAY = 100.0
_MOST_BLOCKS_PER_DAY = 400.0
_MOST_SOC_OFF_PCT = 3.0
_MOST_HISTORY_MB = 16.0 + 1.0
_MOST_OFF, _SAYS_KWH = 0.03, 0.5
_COMPARED = ("battery_charged_kwh", "battery_discharged_kwh")


class Verdict(NamedTuple):
    """One thing that must hold: what it is, what was seen, whether it did."""

    what: str
    seen: str
    holds: bool


def run(args: argparse.Namespace) -> int:
    """Live the days; 1 when something did not hold. Raises ConfigError for what cannot be lived."""
    _check(args)
    with tempfile.TemporaryDirectory(prefix="gridzero-soak-") as folder:
        soak = Soak(
            days=args.days,
            hours=args.hours,
            modules=args.modules,
            meter_s=args.meter_s,
            a_day=args.troubles,
            seed=args.seed,
            from_hour=args.from_hour,
            folder=Path(folder),
            heard=_say,
            wrong=lambda text: print(f"BROKEN: {text}", file=sys.stderr, flush=True),
        )
        gc.freeze()  # as the demo does: what is there now stays
        try:
            run_simulated(soak.live())
        finally:
            gc.unfreeze()
    verdicts = list(judged(soak))
    if args.json:
        print(json.dumps(plain(soak, verdicts), indent=1))
    else:
        print(text(soak, verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _check(args: argparse.Namespace) -> None:
    if not 0.0 < args.days <= MOST_DAYS:
        raise ConfigError(f"{args.days:g} days cannot be lived", where="--days", remedy="Use 30")
    if not 0.1 <= args.hours <= 24.0:
        raise ConfigError(f"{args.hours:g} h of a day", where="--hours", remedy="Use 24, or 1")
    if not 0.0 <= args.from_hour < 24.0:
        where, remedy = "--from-hour", "Use 9"
        raise ConfigError(f"no day has an hour {args.from_hour:g}", where=where, remedy=remedy)
    if not 2 <= args.modules <= 9:
        raise ConfigError(f"{args.modules} is not from 2 to 9", where="--modules", remedy="Use 3")
    if not 0.5 <= args.meter_s <= 2.0:
        where, remedy = "--meter-s", "Use 0.5 to 2"
        raise ConfigError(f"a meter each {args.meter_s:g} s", where=where, remedy=remedy)
    if args.troubles < 1:
        raise ConfigError(f"{args.troubles} is too few", where="--troubles", remedy="Use 9")


def judged(soak: Soak) -> Iterator[Verdict]:
    """What must hold after so many days."""
    violations = soak.violations
    yield Verdict("limits, bugs, counters backwards", f"{len(violations)} broken", not violations)
    for key in _COMPARED:
        true_kwh, kwh = soak.counters[key]
        lost_kwh = soak.lost_kwh[key]
        off = (kwh + lost_kwh) / true_kwh - 1.0 if true_kwh > _SAYS_KWH else 0.0
        seen = f"{kwh:.3f} + {lost_kwh:.3f} lost by kills of {true_kwh:.3f} kWh, {100 * off:+.2f} %"
        yield Verdict(key, seen, abs(off) <= _MOST_OFF)
    last = soak.midnights[-1]
    off_pct = None if last.known_pct is None else last.known_pct - last.soc_pct
    seen = f"{last.known_pct} +- {last.sigma_pct} of {last.soc_pct:.1f} %"
    sure = 3.0 * (last.sigma_pct or 0.0)
    most_pct = max(_MOST_SOC_OFF_PCT, sure)
    yield Verdict("charge known", seen, off_pct is not None and abs(off_pct) <= most_pct)
    yield Verdict("history", f"{last.history_mb:.1f} MB", last.history_mb <= _MOST_HISTORY_MB)
    yield from _growth(soak)


def _growth(soak: Soak) -> Iterator[Verdict]:
    """Counts from the third midnight on; memory once everything that is bounded is full."""
    settled = soak.midnights[_SETTLED_MIDNIGHTS:]
    if len(settled) > 1:
        first, last = settled[0], settled[-1]
        for key in ("tasks", "descriptors", "threads"):
            yield _steady(key, getattr(first.sample, key), getattr(last.sample, key), more=2)
        for key in ("topics", "retained"):
            yield _steady(key, getattr(first, key), getattr(last, key), more=8)
    for key, most in (("resident_kb", _MOST_KB_PER_DAY), ("blocks", _MOST_BLOCKS_PER_DAY)):
        from_day = max(_WARM_DAYS, _JUDGED_FROM[key] * soak.midnights[-1].sample.day)
        judged_by = [over.sample for over in soak.midnights if over.sample.day >= from_day]
        days = [sample.day for sample in judged_by]
        if len(days) >= _ENOUGH_MIDNIGHTS and days[-1] - days[0] >= _ENOUGH_DAYS:
            rise = slope(days, [getattr(sample, key) for sample in judged_by])
            yield Verdict(f"{key} a day", _words(rise), rise.per_day - 2.0 * rise.error <= most)


def _steady(key: str, first: int, last: int, *, more: int) -> Verdict:
    """more: by how much it may differ, since a trouble may just have passed."""
    return Verdict(key, f"{first} -> {last}", last <= first + more)


def _words(rise: Slope) -> str:
    return f"{rise.per_day:+.1f} +- {rise.error:.1f}"


def plain(soak: Soak, verdicts: list[Verdict]) -> dict[str, Any]:
    """For JSON."""
    return {
        "machine": machine(),
        "days": [{**over._asdict(), "sample": over.sample._asdict()} for over in soak.midnights],
        "verdicts": [verdict._asdict() for verdict in verdicts],
        "violations": soak.violations,
        "counters": soak.counters,
        "lost_kwh": soak.lost_kwh,
        "drawn": soak.drawn,
        "told": soak.told,
        "latched": soak.latched,
        "log": soak.log_events,
        "decided": soak.decided,
        "longest_s": soak.worst_s,
        "back_s": soak.back_s,
        "lives": soak.lives,
    }


def text(soak: Soak, verdicts: list[Verdict]) -> str:
    """For people."""
    cpu_s = sum(over.cpu_s for over in soak.midnights)
    rows = [(v.what, v.seen, "holds" if v.holds else "BROKEN") for v in verdicts]
    counters = [
        (
            *(key, f"{true:.3f}", f"{kwh:.3f}", f"{1000.0 * (kwh - true):+.0f}"),
            f"{1000.0 * soak.lost_kwh[key]:.0f}",
        )
        for key, (true, kwh) in soak.counters.items()
    ]
    return "\n".join(
        (
            machine_line(machine()),
            "",
            grid(("what", "seen", ""), rows),
            "",
            grid(("counter", "true kWh", "counted kWh", "difference Wh", "by kills Wh"), counters),
            "",
            f"troubles: {_counts(soak.drawn)}",
            f"told: {_counts(soak.told)}",
            f"latched, acknowledged: {_counts(soak.latched) or 'none'}",
            f"log: {_counts(soak.log_events)}",
            f"decided: {_shares(soak.decided)}",
            f"forbidden current, longest, s: {_seconds(soak.worst_s) or 'none'}",
            f"held again after the end of, slowest, s: {_seconds(soak.back_s)}",
            f"lives of the process: {soak.lives}; {cpu_s:.0f} s of CPU",
            *soak.violations,
        )
    )


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{key} {counter[key]}" for key in sorted(counter, key=lambda k: -counter[k]))


def _shares(counter: dict[str, int]) -> str:
    """Of all decisions, %, the most frequent first."""
    all_of = sum(counter.values()) or 1
    often = sorted(counter, key=lambda k: -counter[k])
    return ", ".join(f"{key} {100.0 * counter[key] / all_of:.2f} %" for key in often)


def _seconds(longest_s: dict[str, float]) -> str:
    """The longest first."""
    often = sorted(longest_s, key=lambda key: -longest_s[key])
    return ", ".join(f"{key} {longest_s[key]:.1f}" for key in often)


def _say(over: Midnight) -> None:
    now: Sample = over.sample
    print(
        f"lived {now.day:5.2f} days: {over.troubles} troubles, {over.told} told, back in "
        f"{over.slowest_back_s:.0f} s at most; {now.resident_kb / 1024:.1f} MB, "
        f"{now.blocks} blocks, {now.tasks} tasks, {now.descriptors} fds, {now.threads} threads; "
        f"history {over.history_mb:.1f} MB; {over.topics} topics, {over.log_lines} log lines; "
        f"charge {over.known_pct} of {over.soc_pct:.1f} %; {over.avoidable_kwh:.2f} kWh missed; "
        f"{over.cpu_s:.0f} s CPU",
        file=sys.stderr,
        flush=True,
    )
