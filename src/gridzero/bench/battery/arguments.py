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
        help="sections: soc, twin, speed, capacity; default all of them",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")
    parser.add_argument(
        "--quick", action="store_true", help="short runs: shows that it works, not how well"
    )
