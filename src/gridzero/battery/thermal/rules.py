"""Numbers of the thermal model and of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalRules:
    """Temperatures in degrees Celsius, times in s.

    Model: heat_j_per_k of a module (12 cells and their frame; assumed as in ``sim.pack``).
    tau_s: to its surroundings, to begin with; least_tau_s, most_tau_s: what may be learned. ohm:
    of a cell while no estimate is there. bleed_w: of one bleed resistor.

    Derating: horizon_s: how far it looks; mean_s: over what the present losses are averaged;
    charge_limit_c, discharge_limit_c: what the prediction shall not pass,
    with reserve_c below it to aim at; full_a: current of a
    module that factor 1 stands for; fall_per_s, rise_per_s: how fast factors move; fresh_s: a
    temperature older than this is unknown.

    Cold: no charge below cold_block_c, again from cold_release_c on. has_heater: one is fitted.
    Wanted below warm_below_c, until warm_until_c; never while a sensor is above heat_max_c or the
    state of charge below heat_from_soc. heat_c_per_h: its speed, to begin with. useless_s,
    useless_c: it has to have warmed the modules by so much after so long; retry_s: rest after it
    did not.

    Outputs: fan_on_c, fan_off_c; fan_ahead_c: a prediction counts this much later; least_on_s,
    least_off_s: an output is not switched faster.

    Runaway: odd_c of warming that losses do not explain, forgotten over odd_s. loss_margin: losses
    may be this many times the calculated; ambient_margin_c: the surroundings so much warmer;
    heater_c_per_h: the most that a heater can do; credit_c: how much colder than explained counts.
    smooth_s: time constant of the smoothed temperature (a sensor has steps of 0.5 K).
    """

    heat_j_per_k: float = 9000.0
    tau_s: float = 7200.0
    least_tau_s: float = 1800.0
    most_tau_s: float = 43200.0
    ohm: float = 0.0035
    bleed_w: float = 0.4
    horizon_s: float = 1200.0
    mean_s: float = 300.0
    charge_limit_c: float = 45.0
    discharge_limit_c: float = 50.0
    reserve_c: float = 1.0
    full_a: float = 12.5
    fall_per_s: float = 1.0 / 60.0
    rise_per_s: float = 1.0 / 60.0
    fresh_s: float = 30.0
    cold_block_c: float = 2.0
    cold_release_c: float = 4.0
    has_heater: bool = False
    warm_below_c: float = 6.0
    warm_until_c: float = 9.0
    heat_max_c: float = 25.0
    heat_from_soc: float = 0.25
    heat_c_per_h: float = 4.0
    useless_s: float = 2700.0
    useless_c: float = 1.0
    retry_s: float = 6.0 * 3600.0
    fan_on_c: float = 35.0
    fan_off_c: float = 31.0
    fan_ahead_c: float = 3.0
    least_on_s: float = 120.0
    least_off_s: float = 120.0
    odd_c: float = 4.0
    odd_s: float = 600.0
    odd_release_c: float = 1.0
    loss_margin: float = 2.0
    ambient_margin_c: float = 5.0
    heater_c_per_h: float = 15.0
    credit_c: float = 1.0
    smooth_s: float = 30.0

    def __post_init__(self) -> None:
        """Raises ValueError for numbers that mean nothing or are out of order."""
        numbers = [getattr(self, name) for name in self.__dataclass_fields__]
        if not all(isfinite(number) for number in numbers):
            raise ValueError("every thermal number must be finite")
        positive = (self.heat_j_per_k, self.least_tau_s, self.ohm, self.horizon_s, self.mean_s)
        if not min(*positive, self.full_a, self.smooth_s, self.odd_s, self.odd_c) > 0.0:
            raise ValueError("heat, time constants, resistance and full current must be above 0")
        for low, high in (
            ("least_tau_s", "tau_s"),
            ("tau_s", "most_tau_s"),
            ("cold_block_c", "cold_release_c"),
            ("cold_release_c", "warm_below_c"),
            ("warm_below_c", "warm_until_c"),
            ("warm_until_c", "heat_max_c"),
            ("heat_max_c", "fan_on_c"),
            ("fan_off_c", "fan_on_c"),
            ("charge_limit_c", "discharge_limit_c"),
        ):
            if not getattr(self, low) <= getattr(self, high):
                raise ValueError(f"{low} must not be above {high}")
