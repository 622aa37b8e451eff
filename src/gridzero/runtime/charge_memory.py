"""The charge of each cell, stored whenever it has moved: a killed process loses next to nothing.

What ageing and balancing have learned changes over days and is stored every few minutes
(``battery_memory``). Charge does not wait: at 50 A nine modules of 25 Ah move by 1.85 % in five
minutes. So it has a small file of its own, written when a module has moved by 0.02 %: at full power
every three seconds, on a quiet night hardly ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import structlog

from gridzero.ports.clock import Clock
from gridzero.runtime.stores import Store, StoreDamaged

log = structlog.get_logger()

VERSION = 1
MOVED_SOC = 0.0002
LOOK_S = 1.0


class Charged(Protocol):
    """What knows the charge of its cells."""

    def charge_to_dict(self) -> dict[str, Any]:
        """Plain values: ``modules`` by name, each with ``cells``, rows that begin with the soc."""
        ...


class Kept(NamedTuple):
    """What an earlier life left. saves: after how many saves of the rest; utc_s: as written."""

    charge: dict[str, Any]
    saves: int
    utc_s: Any


class ChargeMemory:
    """Saves often, but never for nothing."""

    def __init__(
        self,
        part: Charged,
        store: Store,
        clock: Clock,
        utc_s: Callable[[], float] = time.time,
    ) -> None:
        self._part, self._store, self._clock, self._utc_s = part, store, clock, utc_s
        self._saved: Mapping[str, float] = {}

    async def run(self, saves: Callable[[], int]) -> None:
        """Look once a second, until cancelled. saves: how often the rest was stored."""
        while True:
            await self._clock.sleep_s(LOOK_S)
            charge = self._part.charge_to_dict()
            if self._has_moved(_means(charge)):
                self._write(charge, saves())

    def save(self, saves: int) -> None:
        """Store what is known now, if anything is."""
        charge = self._part.charge_to_dict()
        if _means(charge):
            self._write(charge, saves)

    def load(self) -> Kept | None:
        """What was stored, None where there is nothing that can be used.

        A file that cannot be read is kept aside: the charge in ``battery.json`` counts instead.
        """
        try:
            stored = self._store.load()
        except StoreDamaged as error:
            self._drop(str(error))
            return None
        match stored:
            case {"version": 1, "charge": dict(charge), "saves": int(saves)}:
                return Kept(charge, saves, stored.get("utc_s"))
        if stored:
            self._drop("it was written by another version")
        return None

    def _drop(self, why: str) -> None:
        self._store.put_aside()
        log.warning("charge.dropped", why=why, instead="the charge in battery.json")

    def _write(self, charge: dict[str, Any], saves: int) -> None:
        self._saved = _means(charge)
        utc_s = round(self._utc_s(), 1)
        self._store.save({"version": VERSION, "utc_s": utc_s, "saves": saves, "charge": charge})

    def _has_moved(self, means: Mapping[str, float]) -> bool:
        if not means:  # nothing is known yet: what an earlier life stored is better
            return False
        if means.keys() != self._saved.keys():
            return True
        return any(abs(means[name] - self._saved[name]) >= MOVED_SOC for name in means)


def _means(charge: Mapping[str, Any]) -> dict[str, float]:
    """Mean state of charge by module, 0..1."""
    return {
        name: sum(row[0] for row in module["cells"]) / len(module["cells"])
        for name, module in charge.get("modules", {}).items()
    }
