"""What is known of the battery, kept over restarts in one file with a version.

The file holds when it was written in UTC, because the monotonic clock begins anew with each boot.
Where that moment cannot be (a clock that was not set, or ran backwards), what was stored counts
as very old: it is still better than nothing, and whoever takes it widens its doubt by the age.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import isfinite
from typing import Any, Protocol

import structlog

from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import Store, StoreDamaged

log = structlog.get_logger()

VERSION = 1
_SAVE_S = 300.0  # memory cards wear
_CLOCK_SET_S = 1_700_000_000.0  # November 2023: before that nobody has set the clock
_VERY_OLD_S = 30 * 86_400.0


class Part(Protocol):
    """Something that knows what it wants to remember."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        ...

    def restore(self, stored: dict[str, Any], age_s: float) -> list[str]:
        """Take back what fits; returns what does not and why. Never raises for its content."""
        ...


class BatteryMemory:
    """Restores the battery when made, and saves it every few minutes and at the end."""

    def __init__(
        self,
        part: Part,
        store: Store,
        faults: FaultBook,
        clock: Clock,
        utc_s: Callable[[], float] = time.time,
    ) -> None:
        self._part, self._store, self._faults = part, store, faults
        self._clock, self._utc_s = clock, utc_s
        self._restore()

    async def run(self) -> None:
        """Save seldom, until cancelled."""
        while True:
            await self._clock.sleep_s(_SAVE_S)
            self.save()

    def save(self) -> None:
        """Store what is known now."""
        self._faults.set("battery_memory_lost", "battery", None)
        known = self._part.to_dict()
        self._store.save({"version": VERSION, "utc_s": round(self._utc_s()), "battery": known})

    def _restore(self) -> None:
        try:
            stored = self._store.load()
        except StoreDamaged as error:
            self._lose(str(error))
            return
        version = stored.get("version", VERSION)
        if stored and version != VERSION:
            self._lose(
                f"the stored state of the battery is of version {version!r}, this is {VERSION}"
            )
            return
        known = stored.get("battery")
        if isinstance(known, dict):
            for reason in self._part.restore(known, self._age_s(stored.get("utc_s"))):
                log.warning("battery.memory_dropped", why=reason)

    def _lose(self, why: str) -> None:
        """Begin anew, keep the file for a person, and say so."""
        self._store.put_aside()
        text = f"{why}; it is kept aside, and everything is learned again"
        self._faults.set("battery_memory_lost", "battery", text)

    def _age_s(self, stored_s: Any) -> float:
        if not isinstance(stored_s, int | float) or isinstance(stored_s, bool):
            return _VERY_OLD_S
        age_s = self._utc_s() - stored_s
        if not (isfinite(age_s) and stored_s >= _CLOCK_SET_S and age_s >= 0.0):
            return _VERY_OLD_S
        return age_s
