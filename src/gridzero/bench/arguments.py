"""The options of ``gridzero bench``; apart, so that ``--help`` of other commands stays quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from gridzero.bench.battery.arguments import add as add_battery
from gridzero.bench.control.arguments import add as add_control


def add(parser: argparse.ArgumentParser) -> None:
    """Six kinds of benchmark, each with options of its own."""
    kinds = parser.add_subparsers(
        dest="what", metavar="{core,control,battery,history,day,soak}", required=True
    )
    core = "latency, CPU time, memory, codecs and simulated time"
    control = "zero-grid control laws side by side on one simulated house"
    battery = "how well the state of the battery is known, and what knowing it costs"
    _add_core(kinds.add_parser("core", help=core, description=f"Measure {core}."))
    history = "what keeping a history costs, and how quickly it is read"
    add_control(kinds.add_parser("control", help=control, description=f"Compare {control}."))
    add_battery(kinds.add_parser("battery", help=battery, description=f"Measure {battery}."))
    _add_history(kinds.add_parser("history", help=history, description=f"Measure {history}."))
    day = "the reference house through a day of changed settings and restarts: what it counted"
    _add_day(kinds.add_parser("day", help=day, description=f"Live {day}."))
    soak = "a month in which something breaks every few hours: growth, counters, limits"
    _add_soak(kinds.add_parser("soak", help=soak, description=f"Live {soak}."))


def _add_soak(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--json", action="store_true", help="print the figures as JSON")
    add("--days", type=float, default=30.0, metavar="D", help="simulated; 30 by default")
    hours = (
        "of each day that are lived; the next one goes on at the hour where it ended. 24 by default"
    )
    add("--hours", type=float, default=24.0, metavar="H", help=hours)
    begin = "hour of the day at which the first one begins; 0 by default"
    add("--from-hour", type=float, default=0.0, metavar="H", help=begin)
    add("--modules", type=int, default=2, metavar="N", help="2 to 9; 2 by default, the quickest")
    add(
        "--meter-s",
        type=float,
        default=2.0,
        metavar="S",
        help="time between two messages of the meter, 0.5 to 2; 2 by default, the quickest",
    )
    add("--troubles", type=int, default=9, metavar="N", help="in 24 lived hours; 9 by default")
    add("--seed", type=int, default=1, help="of household, clouds, cells and troubles")


def _add_day(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--hours", type=float, default=24.0, metavar="H", help="of the day; 24 by default"
    )
    parser.add_argument(
        "--modules", type=int, default=3, metavar="N", help="2 to 9; 3 by default, as it is quicker"
    )
    parser.add_argument("--seed", type=int, default=3, help="of household, clouds and cells")


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--hours", type=float, default=3.0, metavar="H", help="simulated; 3 by default"
    )
    parser.add_argument("--file", type=Path, metavar="PATH", help="write the week there, keep it")


def _add_core(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        metavar="S",
        help="length of the CPU and of the latency measurement, each; 30 by default",
    )
    parser.add_argument(
        "--with-clients",
        action="store_true",
        help="only: latency with browsers, console and Home Assistant, beside latency without",
    )
    parser.add_argument(
        "--rounds", type=int, default=8, metavar="N", help="with --with-clients; 8 by default"
    )
    parser.add_argument(
        "--quick", action="store_true", help="everything short: shows that it works, not how well"
    )
