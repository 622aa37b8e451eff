"""What changed since a file was last replaced, safe from the end of the process but not of power.

One block beside the file, overwritten in place and not forced to the medium: whatever becomes of
the process, the kernel has it, and brings it to the card in its own time, about twice a minute. So
a program that steers every second wears no more than one that steers twice a minute. After a power
cut the block may be half written: its checksum says so, and the file itself counts.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

_MOST_BYTES = 4096  # a page of the kernel: it is written as a whole or not at all
_NOTHING = crc32(b"")


class QuickFile:
    """``settings.quick`` beside ``settings.json``. Not for two threads at once."""

    def __init__(self, main: Path) -> None:
        self._path = main.with_suffix(".quick")
        self._over = _NOTHING

    def base(self, main: bytes) -> None:
        """The file itself holds this from now on: what was written here before counts no more."""
        self._over = crc32(main)

    def load(self, main: bytes) -> dict[str, Any]:
        """What was written over this content of the file; {} when nothing valid was."""
        self.base(main)
        with suppress(OSError, ValueError, RecursionError):
            with self._path.open("rb") as file:
                line = file.read(_MOST_BYTES).partition(b"\n")[0]
            if int(line[:8], 16) == crc32(line[8:]):
                return self._of(json.loads(line[8:]))
        return {}

    def _of(self, document: Any) -> dict[str, Any]:
        match document:
            case {"over": self._over, "values": dict(values)}:
                return values
        return {}

    def write(self, values: dict[str, Any]) -> bool:
        """Whether it survives the end of the process now; False also for what is too long."""
        body = json.dumps({"over": self._over, "values": values}).encode()
        line = b"%08x%s\n" % (crc32(body), body)
        if len(line) > _MOST_BYTES:
            return False
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            return os.pwrite(handle, line, 0) == len(line)
        except OSError:
            return False
        finally:
            os.close(handle)
