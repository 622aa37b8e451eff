"""Many modules in parallel, seen as one battery."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from gridzero.battery.profile import Profile
from gridzero.domain.battery import BatteryView
from gridzero.domain.readings import ModuleReading


def summarise(
    modules: Sequence[ModuleReading], now_s: float, profile: Profile
) -> BatteryView | None:
    """The battery at now_s, None without modules.

    A module whose cells are not all known and younger than the dead time is silent; its last
    known cells still count for the extremes, because unknown must not look harmless.
    """
    if not modules:
        return None
    ages = [_oldest(m.cell_at_s, now_s) for m in modules]
    temp_ages = [now_s - m.temp_at_s if m.temp_at_s is not None else inf for m in modules]
    complete = [m for m, age in zip(modules, ages, strict=True) if age < profile.volt_dead_s]
    low, high = _extremes(modules, profile.bleed_margin_v)
    suspects = _suspects(modules)
    hot = [t.high_c for m in modules for t in m.temps]
    cold = [t.low_c for m in modules for t in m.temps]
    return BatteryView(
        min_cell_v=low[0] if low else None,
        max_cell_v=high[0] if high else None,
        min_cell=low[1] if low else "",
        max_cell=high[1] if high else "",
        pack_v=_pack_v(complete),
        volt_age_s=max(ages),
        low_c=min(cold, default=None),
        high_c=inf if any(m.over_range_temp for m in modules) else max(hot, default=None),
        temp_age_s=max(temp_ages),
        modules=len(modules),
        healthy=len(complete),
        silent=tuple(
            m.name for m, age in zip(modules, ages, strict=True) if not age < profile.volt_dead_s
        ),
        no_temp=tuple(
            m.name
            for m, age in zip(modules, temp_ages, strict=True)
            if not age < profile.temp_fresh_s
        ),
        suspects=tuple(name for name, _ in suspects),
        implausible=tuple(
            name
            for name, volts in suspects
            if volts is not None and not profile.plausible_min_v <= volts <= profile.plausible_max_v
        ),
    )


def _oldest(times: Sequence[float | None], now_s: float) -> float:
    """Age of the oldest; inf when one is missing."""
    if not times or None in times:
        return inf
    return now_s - min(t for t in times if t is not None)


def _extremes(
    modules: Sequence[ModuleReading], margin_v: float
) -> tuple[tuple[float, str] | None, tuple[float, str] | None]:
    """Lowest and highest cell with their names; a bled cell reads low, so the top gets a margin."""
    low_v, low_name, high_v, high_name = inf, "", -inf, ""
    for module in modules:
        cells = [v for v in module.cell_v if v is not None]
        if not cells:
            continue
        smallest = min(cells)
        largest = max(cells) + (margin_v if module.bleeding else 0.0)
        if smallest < low_v:
            low_v, low_name = smallest, f"{module.name}.{module.cell_v.index(smallest) + 1}"
        if largest > high_v:
            high_v = largest
            high_name = f"{module.name}.{module.cell_v.index(max(cells)) + 1}"
    return (
        (low_v, low_name) if low_name else None,
        (high_v, high_name) if high_name else None,
    )


def _suspects(modules: Sequence[ModuleReading]) -> list[tuple[str, float | None]]:
    """Names and readings of the cells that their driver doubts."""
    return [
        (f"{module.name}.{i + 1}", volts)
        for module in modules
        if module.suspect
        for i, volts in enumerate(module.cell_v)
        if module.suspect >> i & 1
    ]


def _pack_v(complete: Sequence[ModuleReading]) -> float | None:
    """Mean of the sums of complete modules; never a sum over a constant count."""
    sums = [sum(v for v in m.cell_v if v is not None) for m in complete]
    return sum(sums) / len(sums) if sums else None
