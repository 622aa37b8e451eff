"""A house on one line: snapshots with everything healthy unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.converters import ConverterSpec, Dynamics
from gridzero.domain.modes import Wanted
from gridzero.domain.readings import ConverterState, CurrentReading, MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView, Snapshot

DYNAMICS = Dynamics(dead_time_s=0.3, jump_w=57, rise_w_per_s=75, fall_w_per_s=100)
FAST = Dynamics(dead_time_s=0.5, jump_w=0, rise_w_per_s=800, fall_w_per_s=800)


def converter(name: str, max_w: float, min_w: float, dynamics: Dynamics) -> ConverterView:
    return ConverterView(
        name=name,
        spec=ConverterSpec(min_w=min_w, max_w=max_w, efficiency=0.9, dynamics=dynamics),
        state=ConverterState.OFF,
        reading=None,
        silent=False,
    )


INVERTER = converter("inverter", 900.0, 27.0, DYNAMICS)
CHARGER = converter("charger", 2800.0, 115.0, FAST)

VIEW = BatteryView(
    min_cell_v=3.7,
    max_cell_v=3.7,
    min_cell="a1.1",
    max_cell="a1.2",
    pack_v=44.4,
    volt_age_s=0.1,
    low_c=20.0,
    high_c=20.0,
    temp_age_s=0.5,
    modules=9,
    healthy=9,
    silent=(),
    no_temp=(),
    suspects=(),
    implausible=(),
)
LIMITS = CurrentLimits(
    charge_a=50.0,
    discharge_a=50.0,
    charge_because=Because.CURRENT_LIMIT,
    discharge_because=Because.CURRENT_LIMIT,
    max_v=49.2,
)


def house(grid_w: float = 0.0, now_s: float = 100.0, **changes: Any) -> Snapshot:
    snapshot = Snapshot(
        now_s=now_s,
        meter=MeterReading(now_s - 0.3, now_s, grid_w),
        battery=VIEW,
        modules=(),
        limits=LIMITS,
        shunt=CurrentReading(now_s, 0.0),
        shunt_expected=True,
        chargers=(CHARGER,),
        inverters=(INVERTER,),
        wanted=Wanted(),
    )
    return replace(snapshot, **changes)


@pytest.fixture(name="house")
def _house() -> Any:
    return house
