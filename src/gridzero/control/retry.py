"""A little power for a unit that is out, to see whether it is back."""

from __future__ import annotations

from dataclasses import replace

from gridzero.control.dispatch import Dispatcher, Split
from gridzero.control.health import Health
from gridzero.control.step_test import LEAST_W
from gridzero.domain.snapshot import Snapshot


def split_with_try(
    dispatcher: Dispatcher, battery_w: float, now: Snapshot, health: Health
) -> Split:
    """Commands for all units; the one that is tried gets its share first, the others the rest.

    Only where at least LEAST_W are wanted in its direction: less would not be seen.
    """
    units = now.inverters if battery_w > 0 else now.chargers
    unit = next((u for u in units if u.name in health.tries and not u.silent), None)
    if unit is None or abs(battery_w) < max(LEAST_W, unit.spec.min_w):
        return _eased(dispatcher.split(battery_w, now, health.out), health)
    name = unit.name
    sign = 1.0 if battery_w > 0 else -1.0
    try_w = min(health.tries[name], abs(battery_w))
    split = dispatcher.split(battery_w - sign * try_w, now, health.out)
    total_w = split.total_w + sign * try_w
    return replace(split, units={**split.units, name: try_w}, total_w=total_w)


def _eased(split: Split, health: Health) -> Split:
    """Inverters that are asked by routine, within what they may be told meanwhile."""
    if not health.most_w or split.total_w <= 0.0:
        return split
    units = {n: min(w, health.most_w.get(n, w)) for n, w in split.units.items()}
    return replace(split, units=units, total_w=sum(units.values()))
