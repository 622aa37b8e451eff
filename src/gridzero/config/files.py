"""Reading a small text file that a person wrote."""

from __future__ import annotations

from pathlib import Path

from gridzero.config.problems import TOP, ConfigErrors, Place, Problem

MOST_BYTES = 256 * 1024


def read_text(file: Path) -> str:
    """The text of a file. Raises ConfigErrors when there is none that could be read."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        remedy = "Check the path and the file's permissions"
        raise _error(file, TOP, f"the file cannot be read: {reason}", remedy) from None
    if len(raw) > MOST_BYTES:
        what = f"the file is larger than {MOST_BYTES // 1024} KiB"
        raise _error(file, TOP, what, "This is not a configuration; check the path")
    return _decoded(file, raw)


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
