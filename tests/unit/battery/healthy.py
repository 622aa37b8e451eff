"""A battery that nothing is wrong with, as the limits see it."""

from __future__ import annotations

from gridzero.domain.battery import BatteryView

HEALTHY = BatteryView(
    min_cell_v=3.70,
    max_cell_v=3.72,
    min_cell="a3.1",
    max_cell="a3.2",
    pack_v=44.5,
    volt_age_s=0.4,
    low_c=20.0,
    high_c=23.0,
    temp_age_s=1.0,
    modules=9,
    healthy=9,
    silent=(),
    no_temp=(),
    suspects=(),
    implausible=(),
)
