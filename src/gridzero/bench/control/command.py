"""``python -m gridzero.bench.control``: compare zero-grid control laws."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from gridzero import __version__
from gridzero.bench.control.compare import Case, Plan
from gridzero.bench.control.laws import LAWS
from gridzero.bench.control.picture import draw, matplotlib
from gridzero.bench.control.plants import METERS, PLANTS
from gridzero.bench.control.table import LEGEND, table
from gridzero.bench.control.traces import TRACES, TraceRow, from_files
from gridzero.errors import ConfigError

_DEFAULT_TRACES = "steps,random,hob,ramps,evening,midday"
_WINDOW_S = 300.0
_LONGEST_H = 24 * 31


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Row = TypeVar("_Row", bound=_Named)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the comparison."""
    parser.add_argument(
        "--plants", default="house", metavar="A,B", help="plants, or all; default house"
    )
    parser.add_argument("--meters", default="0.5s", metavar="A,B", help="meters, or all")
    parser.add_argument(
        "--traces", metavar="A,B", help=f"loads, or all; default {_DEFAULT_TRACES}, or the files"
    )
    parser.add_argument("--laws", default="all", metavar="A,B", help="laws; default all of them")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    parser.add_argument(
        "--load", type=Path, metavar="FILE", help="measured load (.csv, .parquet): time_s, power_w"
    )
    parser.add_argument("--day", help="which part of a load file that has a day column")
    parser.add_argument("--sun", type=Path, metavar="FILE", help="measured sun: time_s, pv_pu")
    parser.add_argument(
        "--sun-peak", type=float, default=3000.0, metavar="W", help="scale of pv_pu; default 3000"
    )
    parser.add_argument(
        "--start", type=float, default=0.0, metavar="H", help="hour at which the files begin"
    )
    parser.add_argument("--hours", type=float, metavar="H", help="length of every trace")
    parser.add_argument(
        "--seeds", default="1", metavar="1,2", help="noise and random traces; results are means"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw power and error")
    parser.add_argument(
        "--window", metavar="A:B", help=f"seconds that are drawn; default 60:{60 + _WINDOW_S:g}"
    )


def run(args: argparse.Namespace) -> int:
    """Compare and print. Raises ConfigError."""
    if args.list:
        _say(_inventory())
        return 0
    window_s = _window(args.window)
    plan = _plan(args)
    if args.plot:
        matplotlib()  # so that a missing one is said before minutes of work
    cases: list[Case] = []
    for case in plan.cases():
        cases.append(case)
        if not args.json:
            _say(table(case) + "\n")
    _say(_as_json(cases, plan) if args.json else LEGEND)
    if args.plot:
        draw(cases, args.plot, window_s)
    return 0


def _plan(args: argparse.Namespace) -> Plan:
    return Plan(
        plants=_chosen(PLANTS, args.plants, "--plants"),
        meters=_chosen(METERS, args.meters, "--meters"),
        traces=_traces(args),
        laws=_chosen(LAWS, args.laws, "--laws"),
        seeds=_seeds(args.seeds),
        seconds=None if args.hours is None else _hours(args.hours) * 3600.0,
        keep_courses=args.plot is not None,
    )


def _traces(args: argparse.Namespace) -> list[TraceRow]:
    files: list[TraceRow] = []
    if args.load or args.sun:
        row = from_files(
            args.load, args.sun, day=args.day, peak_w=args.sun_peak, start_h=args.start
        )
        files.append(row)
    if args.traces is None:
        return files or _chosen(TRACES, _DEFAULT_TRACES, "--traces")
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


def _hours(hours: float) -> float:
    if not 0.01 <= hours <= _LONGEST_H:
        remedy = f"Give 0.01 to {_LONGEST_H} hours"
        raise ConfigError(f"{hours:g} h", where="--hours", remedy=remedy)
    return hours


def _window(text: str | None) -> tuple[float, float]:
    if text is None:
        return 60.0, 60.0 + _WINDOW_S
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
        (
            "meters",
            [
                (row.name, f"every {row.period_s:g} s, {row.latency_s:g} s old")
                for row in METERS.values()
            ],
        ),
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
