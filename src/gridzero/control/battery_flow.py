"""What the converters say flows through the battery, as far as they know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gridzero.battery.plausibility.flow import UNKNOWN_FLOW, Flow
from gridzero.control.ledger import Ledger
from gridzero.domain.snapshot import ConverterView

_NOTHING_W = 5.0
_NOTHING_A = 0.3


class Told(NamedTuple):
    """DC current that the standing commands amount to, A >= 0."""

    charge_a: float
    discharge_a: float


def flow_of(
    chargers: Iterable[ConverterView],
    inverters: Iterable[ConverterView],
    ledger: Ledger,
    commands_w: Mapping[str, float],
    pack_v: float | None,
    now_s: float,
) -> Flow:
    """All converters together: their own word where they give one, else what the ledger believes.

    commands_w: what each was told last, W AC. pack_v: None = not known, then nothing is.
    """
    if pack_v is None or not pack_v > 0.0:
        return UNKNOWN_FLOW
    chargers, inverters = tuple(chargers), tuple(inverters)
    amps, rests = 0.0, True
    for sign, units in ((-1.0, chargers), (1.0, inverters)):
        for unit in units:
            own_w = ledger.unit_w(unit.name, now_s)
            one_a = _dc_a(unit, sign, own_w, pack_v)
            amps += one_a
            told = commands_w.get(unit.name, 0.0) > 0.0 or own_w > _NOTHING_W
            rests = rests and not (told or unit.silent or abs(one_a) > _NOTHING_A)
    all_heard = not any(unit.silent for unit in chargers)
    commands = told_of(chargers, inverters, commands_w, pack_v) if all_heard else None
    told_a = commands.discharge_a - commands.charge_a if commands else None
    return Flow(dc_a=amps, at_rest=rests, told_a=told_a)


def told_of(
    chargers: Iterable[ConverterView],
    inverters: Iterable[ConverterView],
    commands_w: Mapping[str, float],
    pack_v: float | None,
) -> Told | None:
    """What the commands amount to on the DC side, None while the voltage is not known."""
    if pack_v is None or not pack_v > 0.0:
        return None
    charge_w = sum(commands_w.get(u.name, 0.0) * u.spec.efficiency for u in chargers)
    discharge_w = sum(commands_w.get(u.name, 0.0) / u.spec.efficiency for u in inverters)
    return Told(charge_w / pack_v, discharge_w / pack_v)


def _dc_a(unit: ConverterView, sign: float, own_w: float, pack_v: float) -> float:
    if unit.reading is not None and unit.reading.dc_a is not None and not unit.silent:
        return unit.reading.dc_a
    efficiency = unit.spec.efficiency
    dc_w = own_w / efficiency if sign > 0.0 else own_w * efficiency
    return sign * dc_w / pack_v
