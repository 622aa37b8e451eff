"""Options of ``gridzero backup`` and ``gridzero restore``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_backup(parser: argparse.ArgumentParser) -> None:
    """Give the parser of ``backup`` its options."""
    parser.add_argument("config", type=Path, metavar="FILE", help="the configuration")
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        default=Path(),
        metavar="OUT",
        help="the backup, or a folder for it; default: NAME-UTC.zip here",
    )
    parser.add_argument(
        "--secrets", action="store_true", help="also secrets.yaml and private keys, unencrypted"
    )
    parser.add_argument("--without-history", action="store_true", help="which can be large")


def add_restore(parser: argparse.ArgumentParser) -> None:
    """Give the parser of ``restore`` its options."""
    parser.add_argument("backup", type=Path, metavar="BACKUP")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--into", type=Path, metavar="FOLDER", help="everything into one folder")
    where.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration to write; state goes where the restored one says",
    )
    parser.add_argument("--write", action="store_true", help="do it; otherwise only show")
    parser.add_argument("--without-history", action="store_true", help="leave the history alone")
