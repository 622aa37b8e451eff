"""Energy and money since ever and by local day, kept over restarts.

Whoever reads a counter must never see it run backwards, not even when the process is killed. So
only what certainly is in the file is shown: what is counted after the last save is shown with the
next one, and a killed process takes with it at most a minute that nobody has seen.

The file of the counters is small and written once a minute. What was counted on the days before
is in a second file, which is written once a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, tzinfo
from math import floor
from typing import Any, NamedTuple

import structlog

from gridzero.control.energy import Energy
from gridzero.domain.days import day_of
from gridzero.domain.decision import Work
from gridzero.domain.energy import Counted, Money
from gridzero.domain.events import Severity
from gridzero.ports.clock import Clock
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import ConfirmingStore, Store, StoreDamaged

log = structlog.get_logger()

VERSION = 1
DAYS = 400
RECENT = 2  # days in the file that is written each minute; more while a clock was ahead
HOURS_OF, STARTS_OF = "hours of ", "starts of "
_COLLECT_S = 5.0
_SAVE_S = 60.0  # memory cards wear
_MOST_KEYS = 200
_LARGEST = 1e12
_MONEY = frozenset(money.value for money in Money)
_DC = frozenset({Counted.DC_IN, Counted.DC_OUT})

Tally = dict[str, float]
"""Counts and amounts by their keys: Counted, Money, and "hours of NAME", "starts of NAME"."""


class Shown(NamedTuple):
    """What is stored, and so may be shown.

    day: the local day of that moment, None while the clock is wrong. days: by ISO date, the one of
    day included; the newest ones first.
    """

    utc_s: float
    total: Mapping[str, float]
    day: date | None
    days: Mapping[str, Mapping[str, float]]


class EnergyMemory:
    """Takes what Energy adds up, by days, and says what may be shown of it.

    work: hours and starts of each converter since the start. zone: None = that of the machine.
    """

    def __init__(
        self,
        energy: Energy,
        store: ConfirmingStore,
        days_store: Store,
        faults: FaultBook,
        clock: Clock,
        *,
        work: Callable[[], Mapping[str, Work]] = dict,
        utc_s: Callable[[], float] = time.time,
        zone: tzinfo | None = None,
    ) -> None:
        self._energy, self._work = energy, work
        self._store, self._days_store, self._faults = store, days_store, faults
        self._clock, self._utc_s, self._zone = clock, utc_s, zone
        self._total: Tally = {}
        self._days: dict[str, Tally] = {}
        self._taken: Tally = {}
        self._day: date | None = None
        self._archived: frozenset[str] = frozenset()
        self.shown: Shown | None = None
        self._restore()
        store.on_stored(self._on_stored)

    async def run(self) -> None:
        """Take every few seconds, save every minute and when a day begins, until cancelled."""
        saved_s = float("-inf")
        while True:
            is_new_day = self.collect()
            if is_new_day or self._clock.now_s() - saved_s >= _SAVE_S:
                saved_s = self._clock.now_s()
                self._write()
            await self._clock.sleep_s(_COLLECT_S)

    def save(self) -> None:
        """Store what is known now."""
        self.collect()
        self._write()

    def collect(self) -> bool:
        """Count what was added up since the last time; returns whether a local day has begun."""
        before, self._day = self._day, day_of(self._utc_s(), self._zone)
        tallies = [self._total]
        if self._day is not None:
            tallies.append(self._days.setdefault(self._day.isoformat(), {}))
        for key, value in self._sums():
            more = value - self._taken.get(key, 0.0)
            self._taken[key] = value
            for tally in tallies:
                tally[key] = tally.get(key, 0.0) + (more if key in _MONEY else max(0.0, more))
        self._prune()
        return before is not None and before != self._day

    def _sums(self) -> Iterator[tuple[str, float]]:
        """Since the start of the process; what cannot be known here is left out."""
        energy = self._energy
        for counted, value in energy.sums.items():
            if energy.knows_dc or counted not in _DC:
                yield counted.value, value
        if energy.knows_prices:
            for money, ct in energy.money.items():
                yield money.value, ct
        for name, work in self._work().items():
            yield HOURS_OF + name, work.hours
            yield STARTS_OF + name, float(work.starts)

    def _prune(self) -> None:
        for day in sorted(self._days)[:-DAYS]:
            del self._days[day]

    def _write(self) -> None:
        energy, recent = self._energy, self._recent()
        self._store.save(
            {
                "version": VERSION,
                "utc_s": round(self._utc_s(), 1),
                "day": self._day.isoformat() if self._day else None,
                "total": _stored(self._total),
                "days": {day: _stored(self._days[day]) for day in recent},
                "meter": {
                    "import_kwh": energy.grid_import.base_kwh,
                    "export_kwh": energy.grid_export.base_kwh,
                },
            }
        )
        self._archive()

    def _recent(self) -> list[str]:
        """The newest days by this clock, and the newest of all: it may have been another."""
        days = sorted(self._days)
        come = [day for day in days if self._day is None or day <= self._day.isoformat()]
        return sorted({*come[-RECENT:], *days[-RECENT:]})

    def _archive(self) -> None:
        """All days but today, whenever one more is over; also those of a clock that was ahead."""
        today = self._day.isoformat() if self._day else ""
        if any(day < today and day not in self._archived for day in self._days):
            days = {day: _stored(tally) for day, tally in self._days.items() if day != today}
            self._archived = frozenset(days)
            self._days_store.save({"version": VERSION, "days": days})

    def _on_stored(self, stored: Mapping[str, Any]) -> None:
        """Days that are over do not change any more, whichever file they are in."""
        days = self._days | stored["days"]
        self.shown = Shown(
            stored["utc_s"], stored["total"], _date(stored["day"]), _newest_first(days)
        )

    def _restore(self) -> None:
        days = self._load(self._days_store, "days")
        self._days = _days(days.get("days"))
        self._archived = frozenset(self._days)
        stored = self._load(self._store, "counters")
        if not stored:
            return
        self._total = _tally(stored.get("total"))
        self._days |= _days(stored.get("days"))
        known_s = _number(stored.get("utc_s")) or 0.0
        self._restore_meter(stored.get("meter"), known_s)
        self.shown = Shown(
            known_s,
            dict(self._total),
            _date(stored.get("day")),
            _newest_first({day: dict(tally) for day, tally in self._days.items()}),
        )

    def _restore_meter(self, meter: Any, stored_s: float) -> None:
        """What the meter has counted since then is taken once it speaks; not with a wrong clock."""
        now_s = self._utc_s()
        if not isinstance(meter, dict) or day_of(now_s) is None or day_of(stored_s) is None:
            return
        energy, age_s = self._energy, now_s - stored_s
        for key, counter in (
            ("import_kwh", energy.grid_import),
            ("export_kwh", energy.grid_export),
        ):
            base_kwh = _number(meter.get(key))
            if base_kwh is not None:
                counter.restore(base_kwh, age_s, self._clock.now_s())

    def _load(self, store: Store, subject: str) -> dict[str, Any]:
        """What is stored; {} where there is nothing that can be used, which is told and kept."""
        try:
            stored = store.load()
        except StoreDamaged as error:
            return self._lose(store, subject, str(error))
        if stored and stored.get("version") != VERSION:
            version = str(stored.get("version"))[:20]
            return self._lose(store, subject, f"it is of version {version}, this is {VERSION}")
        return stored

    def _lose(self, store: Store, subject: str, why: str) -> dict[str, Any]:
        store.put_aside()
        text = f"what was stored of the energy {subject} cannot be used: {why}; it is kept aside"
        self._faults.tell("energy_lost", subject, text, Severity.WARNING)
        return {}


def _stored(tally: Mapping[str, float]) -> Tally:
    """Rounded down, so that no counter is higher in the file than it is."""
    return {
        key: round(value, 4) if key in _MONEY else _rounded_down(value)
        for key, value in tally.items()
    }


def _rounded_down(value: float) -> float:
    """To 0.001 Wh; what was rounded already stays what it is."""
    return floor(value * 1e6 + 1e-3) / 1e6


def _newest_first(days: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    return {day: days[day] for day in sorted(days, reverse=True)}


def _days(stored: Any) -> dict[str, Tally]:
    if not isinstance(stored, dict):
        return {}
    named = {day: _tally(tally) for day, tally in stored.items() if _date(day) is not None}
    return {day: named[day] for day in sorted(named)[-DAYS:]}


def _tally(stored: Any) -> Tally:
    """What of it can be; the rest is left out, and said."""
    if not isinstance(stored, dict):
        return {}
    numbers = {key: _number(value) for key, value in stored.items()}
    fitting = {
        key: number
        for key, number in numbers.items()
        if number is not None and (number >= 0.0 or key in _MONEY)
    }
    if dropped := sorted(stored.keys() - fitting.keys()):
        log.warning("energy.dropped", keys=dropped[:10], why="it cannot be")
    return dict(list(fitting.items())[:_MOST_KEYS])


def _number(value: Any) -> float | None:
    """A finite number of a size that can be, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _LARGEST else None


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
