"""Notices a rectifier that charges although nobody asked it to, so that nothing feeds it.

While an inverter discharges, the shunt shows the difference of both, so what the inverter takes
is added back before judging. Once noticed, discharging rests for a while; then the shunt is
looked at again with the inverter at zero.
"""

from __future__ import annotations

from gridzero.domain.readings import ConverterState
from gridzero.domain.snapshot import ConverterView, Snapshot

_CHARGING_A = -2.0
_SHUNT_FRESH_S = 2.0
_REST_S = 10.0
_ACTIVE = frozenset({ConverterState.STARTING, ConverterState.RUNNING, ConverterState.STOPPING})


class RogueCharge:
    """Whether discharging must wait because a charger charges, or may charge unseen."""

    def __init__(self) -> None:
        self._seen_s = float("-inf")

    def update(self, now: Snapshot, inverters_w: float) -> bool:
        """inverters_w: what the inverters give now by the ledger, W AC >= 0."""
        if any(_charges(unit) for unit in now.chargers):
            return True
        silent = any(unit.silent for unit in now.chargers)
        if silent and not _nothing_charges(now, inverters_w):
            self._seen_s = now.now_s
        return silent and now.now_s - self._seen_s < _REST_S


def _charges(unit: ConverterView) -> bool:
    """By its own word."""
    if unit.silent:
        return False
    amps = unit.reading.dc_a if unit.reading else None
    return unit.state in _ACTIVE or (amps is not None and amps < _CHARGING_A)


def _nothing_charges(now: Snapshot, inverters_w: float) -> bool:
    """Only a fresh shunt can say so of a rectifier that is silent."""
    if now.shunt is None or not now.shunt_age_s <= _SHUNT_FRESH_S or now.battery is None:
        return False
    pack_v = now.battery.pack_v
    if pack_v is None or not pack_v > 0:
        return False
    efficiency = min((unit.spec.efficiency for unit in now.inverters), default=1.0)
    return now.shunt.current_a >= 0.8 * inverters_w / (pack_v * efficiency) + _CHARGING_A
