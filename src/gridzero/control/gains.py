"""Between what a converter is told and what it gives, when its learned gain is not 1.

The law thinks in power that really flows; only at its two ends stand commands: limits of a
converter are limits of what it is told, and so is what is sent at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from gridzero.control.guard import power_limits
from gridzero.control.ledger import Ledger
from gridzero.domain.converters import ConverterSpec, Dynamics
from gridzero.domain.snapshot import ConverterView, Snapshot


def as_they_are(now: Snapshot, ledger: Ledger) -> Snapshot:
    """The snapshot with the dynamics, smallest and largest powers that converters really have."""
    if not ledger.learned:
        return now
    return replace(
        now,
        inverters=tuple(_learned(unit, ledger.learned) for unit in now.inverters),
        chargers=tuple(_learned(unit, ledger.learned) for unit in now.chargers),
    )


def _learned(unit: ConverterView, learned: Mapping[str, Dynamics]) -> ConverterView:
    dynamics, spec = learned.get(unit.name), unit.spec
    if dynamics is None:
        return unit
    return ConverterView(
        name=unit.name,
        spec=_real(spec, dynamics),
        state=unit.state,
        reading=unit.reading,
        silent=unit.silent,
    )


@lru_cache(maxsize=64)
def _real(spec: ConverterSpec, dynamics: Dynamics) -> ConverterSpec:
    """Remembered, since it is asked at every tick and changes once in minutes."""
    gain = dynamics.gain
    return replace(spec, min_w=spec.min_w * gain, max_w=spec.max_w * gain, dynamics=dynamics)


def commands_for(shares_w: Mapping[str, float], now: Snapshot, ledger: Ledger) -> dict[str, float]:
    """Share over gain for each converter, W AC.

    now: as the configuration has the converters. A gain may be wrong: no command is above the
    converter's largest, and no gain raises a direction's sum above what the guard allows.
    """
    units = (*now.inverters, *now.chargers)
    commands_w = {unit.name: shares_w.get(unit.name, 0.0) for unit in units}
    raised = False
    for unit in units:
        share_w, gain = commands_w[unit.name], ledger.gain(unit.name)
        if share_w > 0.0 and gain > 0.0 and gain != 1.0:
            commands_w[unit.name] = min(unit.spec.max_w, share_w / gain)
            raised = raised or gain < 1.0
    return _within_limits(commands_w, shares_w, now) if raised else commands_w


def _within_limits(
    commands_w: dict[str, float], shares_w: Mapping[str, float], now: Snapshot
) -> dict[str, float]:
    # what stopped power altogether has made every share 0 before
    limits = power_limits(now, over_current=False, rogue_charge=False)
    for units, limit_w in ((now.inverters, limits.discharge_w), (now.chargers, limits.charge_w)):
        names = [unit.name for unit in units]
        sum_w = sum(commands_w[name] for name in names)
        most_w = max(limit_w, sum(shares_w.get(name, 0.0) for name in names))
        if sum_w > most_w:
            commands_w |= {name: commands_w[name] * most_w / sum_w for name in names}
    return commands_w
