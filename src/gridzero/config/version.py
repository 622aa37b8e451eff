"""Which version of the file's format a configuration is written in, and what changed between them.

A file without ``version`` counts as the oldest. A step changes only what it finds, so a file that
was written for today's keys is good without one. Adding a step: docs/decisions/0012.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from gridzero.config.document import Document
from gridzero.config.problems import Notes, Path, Place

KEY: Final = "version"
_FOUND_BY_ITSELF: Final = "the control law finds this by itself"


class Gone(NamedTuple):
    """A setting that this version no longer has. why: what does its work now."""

    path: Path
    why: str


class Renamed(NamedTuple):
    """A setting that is called otherwise now, in the same section."""

    path: Path
    to: str

    @property
    def new_path(self) -> Path:
        """Where its value is now."""
        return (*self.path[:-1], self.to)


Row = Gone | Renamed
Steps = tuple[tuple[Row, ...], ...]

STEPS: Final[Steps] = (
    (
        Gone(("control", "filter"), _FOUND_BY_ITSELF),
        Gone(("control", "zero_cross_hold_s"), _FOUND_BY_ITSELF),
    ),
)
"""Step N brings a file of version N to N + 1."""

VERSION: Final = len(STEPS)

GONE: Final = {row.path: row.why for step in STEPS for row in step if isinstance(row, Gone)}


def version_of(document: Document, steps: Steps = STEPS) -> int:
    """What the file says; 0 where it says nothing, the newest where the model will complain."""
    said = document.get((KEY,))
    if said is None:
        return 0
    is_number = isinstance(said, int) and not isinstance(said, bool)
    return said if is_number and said > 0 else len(steps)


def refuse_newer(document: Document, notes: Notes, steps: Steps = STEPS) -> None:
    """Raises ConfigErrors for a file of a newer version.

    With that alone: what this version does not know of it need not be a mistake.
    """
    version = version_of(document, steps)
    if version <= len(steps):
        return
    notes.problems.clear()
    what = f"the file is of version {version}, this gridzero knows {len(steps)}"
    remedy = "Install the gridzero that it was written for, or take an older copy of the file"
    notes.tell(document.place((KEY,)), (KEY,), what, remedy)
    notes.raise_if_any()


def outdated(document: Document, step: Iterable[Row]) -> list[Row]:
    """What of a step this document has, in the order of its rows."""
    return [row for row in step if has(document, row.path)]


def has(document: Document, path: Path) -> bool:
    """Whether the file has that key."""
    section = document.get(path[:-1])
    return isinstance(section, dict) and path[-1] in section


def modernise(document: Document, notes: Notes, steps: Steps = STEPS) -> None:
    """Bring a document to the newest version in memory.

    Each change is a warning with the line of the file. A setting that stands there under its old
    and its new name is a problem: nobody can say which of the two counts.
    """
    for step in steps[version_of(document, steps) :]:
        for row in outdated(document, step):
            place: Place = document.keys.get(row.path, document.place(row.path))
            remedy = f"Run: gridzero migrate {notes.file} --write"
            if isinstance(row, Gone):
                del document.get(row.path[:-1])[row.path[-1]]
                what = f"this setting is gone and counts for nothing: {row.why}"
                notes.warn(place, row.path, what, remedy)
            elif has(document, row.new_path):
                what = f"this setting is called {row.to} now, which stands here, too"
                notes.tell(place, row.path, what, "Delete one of the two")
                del document.get(row.path[:-1])[row.path[-1]]
            else:
                document.rename(row.path, row.to)
                notes.warn(place, row.path, f"this setting is called {row.to} now", remedy)
