"""``gridzero backup`` and ``gridzero restore``: what they print, and how they end."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from gridzero.backup.house import HISTORY
from gridzero.backup.manifest import Manifest
from gridzero.backup.pack import Packed, pack
from gridzero.backup.plan import Plan, plan_into, plan_over
from gridzero.backup.unload import nobody_runs, unload
from gridzero.backup.unpack import opened
from gridzero.commands.check import check_file
from gridzero.plugins import find_plugins
from gridzero.runtime.exit_codes import ExitCode


def back_up(arguments: argparse.Namespace) -> ExitCode:
    """FINDINGS where something is missing that nobody asked to leave out. Raises GridzeroError."""
    packed = pack(
        arguments.config,
        arguments.output,
        secrets=arguments.secrets,
        history=not arguments.without_history,
        now=datetime.now(UTC),
    )
    size_mb = packed.file.stat().st_size / 1e6
    _say(f"{packed.file}: {len(packed.manifest.parts)} files, {size_mb:.2f} MB, read back and good")
    for name, why in packed.missing.items():
        _say(f"not in it: {name} ({why})")
    return ExitCode.FINDINGS if _lacks(packed) else ExitCode.ASKED


def _lacks(packed: Packed) -> bool:
    asked = ("only with --secrets", "left out as asked")
    return any(not why.endswith(asked) for why in packed.missing.values())


def restore(arguments: argparse.Namespace) -> ExitCode:
    """FINDINGS where only shown, or where the restored house is not good. Raises GridzeroError."""
    with opened(arguments.backup) as backup:
        _say(_about(arguments.backup, backup.manifest))
        plan_it = plan_into if arguments.config is None else plan_over
        where = arguments.into if arguments.config is None else arguments.config
        plan = plan_it(backup, where, history=not arguments.without_history)
        _show(plan)
        if not arguments.write:
            with nobody_runs(plan):
                _say("Nothing was written. Run the same with --write to do this.")
            return ExitCode.FINDINGS
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        for kept in unload(backup, plan, stamp):
            _say(f"kept: {kept.name}")
        return _checked(plan.config, backup.manifest)


def _about(file: Path, manifest: Manifest) -> str:
    return f"{file}: of {manifest.utc}, made by gridzero {manifest.gridzero}, read and good"


def _show(plan: Plan) -> None:
    for move in plan.moves:
        why = f" ({move.why})" if move.why else ""
        _say(f"  {move.target}: {move.does.value}{why}")


def _checked(config: Path, manifest: Manifest) -> ExitCode:
    """Whether gridzero would start with what has come back."""
    for name in manifest.left_out:
        if name != HISTORY:
            _say(f"The backup was made without {name}: put it back yourself.")
    found = find_plugins()
    if check_file(config, found) is ExitCode.ASKED:
        return ExitCode.ASKED
    _say("Everything is restored, but gridzero would not start with it: see above.")
    return ExitCode.FINDINGS


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
