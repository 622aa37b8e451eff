"""``gridzero bench control``: compare zero-grid control laws."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from gridzero import __version__
from gridzero.bench.control.ablate import ablated, ablation_tables, leaning, without
from gridzero.bench.control.arguments import DEFAULT_TRACES, WINDOW_S
from gridzero.bench.control.compare import Case, Plan
from gridzero.bench.control.goals.command import run as judge
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.laws.law import LawRow
from gridzero.bench.control.markdown import matrices
from gridzero.bench.control.picture import draw, matplotlib
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.records import Recorded, from_files
from gridzero.bench.control.table import LEGEND, table
from gridzero.bench.control.traces import TRACES, TraceRow
from gridzero.domain.value import Outlook
from gridzero.errors import ConfigError

_QUICK_TRACES, _QUICK_S = "steps,random,hob,ramps,stress", 900.0
_PICTURED = "gridzero,dpl,syssi-3s,desperado-50,esp32,perfect-model"
_LONGEST_H = 24 * 31
_MOST_JOBS = 64


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Row = TypeVar("_Row", bound=_Named)


def run(args: argparse.Namespace) -> int:
    """Compare and print; 0 whatever the figures say. Raises ConfigError."""
    if args.list:
        _say(_inventory())
        return 0
    _check_numbers(args)
    if args.goals:
        return judge(args)
    window_s = _window(args.window)
    plan = _plan(args)
    if args.plot:
        matplotlib()  # so that a missing one is said before minutes of work
    cases = list(_told(plan, args))
    if args.json:
        _say(_as_json(cases, plan))
    elif args.markdown:
        _say(ablation_tables(cases, markdown=True) if args.ablate else matrices(cases))
    else:
        _say(ablation_tables(cases) if args.ablate else LEGEND)
    if args.plot:
        draw(cases, args.plot, window_s)
    return 0


def _told(plan: Plan, args: argparse.Namespace) -> Iterator[Case]:
    """The cases, each with its own table at once if tables are what is wanted."""
    for case in plan.cases(args.jobs):
        if not (args.json or args.markdown or args.ablate):
            _say(table(case) + "\n")
        yield case


def _plan(args: argparse.Namespace) -> Plan:
    return Plan(
        plants=_chosen(PLANTS, args.plants, "--plants"),
        meters=_chosen(METERS, args.meters, "--meters"),
        traces=_traces(args),
        laws=_laws(args),
        seeds=_seeds(args.seeds),
        seconds=_seconds(args),
        keep_courses=args.plot is not None,
    )


def _laws(args: argparse.Namespace) -> list[LawRow]:
    """The laws that were named; ours with parts left out come right after it."""
    if args.ablate:
        named = "gridzero,perfect-model"
    elif args.plot:
        named = _PICTURED
    else:
        named = "all"
    laws = _chosen(LAWS, args.laws or named, "--laws")
    lesser = ablated() if args.ablate else [without(words) for words in args.without]
    lesser += [leaning(outlook) for outlook in _outlooks(args.outlook)]
    return [*laws[:1], *lesser, *laws[1:]] if laws[0].name == "gridzero" else [*lesser, *laws]


def _outlooks(names: list[str]) -> list[Outlook]:
    known = [Outlook.EMPTYING, Outlook.FILLING]
    unknown = sorted(set(names) - set(known))
    if unknown:
        remedy = f"There are: {', '.join(known)}"
        raise ConfigError(f"unknown: {', '.join(unknown)}", where="--outlook", remedy=remedy)
    return [Outlook(name) for name in names]


def _traces(args: argparse.Namespace) -> list[TraceRow]:
    files: list[TraceRow] = []
    if args.load or args.sun:
        recorded = Recorded(
            load=args.load,
            sun=args.sun,
            day=args.day,
            peak_w=args.sun_peak,
            constant_w=args.minus,
            start_h=args.start,
        )
        files.append(from_files(recorded))
    if args.traces is None:
        usual = _QUICK_TRACES if args.quick else DEFAULT_TRACES
        return files or _chosen(TRACES, usual, "--traces")
    return files + _chosen(TRACES, args.traces, "--traces")


def _chosen(rows: Mapping[str, _Row], names: str, option: str) -> list[_Row]:
    """Rows by name, in the order of the collection, so that ours stays first."""
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    if wanted == {"all"}:
        return list(rows.values())
    unknown = sorted(wanted - rows.keys())
    if unknown or not wanted:
        what = f"unknown: {', '.join(unknown)}" if unknown else "nothing is named"
        raise ConfigError(what, where=option, remedy=f"There are: all, {', '.join(rows)}")
    return [row for name, row in rows.items() if name in wanted]


def _seeds(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"{text!r} is no list of whole numbers", where="--seeds", remedy="For example 1,2,3"
        ) from None


def _check_numbers(args: argparse.Namespace) -> None:
    if args.hours is not None and not 0.01 <= args.hours <= _LONGEST_H:
        remedy = f"Give 0.01 to {_LONGEST_H} hours"
        raise ConfigError(f"{args.hours:g} h", where="--hours", remedy=remedy)
    if not 1 <= args.jobs <= _MOST_JOBS:
        remedy = f"Give 1 to {_MOST_JOBS} processes"
        raise ConfigError(f"{args.jobs}", where="--jobs", remedy=remedy)


def _seconds(args: argparse.Namespace) -> float | None:
    if args.hours is not None:
        return float(args.hours) * 3600.0
    return _QUICK_S if args.quick else None


def _window(text: str | None) -> tuple[float, float]:
    if text is None:
        return WINDOW_S
    first, _, last = text.partition(":")
    try:
        window_s = float(first), float(last)
    except ValueError:
        window_s = 0.0, 0.0
    if not 0.0 <= window_s[0] < window_s[1]:
        raise ConfigError(
            f"{text!r} is no span of seconds", where="--window", remedy="For example 60:360"
        )
    return window_s


def _inventory() -> str:
    groups: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
        ("plants", [(row.name, row.summary) for row in PLANTS.values()]),
        ("meters", [(row.name, row.summary) for row in METERS.values()]),
        ("traces", [(row.name, row.summary) for row in TRACES.values()]),
        ("laws", [(row.name, f"{row.summary} ({row.source})") for row in LAWS.values()]),
    )
    lines: list[str] = []
    for title, rows in groups:
        lines += [title, *(f"  {name:16} {summary}" for name, summary in rows)]
    return "\n".join(lines)


def _as_json(cases: Sequence[Case], plan: Plan) -> str:
    document = {
        "gridzero": __version__,
        "seeds": list(plan.seeds),
        "cases": [case.to_dict() for case in cases],
    }
    return json.dumps(document, indent=2)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
