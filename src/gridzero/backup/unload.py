"""Doing what a restore has planned.

Everything is written beside its place first: a disk that is full then has changed nothing. Old
files get a second name, then each new one takes the place of its old one in one step, the
configuration last. A power cut leaves each file old or new as a whole; the same command run again
completes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gridzero.backup.house import HISTORY, STATE
from gridzero.backup.manifest import BackupRefused
from gridzero.backup.plan import Move, Plan
from gridzero.backup.remembered import quick_file
from gridzero.backup.unpack import Backup
from gridzero.outputs.history.backup import restore as restore_history
from gridzero.outputs.history.opening import lock_file, only_recorder
from gridzero.runtime.state_lock import only_process
from gridzero.whole_files import (
    belong,
    free_name,
    second_name,
    settle,
    take_after,
    telling,
    write_new,
)

_SPARE_BYTES: Final = 16_000_000
_LOCK_MODE: Final = 0o644


class Kept(NamedTuple):
    """A file that was replaced, and under which name it is kept."""

    file: Path
    name: Path


@contextmanager
def nobody_runs(plan: Plan) -> Iterator[None]:
    """Hold the house, where there is one. Raises ConfigError or HistoryError where it is held."""
    with ExitStack() as held:
        for folder in plan.state_dirs:
            if (folder / "lock").exists():
                held.enter_context(only_process(folder))
        for move in plan.moves:
            if move.name == HISTORY and lock_file(move.target).exists():
                with only_recorder(move.target):  # restore_history takes it again
                    pass
        yield


def _leave_a_lock(plan: Plan) -> None:
    """So that a gridzero that starts meanwhile is refused, and may take it afterwards."""
    lock = plan.state_dir / "lock"
    if plan.state_dir.is_dir() and not lock.exists():
        with telling(lock):
            lock.touch(mode=_LOCK_MODE)
            belong(lock, _LOCK_MODE)


def unload(backup: Backup, plan: Plan, stamp: str) -> list[Kept]:
    """Write what was planned; returns what is kept of before. stamp: part of those names.

    Raises GridzeroError.
    """
    moves = [move for move in plan.moves if move.writes]
    _refuse_small_disk(backup, moves)
    _make_folders(moves)
    _leave_a_lock(plan)
    with nobody_runs(plan), ExitStack() as later:
        staged = [(move, _stage(backup, move, later)) for move in moves]
        return [kept for move, fresh in staged for kept in _take_place(move, fresh, stamp)]


def _refuse_small_disk(backup: Backup, moves: Sequence[Move]) -> None:
    """Raises BackupRefused; the history is there twice for a moment."""
    for move in moves:
        folder = next(parent for parent in move.target.absolute().parents if parent.exists())
        times = 2 if move.name == HISTORY else 1
        needed = backup.manifest.parts[move.name].size_bytes * times + _SPARE_BYTES
        if shutil.disk_usage(folder).free < needed:
            what = f"there is no room for {move.name}: {needed / 1e6:.0f} MB are needed"
            raise BackupRefused(what, where=str(folder), remedy="Make room; nothing was changed")


def _make_folders(moves: Sequence[Move]) -> None:
    """New ones for their owner only, and his who owns what they are in."""
    for folder in {move.target.parent for move in moves}:
        with telling(folder):
            missing = [f for f in (folder, *folder.parents) if not f.exists()]
            for new in reversed(missing):
                new.mkdir(mode=0o700)
                belong(new, 0o700)
                settle(new.parent)


def _stage(backup: Backup, move: Move, later: ExitStack) -> Path:
    """What is written, beside its place; gone again unless it takes that place."""
    fresh = move.target.with_name(f".{move.target.name}.restored")
    later.callback(fresh.unlink, missing_ok=True)
    with telling(move.target):
        if move.content is not None:
            write_new(fresh, move.content)
        else:
            _stage_history(backup, fresh)
        take_after(move.target, fresh)
    return fresh


def _stage_history(backup: Backup, fresh: Path) -> None:
    write_new(fresh, b"")
    with fresh.open("wb") as file:
        backup.copy(HISTORY, file)
        file.flush()
        os.fsync(file.fileno())


def _take_place(move: Move, fresh: Path, stamp: str) -> Iterator[Kept]:
    if move.name == HISTORY:
        kept = restore_history(fresh, move.target)
        take_after(kept or move.target.with_name("none"), move.target)
        belong(lock_file(move.target), _LOCK_MODE)
        if kept is not None:
            yield Kept(move.target, kept)
        return
    if move.target.exists():
        name = _aside(move.target, stamp)
        second_name(move.target, name)
        yield Kept(move.target, name)
    with telling(move.target):
        fresh.replace(move.target)
        settle(move.target.parent)
    quick = quick_file(move.target)
    if move.name in STATE and quick.exists():  # changes of the old file, which must not come back
        with telling(quick):
            yield Kept(quick, quick.replace(_aside(quick, stamp)))


def _aside(file: Path, stamp: str) -> Path:
    return free_name(file.with_name(f"{file.name}.before-restore-{stamp}"))
