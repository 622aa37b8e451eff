"""Current limits that leave a battery no warmer than it may become."""

from __future__ import annotations

from dataclasses import replace

from gridzero.domain.battery import CurrentLimits
from gridzero.domain.reasons import Because
from gridzero.domain.thermal import ThermalState

_COLD_C = 10.0


def cooled(limits: CurrentLimits, state: ThermalState, full_a: float) -> CurrentLimits:
    """The limits, cut by what the prediction allows.

    full_a: what factor 1 stands for, of all healthy modules together.
    """
    charge_a = full_a * state.charge_factor
    discharge_a = full_a * state.discharge_factor
    because = _because(state)
    if charge_a < limits.charge_a:
        limits = replace(limits, charge_a=charge_a, charge_because=because)
    if discharge_a < limits.discharge_a:
        limits = replace(limits, discharge_a=discharge_a, discharge_because=because)
    return limits


def _because(state: ThermalState) -> Because:
    if state.coldest_c is None:
        return Because.TEMPERATURE_UNKNOWN
    return Because.TOO_COLD if state.coldest_c < _COLD_C else Because.TOO_HOT
