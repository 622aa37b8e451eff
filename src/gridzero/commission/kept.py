"""The file that a commissioning leaves behind, so that it can be gone on with another day."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gridzero.commission.result import Kept, Result
from gridzero.errors import ConfigError
from gridzero.whole_files import NotWritten, replace_whole

VERSION = 1
_MODE = 0o644


class KeptResults:
    """Results by the key of their line; each is on the disk before the next line begins."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError where the file is of another kind or cannot be read."""
        self.file = file
        self.results: dict[str, Kept] = _read(file)

    @contextmanager
    def held(self) -> Iterator[None]:
        """See that it can be written, and by nobody else, before anything is done.

        Two would move power against each other, and the later one forget what the other has found.
        The kernel lets go when the process ends. A folder that cannot be locked stops nothing.

        Raises ConfigError.
        """
        self._write()
        folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(folder, self.file)
            yield
        finally:
            os.close(folder)

    def note(self, key: str, result: Result) -> Kept:
        """Keep it. Raises ConfigError where the file cannot be written."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.results[key] = Kept(at, result)
        self._write()
        return self.results[key]

    def _write(self) -> None:
        """As a whole: a power cut leaves the old one or the new one."""
        results = {key: kept.as_json() for key, kept in self.results.items()}
        text = json.dumps({"version": VERSION, "results": results}, indent=1, ensure_ascii=False)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            replace_whole(self.file, f"{text}\n".encode(), None if self.file.exists() else _MODE)
        except (OSError, NotWritten) as error:
            why = error.what if isinstance(error, NotWritten) else f"{error.strerror}"
            raise ConfigError(
                f"the results cannot be written: {why}",
                where=str(self.file),
                remedy="Name a place that you may write to with --kept FILE",
            ) from None


def _lock(folder: int, file: Path) -> None:
    """Raises ConfigError."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(
            "another gridzero commission goes on",
            where=str(file),
            remedy="End that one first, or name a file in another folder with --kept FILE",
        ) from None
    except OSError:
        return


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
