"""The file that a commissioning leaves behind, so that it can be gone on with another day."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from gridzero.commission.result import Kept, Result
from gridzero.errors import ConfigError

VERSION = 1


class KeptResults:
    """Results by the key of their line; each is on the disk before the next line begins."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError where the file is of another kind or cannot be read."""
        self.file = file
        self.results: dict[str, Kept] = _read(file)

    def prepare(self) -> None:
        """See that it can be written before anything is done. Raises ConfigError."""
        self._write()

    def note(self, key: str, result: Result) -> Kept:
        """Keep it. Raises ConfigError where the file cannot be written."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.results[key] = Kept(at, result)
        self._write()
        return self.results[key]

    def _write(self) -> None:
        """As a whole: a power cut leaves the old one or the new one."""
        values = {
            "version": VERSION,
            "results": {key: kept.as_json() for key, kept in self.results.items()},
        }
        new = self.file.with_name(self.file.name + ".new")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with new.open("w", encoding="utf-8") as handle:
                handle.write(json.dumps(values, indent=1, ensure_ascii=False) + "\n")
                handle.flush()
                os.fsync(handle.fileno())
            new.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise ConfigError(
                f"the results cannot be written: {error.strerror}",
                where=str(self.file),
                remedy="Name a place that you may write to with --kept FILE",
            ) from None


def _read(file: Path) -> dict[str, Kept]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return _results(told)
    except FileNotFoundError:
        return {}
    except OSError as error:
        why = str(error.strerror)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        why = "it is no list of results, or one of a newer gridzero"
    raise ConfigError(
        f"the results of an earlier day cannot be read: {why}",
        where=str(file),
        remedy="Move it away to begin anew, or name another file with --kept FILE",
    )


def _results(told: Mapping[str, object]) -> dict[str, Kept]:
    if told["version"] != VERSION or not isinstance(told["results"], dict):
        raise ValueError(VERSION)
    return {str(key)[:40]: Kept.of_json(one) for key, one in told["results"].items()}
