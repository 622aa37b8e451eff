"""Battery current by a shunt and a TI ADS1115 on I2C."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.ads1115_shunt.driver import Ads1115Shunt
from gridzero_drivers.ads1115_shunt.options import ShuntOptions
from gridzero_drivers.ads1115_shunt.twin import ShuntTwin
from gridzero_drivers.ads1115_shunt.vectors import check_vector


def _twin(options: ShuntOptions, world: World, seed: int) -> DeviceTwin:
    return DeviceTwin(i2c={(options.link, options.address): ShuntTwin(options, world, seed)})


def _links(options: ShuntOptions) -> tuple[tuple[str, str], ...]:
    return (("i2c", options.link),)


plugin = DriverPlugin(
    name="ads1115_shunt",
    summary="Battery current by a shunt on an ADS1115 (I2C)",
    role=Role.SHUNT,
    options=ShuntOptions,
    build=Ads1115Shunt,
    twin=_twin,
    check_vector=check_vector,
    link_names=_links,
    addresses=lambda options: ((options.link, f"0x{options.address:02x}"),),
)
