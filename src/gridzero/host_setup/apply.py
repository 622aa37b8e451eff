"""Compares with what is there, and writes what may be written.

What gridzero wrote carries the check sum of its own text, so that a file which a person has
changed since is known as theirs and left alone.
"""

from __future__ import annotations

import difflib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path

from gridzero.errors import ConfigError
from gridzero.host_setup.files import HostFile
from gridzero.whole_files import NotWritten, free_name, second_name, settle

KEPT = ".before-gridzero"
_SUM = re.compile(r"# Made by gridzero setup, sum ([0-9a-f]{12})\n")
_END = "# End of gridzero setup\n"
_BLOCK = re.compile(rf"(?ms)^{_SUM.pattern}(?P<ours>.*?)^{re.escape(_END)}")
_OVERLAY = re.compile(r"(?m)^(?=\s*dtoverlay\s*=\s*(mcp2515|spi1-))")


class Standing(Enum):
    """How a file stands to what is there. THEIRS: a person made or changed it."""

    SAME = "is as it should be"
    NEW = "is new"
    OLDER = "is gridzero's own and changes"
    THEIRS = "was made or changed by hand"


@dataclass(frozen=True, slots=True)
class Change:
    """One file, before and after. before None: it is not there."""

    file: HostFile
    path: Path
    standing: Standing
    before: str | None
    after: str

    @property
    def diff(self) -> str:
        """Lines that go and come; all of a new file."""
        name = self.file.path
        return "".join(
            difflib.unified_diff(
                (self.before or "").splitlines(keepends=True),
                self.after.splitlines(keepends=True),
                name if self.before is not None else "/dev/null",
                name,
            )
        )


def change_of(file: HostFile, root: Path) -> Change:
    """What would become of a file below root. Raises ConfigError where it cannot be read."""
    path = root / file.path.lstrip("/")
    before = _read(path, file.path)
    after, standing = _block(file, before) if file.is_block else _whole(file, before)
    return Change(file, path, standing, before, after)


def write(change: Change) -> Path | None:
    """Replace the file as a whole; returns under which name what a person wrote is kept.

    Raises ConfigError.
    """
    try:
        return _write(change)
    except (OSError, NotWritten) as error:
        why = (
            error.what if isinstance(error, NotWritten) else f"cannot be written: {error.strerror}"
        )
        remedy = "Try again with sudo"
        raise ConfigError(why, where=str(change.path), remedy=remedy) from error


def _write(change: Change) -> Path | None:
    """Raises OSError, NotWritten."""
    path, kept = change.path, None
    fresh = path.with_name(f".{path.name}.gridzero")
    path.parent.mkdir(parents=True, exist_ok=True)
    if change.standing is Standing.THEIRS and change.before is not None:
        kept = free_name(path.with_name(path.name + KEPT))  # the first of them is the person's own
        second_name(path, kept)
    with fresh.open("w") as file:
        file.write(change.after)
        file.flush()
        os.fsync(file.fileno())
    with suppress(PermissionError):  # /boot/firmware is FAT, which knows no such modes
        fresh.chmod(0o644)
    fresh.replace(path)
    settle(path.parent)
    return kept


def _read(path: Path, name: str) -> str | None:
    try:
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read: {error}", where=name, remedy="Look at it, or move it away"
        ) from error


def signed(text: str) -> str:
    """The text below a line that tells who made it and what it was."""
    return f"# Made by gridzero setup, sum {_sum(text)}\n{text}"


def _sum(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def _whole(file: HostFile, before: str | None) -> tuple[str, Standing]:
    after = signed(file.text)
    if before is None:
        return after, Standing.NEW
    if before == after:
        return after, Standing.SAME
    head = _SUM.match(before)
    is_ours = head is not None and head[1] == _sum(before[head.end() :])
    return after, Standing.OLDER if is_ours else Standing.THEIRS


def _block(file: HostFile, before: str | None) -> tuple[str, Standing]:
    """Our part of a file; everything around it stays as it is."""
    ours = signed(file.text) + _END
    if before is None:
        return ours, Standing.NEW
    block = _BLOCK.search(before)
    if block is None:
        gap = "" if before.endswith("\n") or not before else "\n"
        return _with_rest(file, before + gap, ours, "", Standing.OLDER)
    rest, tail = before[: block.start()], before[block.end() :]
    if rest + ours + tail == before:
        return before, Standing.SAME
    standing = Standing.OLDER if block[1] == _sum(block["ours"]) else Standing.THEIRS
    return _with_rest(file, rest, ours, tail, standing)


def _with_rest(
    file: HostFile, rest: str, ours: str, tail: str, standing: Standing
) -> tuple[str, Standing]:
    """A person's own overlays for the same chips would be loaded twice: they become comments."""
    if not (_OVERLAY.search(file.text) and _OVERLAY.search(rest + tail)):
        return rest + ours + tail, standing
    quiet = (_OVERLAY.sub("# before gridzero setup: ", part) for part in (rest, tail))
    return ours.join(quiet), Standing.THEIRS
