"""What was told survives a restart, so that nobody is told twice."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from gridzero.whole_files import keep_aside

log = structlog.get_logger()

VERSION = 1
_MOST_BYTES = 1 << 20


class Kept:
    """One small JSON file, replaced as a whole. What cannot be read or written is told once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_told = False
        self._turn = asyncio.Lock()

    def load(self) -> Mapping[str, Any]:
        """What was saved; {} before the first time, and where nobody can read it."""
        try:
            with self._path.open("rb") as file:
                values = json.loads(file.read(_MOST_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            self.tell_damaged(type(error).__name__)
            return {}
        if isinstance(values, dict) and values.get("version") == VERSION:
            return values
        keep_aside(self._path)
        self.tell_damaged("it is of another version, and kept aside")
        return {}

    def tell_damaged(self, why: str) -> None:
        """The file is of no use; it is replaced with the next message."""
        log.warning("alerts.forgotten", file=str(self._path), why=why)

    async def save(self, values: Mapping[str, Any]) -> None:
        """Write it in a thread; never raises for what a disk can do."""
        text = json.dumps({"version": VERSION, **values})
        async with self._turn:
            await asyncio.to_thread(self._write, text)

    def _write(self, text: str) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            if not self._is_told:
                log.error("alerts.not_saved", file=str(self._path), error=str(error))
            self._is_told = True
            with suppress(OSError):
                fresh.unlink()
        else:
            self._is_told = False
