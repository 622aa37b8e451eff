"""Hears the feed and keeps what the next batch will write.

Everything is kept with the monotonic time at which it came and stamped when it is written, with the
time of day that holds then: what came before a Pi without a clock had asked the network gets its
right time, and a clock that is only briefly wrong does no harm. While the time of day cannot be,
nothing is handed out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from gridzero.outputs.feed import Feed
from gridzero.outputs.history.intake import (
    Happening,
    cell_values,
    counter_values,
    happening,
    setting_change,
    setting_values,
    state_values,
)
from gridzero.outputs.history.samples import DS_PER_S, Batch, Record, Sample, Stored
from gridzero.ports.clock import Clock

EARLIEST_S: Final = 1_735_689_600.0  # 2025-01-01: before there was a history
LATEST_S: Final = 4_102_444_800.0  # 2100-01-01
MOST_SAMPLES: Final = 1200
MOST_RECORDS: Final = 400
MOST_CELLS: Final = 60

_NEAREST_S = 0.3  # states come each second; more is a flood
_HELD_S = 1.0
_LONGEST_HELD_S = 3.0
_CELLS_S = 60.0
_COUNTERS_S = 300.0
_CELLS_AT_LEAST_S = 900.0
_MOVED = {"cell": 2, "temp": 2}  # steps of the catalogue: 2 mV, 1 °C


class _Heard(NamedTuple):
    at_s: float
    held_ds: int
    values: Stored


class Ear:
    """Must be made before the feed's link runs. utc_s: the time of day, seconds since 1970."""

    def __init__(self, feed: Feed, clock: Clock, utc_s: Callable[[], float]) -> None:
        self._clock, self._utc_s = clock, utc_s
        self.dropped: Counter[str] = Counter()
        self._samples: deque[_Heard] = deque(maxlen=MOST_SAMPLES)
        self._cells: deque[_Heard] = deque(maxlen=MOST_CELLS)
        self._records: deque[tuple[float, Happening]] = deque(maxlen=MOST_RECORDS)
        self._handed: tuple[list[_Heard], list[_Heard], list[tuple[float, Happening]]]
        self._handed = [], [], []
        self._last_s = float("-inf")
        self._counters: Stored = {}
        self._counters_s = float("-inf")
        self._because: str | None = None
        self._settings: dict[str, str] | None = None
        self._last_cells = _Heard(float("-inf"), 0, {})
        feed.on("state", self._on_state)
        feed.on("energy", self._on_energy)
        feed.on("cells", self._on_cells)
        feed.on("event", self._on_event)
        feed.on("settings", self._on_settings)

    def now_ds(self) -> int | None:
        """The time of day; None while it cannot be right."""
        utc_s = self._utc_s()
        return round(utc_s * DS_PER_S) if EARLIEST_S <= utc_s < LATEST_S else None

    def batch(self) -> Batch:
        """Hand out everything that came since; empty while the time of day cannot be right."""
        utc_s = self._utc_s()
        if not EARLIEST_S <= utc_s < LATEST_S:
            return Batch()
        ahead_s = utc_s - self._clock.now_s()
        self._handed = list(self._samples), list(self._cells), list(self._records)
        for kept in (self._samples, self._cells, self._records):
            kept.clear()
        samples, cells, records = self._handed
        return Batch(
            [_stamped(heard, ahead_s) for heard in samples],
            [_stamped(heard, ahead_s) for heard in cells],
            [Record(round(at_s + ahead_s, 1), *what) for at_s, what in records],
        )

    def take_back(self, batch: Batch) -> None:
        """What was handed out last could not be written: keep it for the next; oldest go first."""
        if not batch:
            return
        samples, cells, records = self._handed
        self._handed = [], [], []
        _before(self._samples, samples)
        _before(self._cells, cells)
        _before(self._records, records)

    def _on_state(self, state: Mapping[str, Any]) -> None:
        now_s = self._clock.now_s()
        passed_s = now_s - self._last_s
        if passed_s < _NEAREST_S:
            self.dropped["too close"] += 1
            return
        self._last_s = now_s
        values = state_values(state) | self._counters
        self._counters = {}
        if not values:
            self.dropped["empty state"] += 1
            return
        held_s = passed_s if passed_s <= _LONGEST_HELD_S else _HELD_S
        self._keep(self._samples, _Heard(now_s, round(held_s * DS_PER_S), values))
        self._look_at_reason(now_s, values)

    def _on_energy(self, energy: Mapping[str, Any]) -> None:
        """Counters move slowly: the next state takes them along every five minutes."""
        now_s = self._clock.now_s()
        if now_s - self._counters_s >= _COUNTERS_S:
            self._counters, self._counters_s = counter_values(energy), now_s

    def _look_at_reason(self, now_s: float, values: Stored) -> None:
        because = values.get("because")
        if isinstance(because, str) and because != self._because:
            self._because = because
            self._note(now_s, Happening("decision", because))

    def _on_cells(self, cells: Mapping[str, Any]) -> None:
        """Once a minute, and only when something has moved or a quarter of an hour has passed."""
        now_s, last = self._clock.now_s(), self._last_cells
        if now_s - last.at_s < _CELLS_S - 1.0:
            return
        values = cell_values(cells)
        if values and (_moved(last.values, values) or now_s - last.at_s >= _CELLS_AT_LEAST_S):
            self._last_cells = _Heard(now_s, 0, values)
            self._keep(self._cells, self._last_cells)

    def _on_event(self, event: Mapping[str, Any]) -> None:
        what = happening(event)
        if what is None:
            self.dropped["empty event"] += 1
            return
        self._note(self._clock.now_s(), what)

    def _on_settings(self, said: Mapping[str, Any]) -> None:
        """The first word is what was there already."""
        values = setting_values(said)
        before, self._settings = self._settings, values
        if before is None:
            return
        for key in sorted(values):
            if values[key] != before.get(key):
                change = setting_change(key, before.get(key, ""), values[key])
                self._note(self._clock.now_s(), change)

    def _keep(self, kept: deque[_Heard], heard: _Heard) -> None:
        if len(kept) == kept.maxlen:
            self.dropped["not written in time"] += 1
        kept.append(heard)

    def _note(self, now_s: float, what: Happening) -> None:
        """Of a flood the first are kept: they say how it began."""
        if len(self._records) == MOST_RECORDS:
            self.dropped["too many records"] += 1
        else:
            self._records.append((now_s, what))


def _stamped(heard: _Heard, ahead_s: float) -> Sample:
    return Sample(round((heard.at_s + ahead_s) * DS_PER_S), heard.held_ds, heard.values)


def _before(kept: deque[Any], older: list[Any]) -> None:
    """Older ones in front of newer ones; what does not fit is lost, the oldest first."""
    newer = list(kept)
    kept.clear()
    kept.extend([*older, *newer])


def _moved(before: Stored, now: Stored) -> bool:
    if before.keys() != now.keys():
        return True
    return any(
        abs(int(value) - int(before[name])) >= _MOVED[name.partition(".")[0]]
        for name, value in now.items()
    )
