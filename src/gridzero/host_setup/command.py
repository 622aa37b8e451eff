"""``gridzero setup FILE [--write]``: shows first, writes when asked to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gridzero.config.loader import load
from gridzero.config.models import Config
from gridzero.host_setup.apply import Change, Standing, change_of, write
from gridzero.host_setup.arguments import wishes_of
from gridzero.host_setup.files import BOOT, files_of
from gridzero.host_setup.wishes import SpiCan, Wishes, buses_of
from gridzero.plugins import find_plugins
from gridzero.runtime.exit_codes import ExitCode


def run(arguments: argparse.Namespace) -> ExitCode:
    """Show or write; FINDINGS where a file is not, or not yet, as it should be.

    Raises ConfigError for a file with mistakes, and where nothing can be written.
    """
    found = find_plugins()
    config = load(arguments.config, found.plugins, broken=found.reasons).config
    wishes = wishes_of(arguments)
    files = files_of(config, arguments.config.absolute(), wishes)
    changes = [change_of(file, arguments.root) for file in files]
    for change in changes:
        sys.stdout.write(_shown(change))
    sys.stdout.write(_assumed(config, wishes))
    if not arguments.write:
        return _only_shown(changes)
    return _write(changes, arguments.root, force=arguments.force)


def _assumed(config: Config, wishes: Wishes) -> str:
    """Where each MCP2515 is taken to be: what nobody can see from here, and a wrong guess swaps."""
    chips = [bus for bus in buses_of(config, wishes) if isinstance(bus, SpiCan)]
    if not chips:
        return ""
    rows = "".join(
        f"  {chip.channel:15} at {chip.place}, interrupt GPIO {chip.interrupt}, "
        f"crystal {chip.oscillator_hz / 1e6:g} MHz\n"
        for chip in chips
    )
    return f"Is that how your boards are wired? Else --spi, --interrupts, --oscillator:\n{rows}"


def _shown(change: Change) -> str:
    what = f"{change.file.path}  {change.standing.value}: {change.file.why}\n"
    return f"{what}{change.diff}\n" if change.diff else what


def _only_shown(changes: Sequence[Change]) -> ExitCode:
    if all(change.standing is Standing.SAME for change in changes):
        sys.stdout.write("Nothing to do.\n")
        return ExitCode.ASKED
    sys.stdout.write("Nothing was written. To write it: sudo gridzero setup FILE --write\n")
    return ExitCode.FINDINGS


def _write(changes: Sequence[Change], root: Path, *, force: bool) -> ExitCode:
    todo = [change for change in changes if change.standing is not Standing.SAME]
    left = [c for c in todo if c.standing is Standing.THEIRS and not force]
    done = [change for change in todo if change not in left]
    for change in done:
        kept = write(change)
        before = f" (before: {kept.name})" if kept is not None else ""
        sys.stdout.write(f"wrote {change.path}{before}\n")
    for change in left:
        sys.stdout.write(f"left {change.path} as it is: it was made or changed by hand; --force\n")
    if done and root == Path("/"):
        sys.stdout.write("Now:\n" + "".join(f"  {line}\n" for line in _next(done)))
    return ExitCode.FINDINGS if left else ExitCode.ASKED


def _next(done: Sequence[Change]) -> Iterator[str]:
    """Commands that make it hold."""
    paths = {change.file.path for change in done}
    yield "sudo systemd-sysusers"
    yield "sudo udevadm control --reload"
    yield "sudo systemctl daemon-reload"
    yield "sudo systemctl enable systemd-networkd gridzero"
    yield "sudo reboot" if BOOT in paths else "sudo systemctl restart systemd-networkd gridzero"
