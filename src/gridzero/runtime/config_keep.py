"""What is kept of configurations, in ``config`` in the state folder.

last-good.yaml  the text of the last one that proved itself, as it was written: ``!secret`` stays
probation.json  how often one that has not proved itself was started, and what a person said to it
running.json    which one runs, for ``gridzero check``
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from gridzero import __version__
from gridzero.config.files import MOST_BYTES, read_text, real_path
from gridzero.errors import ConfigError
from gridzero.whole_files import NotWritten, replace_whole

log = structlog.get_logger()

_SHOWN = 8
_HEAD = "# gridzero keeps this copy: the last good configuration of "
_MOST_BYTES = MOST_BYTES + 8192  # with its first line
_MODE = 0o600  # a person may have written a password into it


def fingerprint(text: str) -> str:
    """Tells texts apart."""
    return hashlib.sha256(text.encode()).hexdigest()


def shown_fingerprint(text: str) -> str:
    """The same for people."""
    return fingerprint(text)[:_SHOWN]


def utc_now() -> str:
    """ISO 8601, whole seconds."""
    return datetime.fromtimestamp(int(time.time()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Good(NamedTuple):
    """A configuration that proved itself. utc: when, ISO 8601."""

    text: str
    utc: str


class Probation(NamedTuple):
    """Of a text that has not proved itself.

    starts: without an orderly end. is_accepted: a person took the other one.
    """

    starts: int = 0
    is_accepted: bool = False


class ConfigKeep:
    """Keeps them for one configuration file. Blocks; a running loop leaves it to a thread."""

    def __init__(self, state_dir: Path, file: Path) -> None:
        self.state_dir = state_dir
        self._folder, self._file = state_dir / "config", str(real_path(file))
        self._good = self._folder / "last-good.yaml"
        self._probation = self._folder / "probation.json"
        self._running = self._folder / "running.json"
        self._turn = threading.Lock()
        self._said: dict[str, Any] | None = None
        self.trouble = ""
        """Why nothing is kept, in words; "" while it is."""

    def good(self) -> Good | None:
        """The last good one of this file; None when there is none, or it cannot be read."""
        try:
            head, _, text = read_text(self._good, _MOST_BYTES).partition("\n")
        except ConfigError:
            return None
        of, _, utc = head.removeprefix(_HEAD).rpartition(", ")
        return Good(text, utc) if head.startswith(_HEAD) and of == self._file else None

    def save_good(self, text: str) -> bool:
        """Keep this one as the last good; it is no longer on probation."""
        if not self._write(self._good, f"{_HEAD}{self._file}, {utc_now()}\n{text}"):
            return False
        with suppress(OSError):
            self._probation.unlink(missing_ok=True)
        return True

    def probation(self, text: str) -> Probation:
        """What happened to this text so far; with another gridzero it begins anew."""
        values = _object(self._probation)
        if values.get("of") != _of(text):
            return Probation()
        starts, is_accepted = values.get("starts"), values.get("accepted") is True
        return Probation(starts if isinstance(starts, int) else 0, is_accepted)

    def note(self, text: str, probation: Probation) -> None:
        """Remember that of this text."""
        values = {"of": _of(text), "starts": probation.starts, "accepted": probation.is_accepted}
        self._write(self._probation, json.dumps(values))

    def running(self) -> dict[str, Any]:
        """What was last said of the one that runs; {} where none does, or with another file."""
        values = _object(self._running)
        is_ours = values.get("file") == self._file and _lives(values)
        return values if is_ours else {}

    def say_running(self, values: dict[str, Any]) -> None:
        """Say which one runs. Written only where it is news: each write wears the card."""
        own = {"file": self._file, "pid": os.getpid(), "begun": _begun(os.getpid())}
        said = {**values, **own}
        if said != self._said:
            self._said = said if self._write(self._running, json.dumps(said)) else None

    def _write(self, path: Path, text: str) -> bool:
        try:
            with self._turn:  # threads of a loop
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_whole(path, text.encode(), _MODE)
        except (OSError, NotWritten) as error:
            if not self.trouble:
                log.warning("config.not_kept", file=str(path), error=str(error))
            self.trouble = f"{path} cannot be written: {error}"
            return False
        self.trouble = ""
        return True


def _of(text: str) -> str:
    return f"{fingerprint(text)} {__version__}"


def _lives(said: Mapping[str, Any]) -> bool:
    """A number alone says nothing: each container has a process 1, and so has each start."""
    pid, begun = said.get("pid"), said.get("begun")
    return isinstance(pid, int) and begun is not None and begun == _begun(pid)


def _begun(pid: int) -> int | None:
    """When a process began, in the kernel's ticks since the machine did (proc_pid_stat(5), 22)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(read_text(path))
    except (ConfigError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
