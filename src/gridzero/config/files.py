"""Reading a small text file that a person wrote."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from gridzero.config.problems import TOP, ConfigErrors, Place, Problem

MOST_BYTES: Final = 64 * 1024
"""Twenty times the reference house with its comments; a Pi reads it within seconds."""


def real_path(file: Path) -> Path:
    """Where links lead to. Never raises: links in a circle, which pathlib refuses, lead nowhere."""
    return Path(os.path.realpath(file))


def read_text(file: Path, most_bytes: int = MOST_BYTES) -> str:
    """The text of a file; never waits for a pipe or device, which may have nothing to say.

    Raises ConfigErrors when there is none that could be read.
    """
    try:
        raw = _read(file, most_bytes + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        remedy = "Check the path and the file's permissions"
        raise _error(file, TOP, f"the file cannot be read: {reason}", remedy) from None
    if len(raw) > most_bytes:
        what = f"the file is larger than {most_bytes // 1024} KiB"
        raise _error(file, TOP, what, "This is not a configuration; check the path")
    return _decoded(file, raw)


def _read(file: Path, most_bytes: int) -> bytes:
    """Raises OSError, ValueError."""
    with open(file, "rb", opener=_without_waiting) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise ValueError("it is a pipe or a device")
        return opened.read(most_bytes)


def _without_waiting(file: str, flags: int) -> int:
    return os.open(file, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _decoded(file: Path, raw: bytes) -> str:
    zero = raw.find(b"\0")
    if zero >= 0:
        place = Place(raw.count(b"\n", 0, zero) + 1, 1)
        raise _error(file, place, "this is a binary file", "Give a YAML text file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(raw.count(b"\n", 0, error.start) + 1, 1)
        remedy = "Save the file as UTF-8"
    raise _error(file, place, "the file is not UTF-8 text", remedy)


def _error(file: Path, place: Place, what: str, remedy: str) -> ConfigErrors:
    return ConfigErrors([Problem(str(file), place.line, place.column, "file", what, remedy)])
