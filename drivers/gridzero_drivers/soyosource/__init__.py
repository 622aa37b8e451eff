"""SoyoSource GTN-1000 and GTN-1200 grid-tie inverters over RS485."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero_drivers.soyosource.driver import SoyosourceInverter
from gridzero_drivers.soyosource.explain import explain
from gridzero_drivers.soyosource.options import SoyosourceOptions
from gridzero_drivers.soyosource.twin import device_twin
from gridzero_drivers.soyosource.vectors import check_vector

plugin = DriverPlugin(
    name="soyosource",
    summary="SoyoSource grid-tie inverters, one or several on one RS485 port",
    role=Role.INVERTER,
    options=SoyosourceOptions,
    build=SoyosourceInverter,
    twin=device_twin,
    check_vector=check_vector,
    link_names=lambda options: (("serial", options.link),),
    dc_window=lambda options: options.window,
    explain=explain,
)
