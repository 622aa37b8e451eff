"""``gridzero check``: what a configuration means, or everything that is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

from gridzero.commands.reload import what_runs
from gridzero.config.summary import describe
from gridzero.configured import checked
from gridzero.errors import ConfigError
from gridzero.plugins import Found
from gridzero.runtime.exit_codes import ExitCode


def check_file(file: Path, found: Found) -> ExitCode:
    """Say what a file means, or what is wrong with it; CONFIG where something is."""
    try:
        good = checked.check_file(file, found)
    except ConfigError as error:
        _say(str(error))
        return ExitCode.CONFIG
    _say(f"{file}: good\n{describe(good.loaded, found.plugins, good.devices)}")
    for line in what_runs(file, good):
        _say(line)
    return ExitCode.ASKED


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
