"""``gridzero migrate``: an older configuration file as this version writes it."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from gridzero.config.files import read_text, real_path
from gridzero.config.migrate import Migrated, migrate
from gridzero.runtime.exit_codes import ExitCode
from gridzero.whole_files import free_name, replace_whole, second_name


def run(file: Path, *, write: bool) -> int:
    """0: it is of this version now. 1: without write, there is something to do.

    Raises GridzeroError.
    """
    target = real_path(file)  # a link stays one
    text = read_text(target)
    done = migrate(text, file)
    if not done.changes:
        _say(f"{file}: is of version {done.version}; nothing to do\n")
        return ExitCode.ASKED
    _show(text, done, file)
    if not write:
        _say(f"Nothing was written. Run: gridzero migrate {file} --write\n")
        return ExitCode.FINDINGS
    kept = free_name(target.with_name(f"{target.name}.v{done.version}"))
    second_name(target, kept)
    replace_whole(target, done.text.encode())
    _say(f"{file}: written; the old one is kept as {kept}. Run: gridzero check {file}\n")
    return ExitCode.ASKED


def _show(text: str, done: Migrated, file: Path) -> None:
    """Only the lines that change: others may hold a password."""
    before, after = text.splitlines(), done.text.splitlines()
    lines = difflib.unified_diff(before, after, str(file), f"{file} (new)", n=0, lineterm="")
    _say("".join(f"{line}\n" for line in lines))
    _say("".join(f"{change}\n" for change in done.changes))


def _say(text: str) -> None:
    sys.stdout.write(text)
