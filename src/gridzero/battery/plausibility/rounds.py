"""One look at all modules: cells that were measured together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from gridzero.battery.plausibility.rules import PlausibilityRules
from gridzero.domain.readings import ModuleReading

_LEAST_CELLS = 5


class Sample(NamedTuple):
    """All cells of one module at nearly one moment.

    sum_v: of all cells; median_v, low_v, high_v: of its cells. motion_v: how far the sum moved
    within the last two polls. bled: how many cells are bled now.
    """

    name: str
    at_s: float
    volts: tuple[float, ...]
    sum_v: float
    median_v: float
    low_v: float
    high_v: float
    bled: int
    motion_v: float


class Rounds:
    """Makes rounds of samples out of readings that arrive one by one."""

    def __init__(self, rules: PlausibilityRules) -> None:
        self._rules = rules
        self._seen: dict[str, tuple[float | None, ...]] = {}
        self._fresh: dict[str, ModuleReading] = {}
        self._medians: dict[str, tuple[float, float]] = {}
        self._began_s = 0.0

    def take(self, modules: Sequence[ModuleReading], now_s: float) -> list[Sample]:
        """The next round, empty while it is not complete.

        It is complete when each module has spoken again, or poll_s after the first one did.
        """
        seen, fresh = self._seen, self._fresh
        for reading in modules:
            times = reading.cell_at_s
            before = seen.get(reading.name)
            if before is not times and before != times:
                seen[reading.name] = times
                if not fresh:
                    self._began_s = now_s
                fresh[reading.name] = reading
        if not fresh:
            return []
        if len(fresh) < len(modules) and now_s - self._began_s < self._rules.poll_s:
            return []
        made = [s for reading in fresh.values() if (s := self._sample(reading, now_s)) is not None]
        fresh.clear()
        return made

    def _sample(self, reading: ModuleReading, now_s: float) -> Sample | None:
        """None when a cell is missing, old, or not of one time with the others.

        Fewer than five cells cannot say which of them is odd.
        """
        times, volts = reading.cell_at_s, reading.cell_v
        if len(volts) < _LEAST_CELLS or None in times or None in volts:
            return None
        known_s, cells = cast("tuple[float, ...]", times), cast("tuple[float, ...]", volts)
        newest_s, poll_s = max(known_s), self._rules.poll_s
        if not (newest_s - min(known_s) <= poll_s and -poll_s <= now_s - newest_s <= 2 * poll_s):
            return None
        return self._made(reading, cells, newest_s)

    def _made(
        self, reading: ModuleReading, cells: tuple[float, ...], newest_s: float
    ) -> Sample | None:
        ordered, count = sorted(cells), len(cells)
        median_v = (ordered[count // 2] + ordered[(count - 1) // 2]) / 2
        sum_v = sum(cells)
        if not -1e3 < sum_v < 1e3:  # phrased so that a cell that is no number is refused
            return None
        name = reading.name
        before_v, earlier_v = self._medians.get(name, (median_v, median_v))
        self._medians[name] = median_v, before_v
        moved_v = max(median_v, before_v, earlier_v) - min(median_v, before_v, earlier_v)
        return Sample(
            name,
            newest_s,
            cells,
            sum_v,
            median_v,
            ordered[0],
            ordered[-1],
            reading.bleeding.bit_count(),
            moved_v * count,
        )
