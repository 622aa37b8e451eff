"""A file that tells whether commands are really being sent: for whoever starts and looks after us.

Docker has no notify socket. Its health check is a process of its own, so it needs something to
read; a file in memory (tmpfs) asks for no broker, no network and no wear of an SD card. The time
in it is CLOCK_MONOTONIC, which all processes of a machine share and nobody can set.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gridzero.errors import LinkError

VARIABLE = "GRIDZERO_ALIVE_FILE"
"""Names the file to both sides; the image sets it."""

SENDING = "sending"
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Sign:
    """What the file said. age_s: since it was written; state: SENDING or why not."""

    age_s: float
    state: str
    text: str

    @property
    def is_sending(self) -> bool:
        """Whether commands were decided and sent when it was written."""
        return self.state == SENDING


class AliveFile:
    """One file: time, state and words, each on a line; replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self | None:
        """None where nobody asks for one."""
        name = environ.get(VARIABLE, "")
        return cls(Path(name)) if name else None

    def write(self, state: str, text: str) -> None:
        """Say it. Raises LinkError."""
        words = " ".join(text.split())
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            fresh.write_text(f"{time.monotonic():.3f}\n{state}\n{words}\n")
            fresh.replace(self.path)
        except OSError as error:
            raise LinkError(
                f"cannot write {self.path}: {error.strerror}",
                where="watchdog",
                remedy=f"Let {VARIABLE} name a file in a folder in memory that gridzero may write",
            ) from error

    def read(self) -> Sign | None:
        """What it says; None when there is no file, or something else in it."""
        try:
            with self.path.open("rb") as file:
                lines = file.read(_LONGEST).decode(errors="replace").split("\n")
            age_s = time.monotonic() - float(lines[0])
            return Sign(age_s, lines[1], lines[2])
        except (OSError, ValueError, IndexError):
            return None
