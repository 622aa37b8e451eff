"""The arguments of ``gridzero meter``; quick to import."""

from __future__ import annotations

import argparse
from pathlib import Path

LONGEST_S = 3600.0


def add(parser: argparse.ArgumentParser) -> None:
    """Add the two subcommands."""
    commands = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    listing = commands.add_parser("list", help="Show the meters that are known by name")
    listing.add_argument("--json", action="store_true", help="for programs")
    test = commands.add_parser("test", help="Listen to a meter and show what could be read")
    _add_test(test)


def _add_test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="whose broker; alone: its meter is checked"
    )
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="broker; default 127.0.0.1:1883")
    parser.add_argument("--topic", metavar="T", help="topic, or the first part of it; default all")
    parser.add_argument("--url", metavar="URL", help="ask this web server instead of a broker")
    parser.add_argument("--user", metavar="NAME", help="user name of that web server")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="file with its password")
    parser.add_argument("--digest", action="store_true", help="it wants digest, as Shelly does")
    parser.add_argument(
        "--udp", metavar="ADDRESS:PORT", help="for sma_meter: listen there and not in SMA's group"
    )
    parser.add_argument("--profile", metavar="P", help="check this one and show its readings")
    parser.add_argument("--id", metavar="ID", help="what the profile needs to know")
    parser.add_argument(
        "--seconds", type=_seconds, default=20.0, metavar="S", help="how long; default 20"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"write seconds, up to {LONGEST_S:g}")
    return seconds
