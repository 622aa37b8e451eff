"""What holds at every tick, whatever the devices say and whatever the house does."""

from __future__ import annotations

from math import isfinite

from gridzero.control.guard import power_limits
from gridzero.domain.decision import Decision
from gridzero.domain.reasons import REASONS
from gridzero.domain.snapshot import Snapshot

_HAIR_W = 1e-6


def keeps_every_limit(now: Snapshot, decision: Decision) -> None:
    """Commands are numbers within each converter's range, one direction, and bearable.

    The limits are computed anew, from the configured converters: what was learned of them must
    not raise a command beyond what the guard allows without it.
    """
    specs = {unit.name: unit.spec for unit in (*now.inverters, *now.chargers)}
    assert decision.units.keys() == specs.keys()
    for name, power_w in decision.units.items():
        assert isfinite(power_w)
        assert 0.0 <= power_w <= specs[name].max_w
    given_w = sum(decision.units[unit.name] for unit in now.inverters)
    taken_w = sum(decision.units[unit.name] for unit in now.chargers)
    assert not (given_w > 0.0 and taken_w > 0.0)
    limits = power_limits(now, over_current=False, rogue_charge=False)
    assert given_w <= _or_nothing(limits.discharge_w) + _HAIR_W
    assert taken_w <= _or_nothing(limits.charge_w) + _HAIR_W
    assert decision.battery_w <= _or_nothing(decision.discharge_w) + _HAIR_W
    assert -decision.battery_w <= _or_nothing(decision.charge_w) + _HAIR_W
    assert not any(
        decision.units[unit.name] for unit in (*now.inverters, *now.chargers) if unit.silent
    )
    assert decision.because in REASONS
    assert decision.net_load_w is None or isfinite(decision.net_load_w)


def _or_nothing(limit_w: float) -> float:
    """NaN allows nothing: max() keeps its first argument then."""
    return max(0.0, limit_w)
