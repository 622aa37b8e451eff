"""What Home Assistant was told of, over restarts: so that it can be told when that has gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import structlog

from gridzero.outputs.home_assistant.discovery import Published
from gridzero.whole_files import keep_aside

log = structlog.get_logger()

_VERSION: Final = 1


class Memory:
    """One small file of the companion, replaced as a whole.

    What cannot be read is forgotten: then what was removed meanwhile stays in Home Assistant
    until a person removes it there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.published: Published = {}
        self.subsystems: frozenset[str] = frozenset()

    def load(self) -> None:
        """Never raises."""
        try:
            values = json.loads(self._file.read_text())
            self.published, self.subsystems = _checked(values)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError) as error:
            keep_aside(self._file)
            log.warning("home_assistant.forgot", file=str(self._file), why=str(error))

    def keep(self, published: Published, subsystems: frozenset[str]) -> None:
        """Store what was told now, where it differs; never raises.

        Written at once: this is seldom, and nobody waits for this process.
        """
        if (published, subsystems) == (self.published, self.subsystems):
            return
        self.published, self.subsystems = published, subsystems
        values = {
            "version": _VERSION,
            "published": published,
            "subsystems": sorted(subsystems),
        }
        try:
            _replace(self._file, json.dumps(values))
        except OSError as error:
            log.warning("home_assistant.not_saved", file=str(self._file), why=str(error))


def _checked(values: Any) -> tuple[Published, frozenset[str]]:
    """Raises ValueError for what this version has not written."""
    if not isinstance(values, dict) or values.get("version") != _VERSION:
        raise ValueError("it is of another version")
    published, subsystems = values.get("published"), values.get("subsystems")
    tables = published.values() if isinstance(published, dict) else ("",)
    if not (isinstance(subsystems, list) and all(isinstance(table, dict) for table in tables)):
        raise ValueError("it holds something else")
    assert isinstance(published, dict)
    return published, frozenset(map(str, subsystems))


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)
