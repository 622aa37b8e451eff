"""Any grid meter that speaks MQTT: plain numbers or JSON, one topic or one per phase."""

from __future__ import annotations

from gridzero.ports.devices import Role
from gridzero.ports.plugin import DriverPlugin
from gridzero.ports.twins import DeviceTwin, World
from gridzero_drivers.mqtt_meter.driver import MqttMeter
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions
from gridzero_drivers.mqtt_meter.profiles import PROFILES
from gridzero_drivers.mqtt_meter.twin import MeterTwin
from gridzero_drivers.mqtt_meter.vectors import check_vector


def _twin(options: MqttMeterOptions, world: World, seed: int) -> DeviceTwin:
    return DeviceTwin(mqtt=(MeterTwin(options, world, seed),))


plugin = DriverPlugin(
    name="mqtt_meter",
    summary="Grid meter over MQTT, by topic and JSON path",
    role=Role.METER,
    options=MqttMeterOptions,
    build=MqttMeter,
    twin=_twin,
    check_vector=check_vector,
    link_names=lambda _options: (("mqtt", "mqtt"),),
    doubts=MqttMeterOptions.doubts,
    profiles=PROFILES,
)
