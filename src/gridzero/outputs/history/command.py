"""``gridzero history``: look into the history, take it along, bring it back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from gridzero.config.faces import HistoryConfig
from gridzero.config.loader import load
from gridzero.config.models import SiteConfig
from gridzero.outputs.history.backup import backup, restore
from gridzero.outputs.history.export import FORMATS, sheet_of, write
from gridzero.outputs.history.info import in_words, info_of, plain
from gridzero.outputs.history.moments import moment_s
from gridzero.outputs.history.reader import HistoryReader
from gridzero.plugins import find_plugins

_NEVER_S = 0.0
_FOREVER_S = 32_503_680_000.0


def run(arguments: argparse.Namespace) -> int:
    """0 when it was done. Raises GridzeroError."""
    does: dict[str, Callable[[argparse.Namespace, Path], None]] = {
        "info": _info,
        "export": _export,
        "backup": _backup,
        "restore": _restore,
    }
    does[arguments.what](arguments, _file(arguments))
    return 0


def _file(arguments: argparse.Namespace) -> Path:
    if arguments.file is not None:
        return Path(arguments.file)
    if arguments.config is None:
        return HistoryConfig().file(str(SiteConfig.model_fields["state_dir"].default))
    config = load(arguments.config, find_plugins().plugins).config
    return config.history.file(config.site.state_dir)


def _info(arguments: argparse.Namespace, file: Path) -> None:
    info = info_of(file)
    _say(json.dumps(plain(info), indent=1) if arguments.json else in_words(info))


def _export(arguments: argparse.Namespace, file: Path) -> None:
    begin_s = moment_s(arguments.begin) if arguments.begin else _NEVER_S
    end_s = moment_s(arguments.end, end_of_day=True) if arguments.end else _FOREVER_S
    form = arguments.format or _form(arguments.output)
    with HistoryReader(file) as reader:
        sheet = sheet_of(reader, arguments.rows, begin_s, end_s)
        count = write(sheet, form, arguments.output)
    sys.stderr.write(f"{count} rows, {len(sheet.columns)} columns\n")


def _form(output: str) -> str:
    ending = Path(output).suffix.removeprefix(".")
    return ending if ending in FORMATS else "csv"


def _backup(arguments: argparse.Namespace, file: Path) -> None:
    size = backup(file, arguments.target)
    _say(f"{arguments.target}: {size / 1e6:.2f} MB, checked")


def _restore(arguments: argparse.Namespace, file: Path) -> None:
    kept = restore(arguments.source, file)
    _say(f"{file}: restored" + (f"; the old one is kept as {kept}" if kept else ""))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
