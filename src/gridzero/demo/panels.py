"""The panels of the simulated house, as their inverter tells what they make."""

from __future__ import annotations

from gridzero.sim.house import House

_PERIOD_S = 2.0


class PanelsTwin:
    """Publishes the true power of the sun every two seconds; meets ports.twins.MqttTwin."""

    def __init__(self, topic: str, scale: float, house: House) -> None:
        """scale: W per unit of what is published."""
        self._topic, self._scale, self._house = topic, scale, house
        self._left_s = 0.0

    def advance(self, seconds: float) -> list[tuple[str, bytes]]:
        """See ports.twins.MqttTwin."""
        self._left_s -= seconds
        if self._left_s > 0.0:
            return []
        self._left_s += _PERIOD_S
        return [(self._topic, f"{self._house.pv_w / self._scale:.4g}".encode())]
