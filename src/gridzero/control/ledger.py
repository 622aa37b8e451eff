"""What all converters together give, from the commands that really left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gridzero.control.actuator_model import ActuatorModel
from gridzero.control.reported_gain import ReportedGain
from gridzero.domain.converters import Dynamics


class Ledger:
    """One actuator model per converter, summed with the sign of its direction.

    A second model of each is never corrected by what was measured: it says what the commands
    promise, so that promise and delivery can be compared.
    """

    def __init__(self, inverters: Mapping[str, Dynamics], chargers: Mapping[str, Dynamics]) -> None:
        self._inverters = tuple(inverters)
        self.learned: dict[str, Dynamics] = {}
        self._models = {
            **{name: (1.0, ActuatorModel(d)) for name, d in inverters.items()},
            **{name: (-1.0, ActuatorModel(d)) for name, d in chargers.items()},
        }
        self._nominal = {**inverters, **chargers}
        self._promises = {name: ActuatorModel(d) for name, d in self._nominal.items()}
        self._reported = {name: ReportedGain() for name in self._nominal}

    def sent(self, name: str, at_s: float, power_w: float) -> None:
        """A command left. power_w: W AC toward the house, as drivers report it."""
        sign, model = self._models[name]
        model.sent(at_s, max(0.0, sign * power_w))
        self._promises[name].sent(at_s, max(0.0, sign * power_w))

    def observed(self, name: str, at_s: float, power_w: float) -> None:
        """A converter measured its own output, W AC toward the house."""
        sign, model = self._models[name]
        model.observed(at_s, max(0.0, sign * power_w))
        if self._reported[name].report(at_s, sign * power_w, self._promises[name]):
            self.learn(name, self.learned.get(name, self._nominal[name]))

    def unreachable(self, name: str, at_s: float, power_w: float) -> None:
        """A converter that hears nothing is taken to give power_w, W AC toward the house."""
        sign, model = self._models[name]
        model.stands(at_s, max(0.0, sign * power_w))

    def learn(self, name: str, dynamics: Dynamics) -> None:
        """From now on a converter is taken to be like this; its own report knows the gain best."""
        reported = self._reported[name].gain
        if reported is not None:
            nominal = self._nominal[name].gain  # a promise is kept or not by what was configured
            self._promises[name].learn(replace(dynamics, gain=nominal))
            dynamics = replace(dynamics, gain=reported)
        else:
            self._promises[name].learn(dynamics)
        self._models[name][1].learn(dynamics)
        self.learned[name] = dynamics

    def gain(self, name: str) -> float:
        """Steady output of a converter over what it is commanded."""
        return self._models[name][1].gain

    def promised_w(self, name: str, at_s: float) -> float:
        """What a unit would have given at at_s had it obeyed, W AC >= 0."""
        return self._promises[name].output_at(at_s)

    def unit_w(self, name: str, at_s: float) -> float:
        """What a unit is believed to have given or taken at at_s, W AC >= 0."""
        return self._models[name][1].output_at(at_s)

    def own_w(self, at_s: float) -> float:
        """Battery power at the house connection at at_s, W AC, > 0 discharge."""
        return sum(sign * model.output_at(at_s) for sign, model in self._models.values())

    def final_w(self) -> float:
        """Battery power once all that was sent has arrived."""
        return sum(sign * model.final_w for sign, model in self._models.values())

    def inverters_w(self, at_s: float) -> float:
        """What the inverters gave at at_s, W AC >= 0."""
        return sum(self.unit_w(name, at_s) for name in self._inverters)

    def inverters_gave(self, at_s: float, total_w: float) -> None:
        """All inverters together were measured: each is taken to have given its share."""
        modelled_w = self.inverters_w(at_s)
        for name in self._inverters:
            model = self._models[name][1]
            share = model.output_at(at_s) / modelled_w if modelled_w > 0 else 0.0
            model.observed(at_s, total_w * share)
