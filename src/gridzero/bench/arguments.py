"""The options of ``gridzero bench``; apart, so that ``--help`` of other commands stays quick."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the benchmarks."""
    parser.add_argument("what", choices=("core",), help="core: latency, CPU, memory, codecs, speed")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        metavar="S",
        help="length of the CPU and of the latency measurement, each; 30 by default",
    )
    parser.add_argument(
        "--quick", action="store_true", help="everything short: shows that it works, not how well"
    )
