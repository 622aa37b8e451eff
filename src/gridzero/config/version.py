"""Which version of the file's format a configuration is written in, and what changed between them.

A file without ``version`` counts as the oldest. A step changes only what it finds, so a file that
was written for today's keys is good without one. Adding a step: docs/decisions/0012.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from gridzero.config.problems import Notes, Path, Place
from gridzero.config.yaml_lines import Document

KEY: Final = "version"
_FOUND_BY_ITSELF: Final = "the control law finds this by itself"


class Gone(NamedTuple):
    """A setting that this version no longer has. why: what does its work now."""

    path: Path
    why: str


STEPS: Final[tuple[tuple[Gone, ...], ...]] = (
    (
        Gone(("control", "filter"), _FOUND_BY_ITSELF),
        Gone(("control", "zero_cross_hold_s"), _FOUND_BY_ITSELF),
    ),
)
"""Step N brings a file of version N to N + 1."""

VERSION: Final = len(STEPS)

GONE: Final = {gone.path: gone.why for step in STEPS for gone in step}


def version_of(document: Document) -> int:
    """What the file says; 0 where it says nothing, VERSION where the model will complain."""
    said = document.get((KEY,))
    if said is None:
        return 0
    is_number = isinstance(said, int) and not isinstance(said, bool)
    return said if is_number and said > 0 else VERSION


def refuse_newer(document: Document, notes: Notes) -> None:
    """Raises ConfigErrors for a file of a newer version.

    With that alone: what this version does not know of it need not be a mistake.
    """
    version = version_of(document)
    if version <= VERSION:
        return
    notes.problems.clear()
    what = f"the file is of version {version}, this gridzero knows {VERSION}"
    remedy = "Install the gridzero that it was written for, or take an older copy of the file"
    notes.tell(document.place((KEY,)), (KEY,), what, remedy)
    notes.raise_if_any()


def outdated(document: Document) -> Iterator[Gone]:
    """What of an older file this version no longer has, in the order of the steps."""
    for step in STEPS[version_of(document) :]:
        yield from (gone for gone in step if has(document, gone.path))


def has(document: Document, path: Path) -> bool:
    """Whether the file has that key."""
    section = document.get(path[:-1])
    return isinstance(section, dict) and path[-1] in section


def modernise(document: Document, notes: Notes) -> None:
    """Bring a document to VERSION in memory; each change is a warning with the line of the file."""
    for gone in list(outdated(document)):
        place: Place = document.keys.get(gone.path, document.place(gone.path))
        del document.get(gone.path[:-1])[gone.path[-1]]
        what = f"this setting is gone and counts for nothing: {gone.why}"
        notes.warn(place, gone.path, what, f"Run: gridzero migrate {notes.file} --write")
