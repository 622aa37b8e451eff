"""SMA Energy Meter and Sunny Home Manager 2.0, by their datagrams in the network."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin, Profile
from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.metering.named import doubts
from gridzero_drivers.sma_meter.driver import SmaMeter
from gridzero_drivers.sma_meter.options import SmaMeterOptions
from gridzero_drivers.sma_meter.twin import SmaMeterTwin
from gridzero_drivers.sma_meter.vectors import check_vector


def _twin(options: SmaMeterOptions, world: World, seed: int) -> DeviceTwin:
    return DeviceTwin(udp={options.link: SmaMeterTwin(options, world, seed)})


PROFILE = Profile(
    name="sma_meter",
    number=12,
    title="SMA Energy Meter and Sunny Home Manager 2.0",
    traps=(
        "each second; 200 ms where that is set in Sunny Portal",
        "multicast reaches a container only with host network, and no switch that filters it",
        "several meters in one network: set serial",
    ),
)

plugin = DriverPlugin(
    name="sma_meter",
    summary="SMA Energy Meter or Home Manager, by its multicast datagrams",
    role=Role.METER,
    options=SmaMeterOptions,
    build=SmaMeter,
    twin=_twin,
    check_vector=check_vector,
    link_names=lambda options: (("udp", options.link),),
    doubts=lambda options: doubts(None, options),
    profiles=(PROFILE,),
)
