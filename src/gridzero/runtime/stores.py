"""Where settings survive a restart."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog

from gridzero.errors import GridzeroError
from gridzero.runtime.quick_file import QuickFile
from gridzero.whole_files import settle

log = structlog.get_logger()

_MOST_ASIDE = 9  # a file that is damaged at every start must not fill the disk
_MOST_DIGITS = 300
_AGAIN_S = 60.0


class StoreDamaged(GridzeroError):
    """Something is stored, and nobody can read it."""


class Store(Protocol):
    """Where settings survive."""

    def load(self) -> dict[str, Any]:
        """What was stored, {} before the first time. Raises StoreDamaged when unreadable."""
        ...

    def save(self, values: dict[str, Any]) -> None:
        """Store soon; never raises, never blocks the loop."""
        ...

    def put_aside(self) -> None:
        """Keep what cannot be read under another name, for a person to look at; never raises."""
        ...


class QuickStore(Store, Protocol):
    """A store for changes that somebody is answered."""

    def note(self, values: dict[str, Any]) -> None:
        """As save(), but only so that it survives the process, not a power cut: spares the card."""
        ...

    def when_kept(self, then: Callable[[], None]) -> None:
        """Call then once all that was saved or noted until now survives the end of the process."""
        ...


class ConfirmingStore(Store, Protocol):
    """A store that says when something really is on the medium."""

    def on_stored(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """Call listener with each state that would survive from now on, oldest first."""
        ...


class MemoryStore:
    """For simulations: forgets with the process."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def load(self) -> dict[str, Any]:
        """See Store."""
        return dict(self.values)

    def save(self, values: dict[str, Any]) -> None:
        """See Store."""
        self.values = dict(values)
        for listener in self._listeners:
            listener(self.values)

    def put_aside(self) -> None:
        """See Store. What is in memory can always be read."""

    def on_stored(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """See ConfirmingStore."""
        self._listeners.append(listener)

    def note(self, values: dict[str, Any]) -> None:
        """See QuickStore."""
        self.save(values)

    def when_kept(self, then: Callable[[], None]) -> None:
        """See QuickStore."""
        then()


class _Newest(NamedTuple):
    """What is to be written. number: counts what was saved or noted. to_medium: not only noted."""

    number: int
    values: dict[str, Any]
    to_medium: bool


class FileStore:
    """One small JSON file, replaced as a whole so that a power cut leaves the old or the new."""

    def __init__(
        self,
        path: Path,
        remedy: str = "The battery rests (mode hold): set the mode again",
        version: int = 1,
        trouble: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        """remedy: what to tell the person when the file cannot be read.

        version: the newest that can be read. A file that says none is of the first.
        trouble: told in the loop why it cannot be written, and None once it could.
        """
        self._path, self._remedy, self._version = path, remedy, version
        self._trouble = trouble
        self._why = ""
        self._quick = QuickFile(path)
        self._newest = _Newest(0, {}, to_medium=False)
        self._kept = 0
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._is_due = self._is_to_retry = False
        self._turn = threading.Lock()

    def load(self) -> dict[str, Any]:
        """See Store."""
        try:
            raw = self._path.read_bytes()
            values = json.loads(raw, parse_int=_whole)
        except FileNotFoundError:
            return self._quick.load(b"")
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        except RecursionError as error:  # a process that ends here would end at every start
            raise self._damaged("it is nested too deeply") from error
        if not isinstance(values, dict):
            raise self._damaged("it holds no settings")
        version = values.get("version")
        if isinstance(version, int) and version > self._version:
            raise self._damaged(f"it is of version {version:.3g}, this is {self._version}")
        return self._quick.load(raw) or values

    def _damaged(self, why: str) -> StoreDamaged:
        return StoreDamaged(
            f"the {self._path.stem} cannot be read: {why}",
            where=str(self._path),
            remedy=self._remedy,
        )

    def put_aside(self) -> None:
        """See Store. Kept as <name>.damaged, <name>.damaged-2 and so on; the ninth is replaced."""
        aside = next(filter(_is_free, self._aside()), self._last_aside())
        with suppress(OSError):
            aside.unlink(missing_ok=True)
            try:  # a second name, not another: a crash before the next save shows it again
                aside.hardlink_to(self._path)
            except OSError:  # a file system without links
                self._path.replace(aside)

    def _aside(self) -> Iterator[Path]:
        yield self._path.with_suffix(".damaged")
        for number in range(2, _MOST_ASIDE):
            yield self._path.with_suffix(f".damaged-{number}")

    def _last_aside(self) -> Path:
        return self._path.with_suffix(f".damaged-{_MOST_ASIDE}")

    def save(self, values: dict[str, Any]) -> None:
        """See Store. Written by a worker thread: an SD card may take half a second."""
        self._take(values, to_medium=True)

    def note(self, values: dict[str, Any]) -> None:
        """See QuickStore."""
        self._take(values, to_medium=self._newest.to_medium)  # what waits for the medium goes there

    def when_kept(self, then: Callable[[], None]) -> None:
        """See QuickStore. Called in the loop; while the disk is full it waits."""
        if self._kept >= self._newest.number:
            then()
        else:
            self._waiting.append((self._newest.number, then))

    def on_stored(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """See ConfirmingStore. Called in the loop."""
        self._listeners.append(listener)

    def _take(self, values: dict[str, Any], *, to_medium: bool) -> None:
        self._newest = _Newest(self._newest.number + 1, dict(values), to_medium)
        self._write_soon(asyncio.get_running_loop())

    def _write_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_due:
            self._is_due = True
            loop.run_in_executor(None, self._write_newest, loop)

    def _write_newest(self, loop: asyncio.AbstractEventLoop) -> None:
        """One at a time, and never an older one last: worker threads overtake each other.

        What could not be written is tried again: a trip is stored once, and a disk that was full
        at that moment must not let it be forgotten.
        """
        with self._turn:
            self._is_due = False
            newest = self._newest
            is_written = self._write(newest)
            if is_written:  # within the turn: never an older one last
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(self._confirm, newest)
        if not is_written:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._retry_later, loop)

    def _retry_later(self, loop: asyncio.AbstractEventLoop) -> None:
        """Once, however many writes fail meanwhile: a full disk may stay so for days."""
        self._trouble(self._why)
        if not self._is_to_retry:
            self._is_to_retry = True
            loop.call_later(_AGAIN_S, self._retry, loop)

    def _retry(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_to_retry = False
        self._write_soon(loop)

    def _confirm(self, newest: _Newest) -> None:
        self._kept = max(self._kept, newest.number)
        self._trouble(None)
        if newest.number == self._newest.number:
            self._newest = newest._replace(to_medium=False)
        if newest.to_medium:
            for listener in self._listeners:
                listener(newest.values)
        done = [then for number, then in self._waiting if number <= self._kept]
        self._waiting = [wait for wait in self._waiting if wait[0] > self._kept]
        for then in done:
            then()

    def _write(self, newest: _Newest) -> bool:
        """Whether it is kept now."""
        if not newest.to_medium and self._quick.write(newest.values):
            return True
        return self._write_to_medium(newest.values)

    def _write_to_medium(self, values: dict[str, Any]) -> bool:
        """Whether it is on the medium now."""
        fresh = self._path.with_suffix(".new")
        raw = json.dumps(values).encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            self._quick.base(raw)
            settle(self._path.parent)
        except OSError as error:
            self._why = f"{self._path} cannot be written: {error.strerror or error}"
            log.error("store.not_saved", file=str(self._path), error=str(error))
            return False
        return True


def _whole(digits: str) -> int | float:
    """Whole numbers that no float can hold become infinite: no check of ranges may stumble."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _is_free(path: Path) -> bool:
    return not path.exists()
