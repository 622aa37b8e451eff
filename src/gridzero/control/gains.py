"""From the power that shall flow to the commands that make it flow, by each converter's gain."""

from __future__ import annotations

from collections.abc import Mapping

from gridzero.control.guard import PowerLimits
from gridzero.control.ledger import Ledger
from gridzero.domain.snapshot import ConverterView, Snapshot


def commands_for(
    shares_w: Mapping[str, float], now: Snapshot, limits: PowerLimits, ledger: Ledger
) -> dict[str, float]:
    """Share over gain for each converter, W AC.

    A gain may be wrong, so neither a command nor the sum of a direction is ever above what the
    converter or the guard allows; where the share itself reaches the smallest power, so does the
    command.
    """
    commands_w = dict(shares_w)
    for units, limit_w in (
        (now.inverters, limits.discharge_w),
        (now.chargers, limits.charge_w),
    ):
        commands_w |= _bounded(_raised(shares_w, units, ledger), shares_w, limit_w)
    return commands_w


def _raised(
    shares_w: Mapping[str, float], units: tuple[ConverterView, ...], ledger: Ledger
) -> dict[str, float]:
    return {
        unit.name: _command_w(shares_w[unit.name], ledger.gain(unit.name), unit)
        for unit in units
        if shares_w.get(unit.name, 0.0) > 0.0
    }


def _command_w(share_w: float, gain: float, unit: ConverterView) -> float:
    if not gain > 0.0:
        return share_w
    least_w = min(share_w, unit.spec.min_w)
    return max(least_w, min(unit.spec.max_w, share_w / gain))


def _bounded(
    commands_w: dict[str, float], shares_w: Mapping[str, float], limit_w: float
) -> dict[str, float]:
    """What the gains add must fit under the limit; if not, each gives up the same part of it."""
    asked_w = sum(commands_w.values())
    plain_w = sum(shares_w[name] for name in commands_w)
    added_w, room_w = asked_w - plain_w, max(0.0, limit_w - plain_w)
    if added_w <= room_w:
        return commands_w
    part = room_w / added_w
    return {
        name: shares_w[name] + part * (command_w - shares_w[name])
        for name, command_w in commands_w.items()
    }
