"""The options of ``gridzero bench control``; apart, so that ``--help`` of others stays quick."""

from __future__ import annotations

import argparse
from pathlib import Path

DEFAULT_TRACES = "steps,random,hob,ramps,evening,midday"
WINDOW_S = (60.0, 360.0)


def add(parser: argparse.ArgumentParser) -> None:
    """All options of the comparison."""
    _add_what(parser)
    _add_files(parser)
    _add_how(parser)
    _add_output(parser)


def _add_what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is compared")
    group.add_argument(
        "--plants", default="house", metavar="A,B", help="plants, or all; default house"
    )
    group.add_argument("--meters", default="0.5s", metavar="A,B", help="meters, or all")
    group.add_argument(
        "--traces", metavar="A,B", help=f"loads, or all; default {DEFAULT_TRACES}, or the files"
    )
    group.add_argument("--laws", metavar="A,B", help="laws; default all of them")
    group.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PART,PART",
        help="one more row: gridzero without these parts of its law; may be repeated",
    )
    group.add_argument(
        "--outlook",
        action="append",
        default=[],
        metavar="emptying|filling",
        help="one more row: gridzero with prices and a battery that is heading there",
    )
    group.add_argument(
        "--ablate", action="store_true", help="gridzero without each of its parts, one at a time"
    )
    group.add_argument(
        "--goals", action="store_true", help="every figure that has a goal, reached or not"
    )
    group.add_argument("--list", action="store_true", help="say what there is, and end")


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measured loads")
    group.add_argument(
        "--load", type=Path, metavar="FILE", help="measured load (.csv, .parquet): time_s, power_w"
    )
    group.add_argument("--day", help="which part of a load file that has a day column")
    group.add_argument("--sun", type=Path, metavar="FILE", help="measured sun: time_s, pv_pu")
    group.add_argument(
        "--sun-peak", type=float, default=3000.0, metavar="W", help="scale of pv_pu; default 3000"
    )
    group.add_argument(
        "--minus", type=float, default=0.0, metavar="W", help="constant sun beside the files"
    )
    group.add_argument(
        "--start", type=float, default=0.0, metavar="H", help="hour at which the files begin"
    )
    group.add_argument(
        "--data", type=Path, metavar="DIR", help="for --goals: a folder with load/ and pv/"
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how")
    group.add_argument("--hours", type=float, metavar="H", help="length of every trace")
    group.add_argument(
        "--seeds", default="1", metavar="1,2", help="noise and random traces; results are means"
    )
    group.add_argument(
        "--quick", action="store_true", help="short traces, under a minute: shows that it works"
    )
    group.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes; the results are the same"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print JSON instead of tables")
    group.add_argument("--markdown", action="store_true", help="print tables for a document")
    group.add_argument("--plot", type=Path, metavar="FILE.png", help="draw power and error")
    first_s, last_s = WINDOW_S
    group.add_argument(
        "--window", metavar="A:B", help=f"seconds that are drawn; default {first_s:g}:{last_s:g}"
    )
