"""What survives a process: files that can be full, and that a dead process writes no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class Disk:
    """The medium: what each file holds. is_full: nothing more is written."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.is_full = False
        self.refused = 0


class DiskStore:
    """One file of a Disk as one process sees it: QuickStore and ConfirmingStore of runtime.stores.

    Values go through JSON, as through a file. is_cut: the process has been killed.
    """

    def __init__(self, disk: Disk, name: str) -> None:
        self.is_cut = False
        self._disk, self._name = disk, name
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def load(self) -> dict[str, Any]:
        """See runtime.stores.Store."""
        values: dict[str, Any] = json.loads(self._disk.files.get(self._name, "{}"))
        return values

    def save(self, values: dict[str, Any]) -> None:
        """See runtime.stores.Store. What a full disk refuses is not confirmed."""
        if self.is_cut:
            return
        if self._disk.is_full:
            self._disk.refused += 1
            return
        self._disk.files[self._name] = json.dumps(values)
        for listener in self._listeners:
            listener(values)

    def note(self, values: dict[str, Any]) -> None:
        """See runtime.stores.QuickStore."""
        self.save(values)

    def when_kept(self, then: Callable[[], None]) -> None:
        """See runtime.stores.QuickStore; on a full disk nothing is."""
        if not (self.is_cut or self._disk.is_full):
            then()

    def put_aside(self) -> None:
        """See runtime.stores.Store: there is always something that can be read."""

    def on_stored(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """See runtime.stores.ConfirmingStore."""
        self._listeners.append(listener)
