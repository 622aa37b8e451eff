"""What energy is worth in this house: prices, and where the state of charge is heading.

Inside, moments are seconds of the monotonic clock. The store holds them in UTC, because that clock
begins anew with each boot; a clock that was not set yet (1970), or that ran backwards, makes the
stored moments meaningless, and they are dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import isfinite
from typing import Any

import structlog

from gridzero.control.outlook import OutlookWatch
from gridzero.domain.decision import Decision
from gridzero.domain.events import Severity
from gridzero.domain.snapshot import Snapshot
from gridzero.domain.value import Outlook, Prices
from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.settings import SettingRefused
from gridzero.runtime.stores import Store, StoreDamaged

log = structlog.get_logger()

_SAVE_S = 3600.0  # memory cards wear
_AHEAD_S = 600.0  # a stored moment may be so far in the future, as clocks are set
_PRICE_STALE_S = 2 * 3600.0
_LARGEST_CT = 1000.0
_CLOCK_SET_S = 1_700_000_000.0  # November 2023: before that nobody has set the clock


class Market:
    """Prices of now and the outlook. Without a Market there are neither.

    fixed: the prices that hold wherever no fresh one came by MQTT.
    """

    def __init__(
        self,
        fixed: Prices,
        store: Store,
        faults: FaultBook,
        clock: Clock,
        utc_s: Callable[[], float] = time.time,
    ) -> None:
        self._fixed, self._live = fixed, dict[str, tuple[float, float]]()
        self._store, self._clock, self._utc_s = store, clock, utc_s
        self._watch = OutlookWatch()
        self._stored: dict[str, Any] = {}
        self._restore(faults)
        self._saved_s = self._clock.now_s()

    def prices(self) -> Prices:
        """Those of this moment: live ones for two hours, else the fixed ones."""
        if not self._live:
            return self._fixed
        now_s = self._clock.now_s()
        for name in [n for n, (_, at_s) in self._live.items() if now_s - at_s > _PRICE_STALE_S]:
            del self._live[name]
        return self._fixed._replace(**{name: price for name, (price, _) in self._live.items()})

    def fix(self, prices: Prices) -> None:
        """Other fixed prices from now on."""
        self._fixed = prices

    def forget_price(self, name: str) -> None:
        """The live price of a topic that is no longer followed."""
        self._live.pop(name, None)

    def outlook(self) -> Outlook:
        """That of this moment."""
        return self._watch.at(self._clock.now_s())

    def take_price(self, name: str, text: str) -> None:
        """A price of now, ct/kWh, name as in Prices; what is no price ends the last one."""
        try:
            price_ct = float(text)
        except ValueError:
            price_ct = float("nan")
        if isfinite(price_ct) and abs(price_ct) <= _LARGEST_CT:
            self._live[name] = price_ct, self._clock.now_s()
        else:
            self._live.pop(name, None)

    def tell_outlook(self, text: str) -> None:
        """Believe this outlook for 24 hours; "auto" = go by what the battery shows.

        Raises SettingRefused for another word; the old one stays.
        """
        word = text.strip().lower()
        if word != "auto" and word not in set(Outlook):
            known = ", ".join(("auto", *Outlook))
            raise SettingRefused(
                f"there is no outlook {text[:40]!r}", where="outlook", remedy=f"Use one of {known}"
            )
        told = None if word == "auto" else Outlook(word)
        changed = told is not self._watch.told
        self._watch.tell(told, self._clock.now_s())
        if changed:
            log.info("outlook.told", outlook=word)
            self.save()

    def note(self, now: Snapshot, decision: Decision) -> None:
        """Learn from what limited the battery."""
        self._watch.note(now.now_s, decision.charge_because, decision.discharge_because)

    async def run(self) -> None:
        """Save seldom, until cancelled."""
        while True:
            await self._clock.sleep_s(_SAVE_S)
            self.save()

    def save(self) -> None:
        """Store what is known, unless nothing is, or nobody knows what time it is."""
        utc_s = self._utc_s()
        values = self._values(utc_s - self._clock.now_s())
        if utc_s >= _CLOCK_SET_S and values != self._stored:
            self._stored = values
            self._store.save(values)

    def _values(self, ahead_s: float) -> dict[str, Any]:
        """ahead_s: UTC less the monotonic clock."""
        watch = self._watch
        told = watch.told if watch.is_told(self._clock.now_s()) else None
        moments = {
            "empty_utc_s": watch.empty_s,
            "full_utc_s": watch.full_s,
            "told_utc_s": watch.told_s if told else None,
        }
        values: dict[str, Any] = {
            name: round(at_s + ahead_s, -1) for name, at_s in moments.items() if at_s is not None
        }
        return {**values, "told": told.value} if told else values

    def _restore(self, faults: FaultBook) -> None:
        try:
            stored = self._store.load()
        except StoreDamaged as error:
            self._store.put_aside()
            faults.tell("learned_lost", "outlook", str(error), Severity.WARNING)
            return
        watch = self._watch
        watch.empty_s, watch.full_s = self._moment(stored, "empty"), self._moment(stored, "full")
        told_s, word = self._moment(stored, "told"), stored.get("told")
        if told_s is not None and word in list(Outlook):
            watch.tell(Outlook(word), told_s)
        self._stored = stored

    def _moment(self, stored: dict[str, Any], name: str) -> float | None:
        """A stored moment in seconds of the monotonic clock; None for what cannot be."""
        at_s, utc_s = stored.get(f"{name}_utc_s"), self._utc_s()
        if not isinstance(at_s, int | float) or isinstance(at_s, bool):
            return None
        if not _CLOCK_SET_S <= at_s <= utc_s + _AHEAD_S:
            log.warning("outlook.dropped", what=name, why="the clock does not fit to it")
            return None
        return self._clock.now_s() - max(0.0, utc_s - at_s)
