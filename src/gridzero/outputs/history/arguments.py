"""The options of ``gridzero history``; apart, so that ``--help`` of other commands stays quick."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Four things to do with a history."""
    kinds = parser.add_subparsers(
        dest="what", metavar="{info,export,backup,restore}", required=True
    )
    info = _one(kinds, "info", "What the history holds, and how many bytes a day costs")
    info.add_argument("--json", action="store_true", help="for programs")
    _add_export(_one(kinds, "export", "Write a span as CSV or Parquet"))
    backup = _one(kinds, "backup", "Copy the history while it is being written")
    backup.add_argument("target", type=Path, metavar="TARGET", help="file to write")
    restore = _one(kinds, "restore", "Put a backup in the place of the history; keeps the old one")
    restore.add_argument("source", type=Path, metavar="BACKUP", help="file to read")


def _one(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
) -> argparse.ArgumentParser:
    parser = kinds.add_parser(name, help=summary, description=f"{summary}.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--config", type=Path, metavar="FILE", help="whose history")
    which.add_argument(
        "--file", type=Path, metavar="PATH", help="the history itself; default state/history.sqlite"
    )
    return parser


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="begin", metavar="TIME", help="default: all there is")
    parser.add_argument(
        "--to",
        dest="end",
        metavar="TIME",
        help="2026-11-21 (that day included), 2026-11-21T18:00 (local), 2026-11-21T17:00Z",
    )
    parser.add_argument("--format", choices=("csv", "parquet"), help="default: by the file's name")
    parser.add_argument(
        "--what",
        dest="rows",
        choices=("raw", "minute", "hour", "cells", "events"),
        default="minute",
        help="default: minute",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="- is standard output"
    )
