"""Arguments of ``gridzero commission``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """WHAT and where."""
    parser.add_argument(
        "what",
        nargs="?",
        default="all",
        metavar="WHAT",
        help="all = what is not good yet (default), a line's key, list, sheet, or rectifier",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="whose broker, whose state")
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="broker; default 127.0.0.1:1883")
    parser.add_argument(
        "--kept", type=Path, metavar="FILE", help="results; default commissioning.json beside FILE"
    )
    parser.add_argument(
        "--device", metavar="NAME", help="rectifier: which one, where there are several"
    )
