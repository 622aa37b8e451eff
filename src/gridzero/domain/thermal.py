"""How warm the battery is, how warm it will be, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridzero.domain.alarms import Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalState:
    """The battery's heat at one moment, degrees Celsius.

    predicted_c: by module, at the end of the horizon with the present mean current; None while
    its temperature is not known. hottest_c, coldest_c: bounds over all sensors, None while any
    module is unknown. ambient_c: what the modules cool towards, as learned. charge_factor,
    discharge_factor: 0..1 of full current. heat_on, fan_on: what the outputs shall do.
    warm_in_s: until it is warm enough to charge, at the learned speed of the heater; 0 when it
    is, None when nobody knows or there is no heater. because: in words, what limits or heats.
    """

    at_s: float
    predicted_c: Mapping[str, float | None]
    hottest_c: float | None
    coldest_c: float | None
    ambient_c: float | None
    charge_factor: float
    discharge_factor: float
    heat_on: bool
    fan_on: bool
    warm_in_s: float | None
    because: tuple[str, ...]
    alarms: tuple[Alarm, ...]
