"""Many modules in parallel, seen as one battery."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from typing import NamedTuple, cast

from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView
from gridzero.domain.readings import ModuleReading
from gridzero.domain.trust import UNTROUBLED, Blame, CellDoubt, Trust

_MAX_WITHIN_V = 0.5


class CellEstimate(NamedTuple):
    """What the others say of the cell at ``place`` (from 0), V, true within +- within_v.

    excused: the cell counts as this. Otherwise it counts as the worse of this and its reading.
    """

    place: int
    volts: float
    within_v: float
    excused: bool

    def end_v(self, reads_v: float, side: int) -> float:
        """Its lowest (side -1), likely (0) or highest (1) voltage, V."""
        if side == 0:
            return self.volts if self.excused else reads_v
        end_v = self.volts + side * self.within_v
        return end_v if self.excused else side * max(side * end_v, side * reads_v)


Estimates = tuple[CellEstimate, ...]
"""Cells of a module that are not simply what they read."""


class _Digest(NamedTuple):
    """One module's reading boiled down; ``*_s`` are -inf while anything is missing or no number.

    min_v, max_v: lowest and highest cell with their names, the highest with a margin while
    cells are bled, because a bled cell reads low. sum_v: of all known cells. A misread cell
    counts with the worse end of its estimate, and in the sum with the estimate itself.
    """

    reading: ModuleReading
    estimates: Estimates
    oldest_s: float
    temp_s: float
    min_v: float
    min_cell: str
    max_v: float
    max_cell: str
    sum_v: float
    low_c: float
    high_c: float
    suspects: tuple[str, ...]
    implausible: tuple[str, ...]


class BatteryViewer:
    """Summarises module readings; each reading is digested once, however often it is looked at."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._digests: dict[str, _Digest] = {}

    def view(
        self, modules: Sequence[ModuleReading], now_s: float, trust: Trust = UNTROUBLED
    ) -> BatteryView | None:
        """The battery at now_s, None without modules.

        Cells that trust calls misread count as what the other readings say, less or more what
        that may be wrong; without such an estimate a cell counts as it reads.

        A module whose cells are not all known and younger than the dead time is silent; its last
        known cells still count for the extremes, because unknown must not look harmless.
        """
        if not modules:
            return None
        digests = [self._digest(module, trust) for module in modules]
        temp_fresh_s = self._profile.temp_fresh_s
        oldest_alive_s = now_s - self._profile.volt_dead_s
        complete = [d for d in digests if d.oldest_s > oldest_alive_s]
        lowest = min(digests, key=_min_v)
        highest = max(digests, key=_max_v)
        return BatteryView(
            min_cell_v=lowest.min_v if lowest.min_cell else None,
            max_cell_v=highest.max_v if highest.max_cell else None,
            min_cell=lowest.min_cell,
            max_cell=highest.max_cell,
            pack_v=sum([d.sum_v for d in complete]) / len(complete) if complete else None,
            volt_age_s=now_s - min([d.oldest_s for d in digests]),
            low_c=_unless(min([d.low_c for d in digests]), inf),
            high_c=_unless(max([d.high_c for d in digests]), -inf),
            temp_age_s=now_s - min([d.temp_s for d in digests]),
            modules=len(digests),
            healthy=len(complete),
            silent=tuple([d.reading.name for d in digests if not d.oldest_s > oldest_alive_s]),
            no_temp=tuple([d.reading.name for d in digests if not now_s - d.temp_s < temp_fresh_s]),
            suspects=tuple([name for d in digests for name in d.suspects]),
            implausible=tuple([name for d in digests for name in d.implausible]),
        )

    def _digest(self, module: ModuleReading, trust: Trust) -> _Digest:
        estimates = estimates_of(module, trust) if trust.cells else ()
        known = self._digests.get(module.name)
        if known is None or known.reading is not module or known.estimates != estimates:
            known = _digest(module, estimates, self._profile)
            self._digests[module.name] = known
        return known


def estimates_of(module: ModuleReading, trust: Trust) -> Estimates:
    """The module's cells of whose voltage the other readings tell more than their own.

    An estimate that may be half a volt wrong says nothing. A reading that stands still or jumps is
    not excused; where the sum contradicts it, it may hide a low or a high cell.
    """
    found = (
        _estimate(doubt, module)
        for doubt in trust.cells.values()
        if doubt.module == module.name and 1 <= doubt.cell <= len(module.cell_v)
    )
    return tuple(one for one in found if one is not None)


