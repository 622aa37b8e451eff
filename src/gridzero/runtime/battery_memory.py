"""What is known of the battery, kept over restarts in one file with a version.

The charge of its cells is in a second one, which is written more often (``charge_memory``).

The file holds when it was written in UTC, because the monotonic clock begins anew with each boot.
Where that moment cannot be (a clock that was not set, or ran backwards), what was stored counts
as very old: it is still better than nothing, and whoever takes it widens its doubt by the age.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import isfinite
from typing import Any, Protocol

import structlog

from gridzero.ports.clock import Clock
from gridzero.runtime.charge_memory import Charged, ChargeMemory
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import Store, StoreDamaged

log = structlog.get_logger()

VERSION = 1
_SAVE_S = 300.0  # memory cards wear
_CLOCK_SET_S = 1_700_000_000.0  # November 2023: before that nobody has set the clock
_VERY_OLD_S = 30 * 86_400.0
_BACK_S = 5.0  # a clock that was just set right may have gone back by as much


class Part(Charged, Protocol):
    """Something that knows what it wants to remember."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        ...

    def restore(self, stored: dict[str, Any], age_s: float) -> list[str]:
        """Take back what fits; returns what does not and why. Never raises for its content."""
        ...

    def restore_charge(self, charge: dict[str, Any], age_s: float) -> list[str]:
        """Take back a charge that is newer than that of ``restore``, in the same manner."""
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
        charge: Store | None = None,
    ) -> None:
        """charge: where the charge is stored whenever it moves; None = only with the rest."""
        self._part, self._store, self._faults = part, store, faults
        self._clock, self._utc_s = clock, utc_s
        self._charge = ChargeMemory(part, charge, clock, utc_s) if charge is not None else None
        self._saves = 0
        self._restore()

    async def run(self) -> None:
        """Save seldom, and the charge whenever it has moved, until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._save_seldom(), name="battery memory")
            if self._charge is not None:
                keep = self._charge.run(lambda: self._saves)
                both.create_task(keep, name="charge memory")

    async def _save_seldom(self) -> None:
        while True:
            await self._clock.sleep_s(_SAVE_S)
            self.save()

    def save(self) -> None:
        """Store what is known now."""
        self._faults.set("battery_memory_lost", "battery", None)
        self._saves += 1
        if self._charge is not None:
            self._charge.save(self._saves)
        self._store.save(
            {
                "version": VERSION,
                "utc_s": round(self._utc_s()),
                "saves": self._saves,
                "battery": self._part.to_dict(),
            }
        )

    def _restore(self) -> None:
        stored = self._load()
        if stored is None:
            return
        self._saves = _count(stored.get("saves"))
        reasons = []
        known = stored.get("battery")
        if isinstance(known, dict):
            reasons += self._part.restore(known, self._age_s(stored.get("utc_s")))
        for reason in reasons + self._restore_charge():
            log.warning("battery.memory_dropped", why=reason)

    def _restore_charge(self) -> list[str]:
        """The newer charge over that of the last save.

        Saves are counted: clocks may have been wrong. Both files are written with each of them, so
        a charge that missed two has stayed behind.
        """
        if self._charge is None:
            return []
        kept = self._charge.load()
        if kept is None or kept.saves < self._saves - 1:
            return []
        return self._part.restore_charge(kept.charge, self._age_s(kept.utc_s))

    def _load(self) -> dict[str, Any] | None:
        """What is stored, {} before the first time; None when it cannot be used, which is told."""
        try:
            stored = self._store.load()
        except StoreDamaged as error:
            self._lose(str(error))
            return None
        version = stored.get("version", VERSION)
        if stored and version != VERSION:
            self._lose(
                f"the stored state of the battery is of version {version!r}, this is {VERSION}"
            )
            return None
        return stored

    def _lose(self, why: str) -> None:
        """Begin anew, keep the file for a person, and say so."""
        self._store.put_aside()
        text = f"{why}; it is kept aside, and everything is learned again"
        self._faults.set("battery_memory_lost", "battery", text)

    def _age_s(self, stored_s: Any) -> float:
        if not isinstance(stored_s, int | float) or isinstance(stored_s, bool):
            return _VERY_OLD_S
        age_s = self._utc_s() - stored_s
        if not (isfinite(age_s) and stored_s >= _CLOCK_SET_S and age_s >= -_BACK_S):
            return _VERY_OLD_S
        return max(0.0, age_s)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
