"""The options of ``gridzero demo``; apart, so that ``--help`` of other commands stays quick."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the demo."""
    parser.add_argument("--config", type=Path, help="instead of the demo's own configuration")
    parser.add_argument("--duration", type=float, metavar="S", help="end by itself after S seconds")
    parser.add_argument("--hours", type=float, metavar="H", help="the same in hours")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--speed", type=float, metavar="N", help="simulated time, N times as fast")
    pace.add_argument("--fast", action="store_true", help="simulated time, as fast as possible")
    parser.add_argument("--load", type=Path, metavar="FILE", help="house load: CSV or Parquet")
    parser.add_argument("--day", help="which part of the load file (its column day)")
    parser.add_argument("--sun", type=Path, metavar="FILE", help="sun: CSV or Parquet")
    parser.add_argument(
        "--sun-peak", type=float, default=2500.0, metavar="W", help="2500 by default"
    )
    parser.add_argument("--start", type=float, default=10.0, metavar="HOUR", help="time of day, 10")
    parser.add_argument(
        "--soc", type=float, default=0.5, metavar="0..1", help="battery at the start"
    )
    parser.add_argument("--seed", type=int, default=1, help="of household, clouds and cells")
    parser.add_argument(
        "--alone", action="store_true", help="in real time: without web page, console and history"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
