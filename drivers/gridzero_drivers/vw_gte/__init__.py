"""Battery modules of VW Golf/Passat GTE, e-Golf and ID cars over CAN."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import WHOLE_LINK, DriverPlugin
from gridzero_drivers.vw_gte.driver import VwGteCells
from gridzero_drivers.vw_gte.explain import explain
from gridzero_drivers.vw_gte.options import VwGteOptions, link_names
from gridzero_drivers.vw_gte.twin import build_twin
from gridzero_drivers.vw_gte.vectors import check_vector

__all__ = ["VwGteCells", "VwGteOptions", "plugin"]

plugin = DriverPlugin(
    name="vw_gte",
    summary="VW Golf/Passat GTE, e-Golf and MEB battery modules (CAN, 500 kbit/s)",
    role=Role.CELLS,
    options=VwGteOptions,
    build=VwGteCells,
    twin=build_twin,
    check_vector=check_vector,
    link_names=link_names,
    addresses=lambda options: tuple((bus.link, WHOLE_LINK) for bus in options.buses.values()),
    explain=explain,
)
