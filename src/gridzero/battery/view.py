"""Many modules in parallel, seen as one battery."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, cast

from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView
from gridzero.domain.readings import ModuleReading


class _Digest(NamedTuple):
    """One module's reading boiled down; ``*_s`` are -inf while anything is missing.

    min_v, max_v: lowest and highest cell with their names, the highest with a margin while
    cells are bled, because a bled cell reads low. sum_v: of all known cells.
    """

    reading: ModuleReading
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

    def view(self, modules: Sequence[ModuleReading], now_s: float) -> BatteryView | None:
        """The battery at now_s, None without modules.

        A module whose cells are not all known and younger than the dead time is silent; its last
        known cells still count for the extremes, because unknown must not look harmless.
        """
        if not modules:
            return None
        digests = [self._digest(module) for module in modules]
        oldest_alive_s = now_s - self._profile.volt_dead_s
        complete = [d for d in digests if d.oldest_s > oldest_alive_s]
        lowest = min(digests, key=_min_v)
        highest = max(digests, key=_max_v)
        return BatteryView(
            min_cell_v=lowest.min_v if lowest.min_cell else None,
            max_cell_v=highest.max_v if highest.max_cell else None,
            min_cell=lowest.min_cell,
            max_cell=highest.max_cell,
            pack_v=sum(d.sum_v for d in complete) / len(complete) if complete else None,
            volt_age_s=now_s - min(d.oldest_s for d in digests),
            low_c=_unless(min(d.low_c for d in digests), inf),
            high_c=_unless(max(d.high_c for d in digests), -inf),
            temp_age_s=now_s - min(d.temp_s for d in digests),
            modules=len(digests),
            healthy=len(complete),
            silent=tuple(d.reading.name for d in digests if not d.oldest_s > oldest_alive_s),
            no_temp=tuple(
                d.reading.name for d in digests if not now_s - d.temp_s < self._profile.temp_fresh_s
            ),
            suspects=tuple(name for d in digests for name in d.suspects),
            implausible=tuple(name for d in digests for name in d.implausible),
        )

    def _digest(self, module: ModuleReading) -> _Digest:
        known = self._digests.get(module.name)
        if known is None or known.reading is not module:
            known = self._digests[module.name] = _digest(module, self._profile)
        return known


def _digest(module: ModuleReading, profile: Profile) -> _Digest:
    cells = [v for v in module.cell_v if v is not None]
    lowest, highest = min(cells, default=inf), max(cells, default=-inf)
    suspects = _suspects(module) if module.suspect else []
    return _Digest(
        reading=module,
        oldest_s=_oldest_s(module.cell_at_s),
        temp_s=module.temp_at_s if module.temp_at_s is not None else -inf,
        min_v=lowest,
        min_cell=_cell_name(module, lowest) if cells else "",
        max_v=highest + (profile.bleed_margin_v if module.bleeding else 0.0),
        max_cell=_cell_name(module, highest) if cells else "",
        sum_v=sum(cells),
        low_c=min((t.low_c for t in module.temps), default=inf),
        high_c=inf
        if module.over_range_temp
        else max((t.high_c for t in module.temps), default=-inf),
        suspects=tuple(name for name, _ in suspects),
        implausible=tuple(
            name
            for name, volts in suspects
            if volts is not None and not profile.plausible_min_v <= volts <= profile.plausible_max_v
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


def _cell_name(module: ModuleReading, volts: float) -> str:
    return f"{module.name}.{module.cell_v.index(volts) + 1}"


def _unless(temp_c: float, nothing: float) -> float | None:
    """None where no sensor counted; a sensor beyond its range stays +inf, which is hot."""
    return None if temp_c == nothing else temp_c


def _min_v(digest: _Digest) -> float:
    return digest.min_v


def _max_v(digest: _Digest) -> float:
    return digest.max_v
