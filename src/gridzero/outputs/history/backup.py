"""A whole copy while the recorder runs, and the way back."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing, suppress
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gridzero.config.files import real_path
from gridzero.outputs.history.opening import BESIDE, only_recorder
from gridzero.outputs.history.samples import HistoryError
from gridzero.outputs.history.schema import check
from gridzero.whole_files import may_replace

_BEGINNING: Final = b"SQLite format 3\0"


def backup(file: Path, target: Path) -> int:
    """Copy a history, also one that is being written, to one checked file; returns its bytes.

    Raises HistoryError; an older backup of that name is then left as it is.
    """
    if real_path(target) == real_path(file):
        raise _refused(target, "that is the history itself", "Give another file")
    if not may_replace(target, _BEGINNING):
        raise _refused(target, "that is there already, and is no history", "Give another file")
    fresh = target.with_name(f"{target.name}.part")
    try:
        with closing(_reading(file)) as source:
            check(source, str(file))
            _copy(source, fresh)
        fresh.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise _refused(
            file, f"no backup was made: {error}", "Is there room at the target?"
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, file: Path) -> Path | None:
    """Put a backup in the place of a history; returns under which name the old one is kept.

    Raises HistoryError when a recorder runs or the backup is none; nothing was changed then.
    """
    fresh = file.with_name(f"{file.name}.restored")
    with ExitStack() as stack:
        try:
            stack.enter_context(only_recorder(file))
            with closing(_reading(source)) as whole:
                check(whole, str(source))
                _copy(whole, fresh)
            return _exchange(fresh, file)
        except (sqlite3.Error, OSError) as error:
            raise _refused(source, f"it was not restored: {error}", "Give a backup") from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, isolation_level=None)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """In one step: another process that writes meanwhile would make SQLite begin again."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {found}")


def _exchange(fresh: Path, file: Path) -> Path | None:
    if not file.exists():
        fresh.replace(file)
        return None
    names = (file.with_name(f"{file.name}.before-restore-{n}") for n in count(1))
    kept = next(name for name in names if not name.exists())
    for ending in BESIDE:
        with suppress(FileNotFoundError):
            file.with_name(file.name + ending).replace(kept.with_name(kept.name + ending))
    file.replace(kept)
    fresh.replace(file)
    return kept


def _refused(where: Path, what: str, remedy: str) -> HistoryError:
    return HistoryError(what, where=str(where), remedy=remedy)
