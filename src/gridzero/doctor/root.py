"""Reads small files of a machine, below a root that may be another machine's.

Whatever comes, binary garbage included, becomes a text, None (it is not there) or Unseen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from gridzero.doctor.evidence import Unseen

_MOST_BYTES = 256 * 1024
_MOST_NAMES = 8192
_MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Root:
    """The top of a tree of files. path: ``/`` for this machine."""

    path: Path = Path("/")

    def at(self, name: str) -> Path:
        """Where an absolute path of that machine is here."""
        return self.path / name.lstrip("/")

    def name_of(self, here: Path) -> str:
        """What a path here is called on that machine."""
        inside = here.is_relative_to(self.path)
        return f"/{here.relative_to(self.path)}" if inside else str(here)

    def text(self, name: str) -> str | Unseen | None:
        """What a file says, its beginning if it is long."""
        try:
            with self.at(name).open("rb") as file:
                return file.read(_MOST_BYTES).decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            return Unseen(f"{name} cannot be read: {_words(error)}")

    def number(self, name: str) -> int | None:
        """The whole number that a file holds; None where it holds none that can be read."""
        text = self.text(name)
        try:
            return int(text.strip()[:32], 0) if isinstance(text, str) else None
        except ValueError:
            return None

    def names(self, folder: str) -> tuple[str, ...] | Unseen | None:
        """What is in a folder, sorted."""
        try:
            found = (entry.name for entry in self.at(folder).iterdir())
            return tuple(sorted(islice(found, _MOST_NAMES)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            return Unseen(f"{folder} cannot be read: {_words(error)}")

    def leads_to(self, name: str) -> str:
        """Where a link ends, as a path of that machine; the name itself where it is none."""
        here = PurePosixPath("/") / name
        for _ in range(_MOST_STEPS):
            try:
                target = self.at(str(here)).readlink()
            except (OSError, ValueError):
                break
            here = PurePosixPath(os.path.normpath(here.parent / target))
        return str(here)


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
