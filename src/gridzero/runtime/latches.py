"""Faults that wait for a person, kept over restarts, kill -9 and power cuts.

Stored when they are raised, not when they end: the process may be killed while the cause lasts.
Written by a worker thread within about half a second; a cut inside that time loses the note, and
the cause, if it lasts, raises the fault again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridzero.domain.faults import FAULTS
from gridzero.runtime.stores import Store, StoreDamaged

Key = tuple[str, str]
"""Code and subject of a fault."""

_VERSION = 1


class Latches:
    """The stored side of the fault book."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._saved: dict[Key, str] | None = None

    def load(self) -> tuple[dict[Key, str], str]:
        """What an earlier life left: text by (code, subject), and "" or what cannot be read.

        What cannot be read in full is put aside for a person to look at; what could be read of
        it is returned all the same.
        """
        try:
            stored = self._store.load()
            left, lost = _read(stored)
        except StoreDamaged as error:
            left, lost = {}, error.what
        if lost:
            self._store.put_aside()
        else:
            self._saved = dict(left)
        return left, lost

    def save(self, latched: Mapping[Key, str]) -> None:
        """Store what latches now; nothing is written when nothing changed."""
        if latched == (self._saved or {}):
            return
        self._saved = dict(latched)
        rows = [{"code": c, "subject": s, "text": text} for (c, s), text in latched.items()]
        self._store.save({"version": _VERSION, "latched": rows})


def _read(stored: dict[str, Any]) -> tuple[dict[Key, str], str]:
    if not stored:
        return {}, ""
    rows, version = stored.get("latched"), stored.get("version")
    if version != _VERSION or not isinstance(rows, list):
        return {}, f"the latched faults were written by another version ({str(version)[:20]})"
    left: dict[Key, str] = {}
    odd = 0
    for row in rows:
        match row:
            case {"code": str(code), "subject": str(subject), "text": str(text)} if code in FAULTS:
                left[code, subject] = text
            case _:
                odd += 1
    return (
        left,
        f"{odd} latched faults are of a kind that this version does not know" if odd else "",
    )
