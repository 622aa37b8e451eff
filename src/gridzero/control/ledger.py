"""What all converters together give, from the commands that really left."""

from __future__ import annotations

from collections.abc import Mapping

from gridzero.control.actuator_model import ActuatorModel
from gridzero.domain.converters import Dynamics


class Ledger:
    """One actuator model per converter, summed with the sign of its direction."""

    def __init__(self, inverters: Mapping[str, Dynamics], chargers: Mapping[str, Dynamics]) -> None:
        self._inverters = tuple(inverters)
        self._models = {
            **{name: (1.0, ActuatorModel(d)) for name, d in inverters.items()},
            **{name: (-1.0, ActuatorModel(d)) for name, d in chargers.items()},
        }

    def sent(self, name: str, at_s: float, power_w: float) -> None:
        """A command left. power_w: W AC toward the house, as drivers report it."""
        sign, model = self._models[name]
        model.sent(at_s, max(0.0, sign * power_w))

    def observed(self, name: str, at_s: float, power_w: float) -> None:
        """A converter measured its own output, W AC toward the house."""
        sign, model = self._models[name]
        model.observed(at_s, max(0.0, sign * power_w))

    def unreachable(self, name: str, at_s: float, power_w: float) -> None:
        """A converter that hears nothing is taken to give power_w, W AC toward the house."""
        sign, model = self._models[name]
        model.stands(at_s, max(0.0, sign * power_w))

    def own_w(self, at_s: float) -> float:
        """Battery power at the house connection at at_s, W AC, > 0 discharge."""
        return sum(sign * model.output_at(at_s) for sign, model in self._models.values())

    def final_w(self) -> float:
        """Battery power once all that was sent has arrived."""
        return sum(sign * model.final_w for sign, model in self._models.values())

    def unit_w(self, name: str, at_s: float) -> float:
        """What one converter gave, or will give by what was sent, at at_s: magnitude, W AC."""
        return self._models[name][1].output_at(at_s)

    def inverters_w(self, at_s: float) -> float:
        """What the inverters gave at at_s, W AC >= 0."""
        return sum(self._models[name][1].output_at(at_s) for name in self._inverters)

    def inverters_final_w(self) -> float:
        """What the inverters give once all that was sent has arrived."""
        return sum(self._models[name][1].final_w for name in self._inverters)

    def inverters_gave(self, at_s: float, total_w: float) -> None:
        """All inverters together were measured: each is taken to have given its share."""
        modelled_w = self.inverters_w(at_s)
        for name in self._inverters:
            model = self._models[name][1]
            share = model.output_at(at_s) / modelled_w if modelled_w > 0 else 0.0
            model.observed(at_s, total_w * share)
