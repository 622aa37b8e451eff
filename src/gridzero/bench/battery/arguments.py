"""The options of ``gridzero bench battery``; apart, so that ``--help`` of others stays quick."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """All options."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="a folder with measured cells (Parquet); without it only the simulated battery",
    )
    parser.add_argument(
        "--only",
        metavar="A,B",
        help="sections: soc, twin, speed, capacity, whole; default all of them",
    )
    parser.add_argument(
        "--days",
        type=_positive,
        metavar="N",
        help="days lived in the sections capacity (10) and whole (3)",
    )
    parser.add_argument(
        "--modules",
        type=int,
        choices=range(1, 10),
        metavar="N",
        help="modules in the section whole, 1 to 9; a day of nine takes over a minute",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")
    parser.add_argument(
        "--quick", action="store_true", help="short runs: shows that it works, not how well"
    )


def _positive(text: str) -> float:
    """Raises ArgumentTypeError for anything that is not a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days above 0")
    return number
