"""Files that are there as a whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from gridzero.errors import GridzeroError

_OWNER_ONLY = 0o600


class NotWritten(GridzeroError):
    """The disk has refused; what was there is there still."""


def free_name(wanted: Path) -> Path:
    """That name, or the first of wanted-2, wanted-3 and so on that nothing has."""
    names = (wanted.with_name(f"{wanted.name}-{n}") if n > 1 else wanted for n in count(1))
    return next(name for name in names if not os.path.lexists(name))


def may_replace(file: Path, beginning: bytes) -> bool:
    """Whether nothing is there, or a file of the same kind.

    beginning: by which that kind is known. Never a device: a new file would take its place; nor an
    empty file: it may be a lock.
    """
    if not os.path.lexists(file):
        return True
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return False
        with file.open("rb") as opened:
            return opened.read(len(beginning)) == beginning
    except OSError:
        return False


def second_name(file: Path, name: Path) -> None:
    """Keep a file under another name, too, for when the first is replaced. Raises NotWritten."""
    with telling(name):
        try:
            name.hardlink_to(file)
        except OSError:  # a file system without links
            shutil.copy2(file, name)
        settle(name.parent)


def keep_aside(file: Path) -> None:
    """Keep what cannot be read as NAME.damaged, for a person to look at; never raises."""
    aside = file.with_suffix(".damaged")
    with suppress(OSError, NotWritten):
        aside.unlink(missing_ok=True)
        second_name(file, aside)


def replace_whole(file: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file so that a power cut leaves the old or the new one.

    mode: of the new one; absent = that of the old one, 0600 where there is none. It belongs to
    whom the old one belonged, else to whom the folder does, where we may set that.
    Raises NotWritten.
    """
    fresh = file.with_name(f".{file.name}.new")
    with telling(file):
        try:
            write_new(fresh, content)
            take_after(file, fresh, mode)
            fresh.replace(file)
            settle(file.parent)
        finally:
            fresh.unlink(missing_ok=True)


def write_new(fresh: Path, content: bytes) -> None:
    """For its owner only, and on the medium. Raises OSError."""
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def take_after(old: Path, fresh: Path, mode: int | None = None) -> None:
    """Give fresh the owner and mode of old, where there is one; else those of a new file there."""
    if not old.exists():
        belong(fresh, _OWNER_ONLY if mode is None else mode)
        return
    before = old.stat()
    with suppress(PermissionError):
        os.chown(fresh, before.st_uid, before.st_gid)
    fresh.chmod(stat.S_IMODE(before.st_mode) if mode is None else mode)


def belong(fresh: Path, mode: int) -> None:
    """Give a new file or folder to whom its folder belongs: root may act for another user here."""
    folder = fresh.parent.stat()
    with suppress(PermissionError):
        os.chown(fresh, folder.st_uid, folder.st_gid)
    fresh.chmod(mode)


def settle(folder: Path) -> None:
    """A new name survives a power cut only once its folder is on the medium, too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def telling(where: Path) -> Iterator[None]:
    """Raises NotWritten for whatever the disk says within."""
    try:
        yield
    except OSError as error:
        raise NotWritten(
            f"it was not written: {error.strerror or error}",
            where=str(where),
            remedy="Make room or check the permissions; what was there is unchanged",
        ) from error