def _estimate(doubt: CellDoubt, module: ModuleReading) -> CellEstimate | None:
    volts, within_v, reads_v = doubt.estimate_v, doubt.within_v, module.cell_v[doubt.cell - 1]
    if volts is None or not isfinite(volts) or not 0.0 <= within_v <= _MAX_WITHIN_V:
        return None
    is_sensor = doubt.blame is Blame.SENSOR
    if not is_sensor and (reads_v is None or abs(volts - reads_v) <= within_v):
        return None
    return CellEstimate(doubt.cell - 1, volts, within_v, is_sensor)


def read_v(module: ModuleReading, trust: Trust) -> tuple[float | None, ...]:
    """What the cells read, V; None for those that are misread or not a number."""
    return tuple(
        None
        if volts is None or not isfinite(volts) or trust.misread(module.name, i) is not None
        else volts
        for i, volts in enumerate(module.cell_v, 1)
    )


def believed_sum_v(module: ModuleReading, trust: Trust) -> float | None:
    """Voltage of the module with misread cells as estimated, V; None while a cell is not known."""
    if None in module.cell_v:
        return None
    estimates = estimates_of(module, trust) if trust.cells else ()
    known = _with(module, estimates, 0) if estimates else module.cell_v
    total_v = sum(cast("Sequence[float]", known))
    return total_v if isfinite(total_v) else None


def _with(module: ModuleReading, estimates: Estimates, side: int) -> Sequence[float]:
    """The known cells, doubted ones replaced: side -1 and 1 are the ends of the estimate."""
    if not estimates and None not in module.cell_v:
        return cast("Sequence[float]", module.cell_v)
    volts = list(module.cell_v)
    for one in estimates:
        reads_v = volts[one.place]
        if reads_v is not None:
            volts[one.place] = one.end_v(reads_v, side)
    return [v for v in volts if v is not None]


def _digest(module: ModuleReading, estimates: Estimates, profile: Profile) -> _Digest:
    volts = _with(module, estimates, 0)
    sum_v = sum(volts)
    lows = _with(module, estimates, -1) if estimates else volts
    highs = _with(module, estimates, 1) if estimates else volts
    lowest, highest = min(lows, default=inf), max(highs, default=-inf)
    suspects = _suspects(module) if module.suspect else []
    excused = {f"{module.name}.{one.place + 1}" for one in estimates if one.excused}
    return _Digest(
        reading=module,
        estimates=estimates,
        oldest_s=_oldest_s(module.cell_at_s) if isfinite(sum_v) else -inf,
        temp_s=module.temp_at_s if module.temp_at_s is not None else -inf,
        min_v=lowest,
        min_cell=_cell_name(module, lows.index(lowest)) if lows else "",
        max_v=highest + (profile.bleed_margin_v if module.bleeding else 0.0),
        max_cell=_cell_name(module, highs.index(highest)) if highs else "",
        sum_v=sum_v,
        low_c=min([t.low_c for t in module.temps], default=inf),
        high_c=inf
        if module.over_range_temp
        else max([t.high_c for t in module.temps], default=-inf),
        suspects=tuple(name for name, _ in suspects),
        implausible=tuple(
            name
            for name, reads_v in suspects
            if reads_v is not None
            and not profile.plausible_min_v <= reads_v <= profile.plausible_max_v
            and name not in excused
        ),
    )


def _suspects(module: ModuleReading) -> list[tuple[str, float | None]]:
    """Names and readings of the cells that the driver doubts."""
    return [
        (f"{module.name}.{i + 1}", volts)
        for i, volts in enumerate(module.cell_v)
        if module.suspect >> i & 1
    ]


def _oldest_s(times: Sequence[float | None]) -> float:
    """When the oldest was received; -inf when one is missing."""
    if not times or None in times:
        return -inf
    return min(cast("Sequence[float]", times))


def _cell_name(module: ModuleReading, place: int) -> str:
    """Name of the cell at a place among the known ones."""
    if None not in module.cell_v:
        return f"{module.name}.{place + 1}"
    known = [i for i, volts in enumerate(module.cell_v, 1) if volts is not None]
    return f"{module.name}.{known[place]}"


def _unless(temp_c: float, nothing: float) -> float | None:
    """None where no sensor counted; a sensor beyond its range stays +inf, which is hot."""
    return None if temp_c == nothing else temp_c


def _min_v(digest: _Digest) -> float:
    return digest.min_v


def _max_v(digest: _Digest) -> float:
    return digest.max_v
