"""Settings that people change while gridzero runs, kept over restarts."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import structlog

from gridzero.domain.modes import Mode, Wanted
from gridzero.errors import GridzeroError

log = structlog.get_logger()

_MAX_POWER_W = 20_000.0
_MAX_TARGET_W = 2_000.0


class SettingRefused(GridzeroError):
    """A setting that cannot be taken; the old one stays."""


class Store(Protocol):
    """Where settings survive."""

    def load(self) -> dict[str, Any]:
        """What was stored, {} when there is nothing usable."""
        ...

    def save(self, values: dict[str, Any]) -> None:
        """Store soon; never raises, never blocks the loop."""
        ...


class MemoryStore:
    """For simulations: forgets with the process."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def load(self) -> dict[str, Any]:
        """See Store."""
        return dict(self.values)

    def save(self, values: dict[str, Any]) -> None:
        """See Store."""
        self.values = dict(values)


class FileStore:
    """One small JSON file, replaced as a whole so that a power cut leaves the old or the new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest: dict[str, Any] = {}
        self._turn = threading.Lock()

    def load(self) -> dict[str, Any]:
        """See Store. A damaged file is reported and counts as empty."""
        try:
            values = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("settings.unreadable", file=str(self._path), error=str(error))
            return {}
        return values if isinstance(values, dict) else {}

    def save(self, values: dict[str, Any]) -> None:
        """See Store. Written by a worker thread: an SD card may take half a second."""
        self._newest = dict(values)
        asyncio.get_running_loop().run_in_executor(None, self._write_newest)

    def _write_newest(self) -> None:
        """One at a time, and never an older one last: worker threads overtake each other."""
        with self._turn:
            self._write(self._newest)

    def _write(self, values: dict[str, Any]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w") as file:
                json.dump(values, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            log.error("settings.not_saved", file=str(self._path), error=str(error))


class Settings:
    """The present wishes of the owner; every change is checked, stored and said."""

    def __init__(self, default: Wanted, store: Store) -> None:
        self._store = store
        self._listeners: list[Callable[[Wanted], None]] = []
        self.wanted = _restored(default, store.load())

    def on_change(self, listener: Callable[[Wanted], None]) -> None:
        """Tell listener each accepted change."""
        self._listeners.append(listener)

    def change(
        self,
        *,
        mode: str | None = None,
        power_w: float | str | None = None,
        target_w: float | str | None = None,
    ) -> Wanted:
        """Take new values for those given. Raises SettingRefused with the reason."""
        wanted = self.wanted
        if mode is not None:
            wanted = replace(wanted, mode=_mode(mode))
        if power_w is not None:
            wanted = replace(wanted, power_w=_number("power_w", power_w, 0.0, _MAX_POWER_W))
        if target_w is not None:
            bound_w = _MAX_TARGET_W
            wanted = replace(wanted, target_w=_number("target_w", target_w, -bound_w, bound_w))
        self.wanted = wanted
        self._store.save(asdict(wanted))
        log.info(
            "settings.changed",
            mode=wanted.mode.value,
            power_w=wanted.power_w,
            target_w=wanted.target_w,
        )
        for listener in self._listeners:
            listener(wanted)
        return wanted


def _mode(text: str) -> Mode:
    try:
        return Mode(text.strip().lower())
    except ValueError:
        known = ", ".join(Mode)
        raise SettingRefused(
            f"there is no mode {text[:40]!r}", where="mode", remedy=f"Use one of {known}"
        ) from None


def _number(name: str, value: float | str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not (isfinite(number) and low <= number <= high):
        raise SettingRefused(
            f"{str(value)[:40]!r} is not a number from {low:g} to {high:g}",
            where=name,
            remedy="The old value stays",
        )
    return number


def _restored(default: Wanted, stored: dict[str, Any]) -> Wanted:
    """Stored values over the defaults; one that no longer fits falls back to its default."""
    wanted = default
    checks: dict[str, Callable[[Any], Any]] = {
        "mode": lambda v: _mode(str(v)),
        "power_w": lambda v: _number("power_w", v, 0.0, _MAX_POWER_W),
        "target_w": lambda v: _number("target_w", v, -_MAX_TARGET_W, _MAX_TARGET_W),
    }
    for key, check in checks.items():
        if key in stored:
            try:
                wanted = replace(wanted, **{key: check(stored[key])})
            except (SettingRefused, TypeError) as error:
                log.warning("settings.dropped", key=key, error=str(error))
    return wanted
