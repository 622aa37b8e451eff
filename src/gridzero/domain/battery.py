"""The battery as one thing, and what it bears."""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.domain.reasons import Because


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryView:
    """All modules in parallel, summarised at one moment. None = not known.

    min_cell_v, max_cell_v: over all known cells, also implausible ones; max_cell_v carries a
    margin for cells that are being bled. pack_v: mean of the complete modules.
    volt_age_s, temp_age_s: the oldest value that the limits rest on; inf while any is unknown.
    low_c, high_c: bounds of the coldest and hottest sensor.
    silent, no_temp, suspects: names of modules and cells (``b3``, ``b3.7``).
    implausible: the suspects whose reading cannot be true; the others wait to be confirmed and
    show their last good value, whose age speaks for itself.
    """

    min_cell_v: float | None
    max_cell_v: float | None
    min_cell: str
    max_cell: str
    pack_v: float | None
    volt_age_s: float
    low_c: float | None
    high_c: float | None
    temp_age_s: float
    modules: int
    healthy: int
    silent: tuple[str, ...]
    no_temp: tuple[str, ...]
    suspects: tuple[str, ...]
    implausible: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentLimits:
    """What the battery bears now, A >= 0, each with the reason that made it so small.

    cell_over, cell_under: a hard limit was passed and is not released yet.
    """

    charge_a: float
    discharge_a: float
    charge_because: Because
    discharge_because: Because
    max_v: float
    cell_over: bool = False
    cell_under: bool = False
