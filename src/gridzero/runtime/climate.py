"""Heater and fan of the battery: what the thermal part wants, as leased switches."""

from __future__ import annotations

from gridzero.domain.decision import Decision
from gridzero.domain.snapshot import Snapshot
from gridzero.ports.devices import Switch

LEASE_S = 5.0
"""A heater whose controller hangs is off after so long."""


class Climate:
    """Works the switches after each tick; without a word from the thermal part both are off."""

    def __init__(self, heater: Switch | None, fan: Switch | None) -> None:
        self._heater, self._fan = heater, fan

    def after_each_tick(self, now: Snapshot, _decision: Decision) -> None:
        """For ``Site.on_decision``."""
        state = now.condition.thermal
        fresh = state is not None and now.now_s - state.at_s <= LEASE_S
        _work(self._heater, now.now_s, wanted=fresh and state is not None and state.heat_on)
        _work(self._fan, now.now_s, wanted=fresh and state is not None and state.fan_on)


def _work(switch: Switch | None, now_s: float, *, wanted: bool) -> None:
    if switch is None:
        return
    if wanted:
        switch.close(now_s + LEASE_S)
    else:
        switch.open()
