"""Grid meters that are asked over HTTP: JSON, plain numbers or SML."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.http_meter.driver import HttpMeter
from gridzero_drivers.http_meter.options import HttpMeterOptions
from gridzero_drivers.http_meter.profiles import PROFILES
from gridzero_drivers.http_meter.twin import HttpMeterTwin
from gridzero_drivers.http_meter.vectors import check_vector


def _twin(options: HttpMeterOptions, world: World, seed: int) -> DeviceTwin:
    return DeviceTwin(http={options.link: HttpMeterTwin(options, world, seed)})


plugin = DriverPlugin(
    name="http_meter",
    summary="Grid meter that is asked over HTTP, by JSON path or OBIS code",
    role=Role.METER,
    options=HttpMeterOptions,
    build=HttpMeter,
    twin=_twin,
    check_vector=check_vector,
    link_names=lambda options: (("http", options.link),),
    doubts=HttpMeterOptions.doubts,
    profiles=PROFILES,
)
