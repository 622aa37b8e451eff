"""A full charge that a person asked for. It does not outlive the process."""

from __future__ import annotations

import structlog

from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.snapshot import Snapshot
from gridzero.ports.clock import Clock
from gridzero.runtime.setting_values import SettingRefused
from gridzero.runtime.settings import Settings

log = structlog.get_logger()

_LONGEST_S = 24 * 3600.0


class FullCharge:
    """Works in mode auto: ends when full, after a day, with another mode, or when stopped."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._until_s: float | None = None
        self._is_full = False

    @property
    def is_on(self) -> bool:
        """Whether the battery is to be charged until it is full."""
        return self._until_s is not None

    def ask(self, word: str) -> str:
        """Take start or stop; returns what was done. Raises SettingRefused with the reason."""
        word = word.strip().lower()
        if word == "start":
            return self._start()
        if word != "stop":
            raise _refused(f"{word[:40]!r} is neither start nor stop", "Send start or stop")
        if not self.is_on:
            return "no full charge was going on"
        self._end("a person stopped it")
        return "the full charge is stopped"

    def note(self, now: Snapshot) -> None:
        """Look at each tick whether it is over."""
        self._is_full = now.condition.charge is not None and now.condition.charge.is_full
        if self._until_s is None:
            return
        if self._is_full:
            self._end("the battery is full")
        elif now.now_s >= self._until_s:
            self._end("it went on for a day")
        elif why := _hindrance(now.wanted):
            self._end(why)

    def _start(self) -> str:
        if why := _hindrance(self._settings.wanted):
            raise _refused(why, "Change that first")
        if self._is_full:
            raise _refused("the battery is full", "Nothing is to be done")
        self._until_s = self._clock.now_s() + _LONGEST_S
        log.info("full_charge.started")
        return "the battery is charged until it is full, for 24 hours at most"

    def _end(self, why: str) -> None:
        self._until_s = None
        log.info("full_charge.ended", why=why)


def _hindrance(wanted: Wanted) -> str:
    """Why nothing can be charged to full, "" for nothing."""
    if wanted.maintenance:
        return "maintenance is on"
    if not wanted.allow_charge:
        return "charging is not allowed"
    return "" if wanted.mode is Mode.AUTO else f"the mode is {wanted.mode.value}, not auto"


def _refused(what: str, remedy: str) -> SettingRefused:
    return SettingRefused(what, where="full_charge", remedy=remedy)
