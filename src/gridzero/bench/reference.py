"""The reference house: nine modules on two buses, rectifier, inverter, shunt and meter.

Devices, battery and control are those of configs/reference-house.yaml (a test compares them).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gridzero.config.loader import Loaded, load_text
from gridzero.plugins import load_plugins
from gridzero.sim.house import House
from gridzero.sim.household import Household
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Sun

CAN_LINKS = ("battery_a", "battery_b", "charger")
SERIAL_LINK = "inverter"
METER_TOPIC = "meterbox/grid"
START_H = 19.0
"""In the evening the sun is down, so the inverter works."""

_TEXT = """\
site:
  name: Reference house
  state_dir: {folder}
mqtt:
  embedded: {{port: {port}}}
links:
  battery_a: {{type: can, channel: lo, bitrate: 500000, options: {{descriptor: {battery_a}}}}}
  battery_b: {{type: can, channel: lo, bitrate: 500000, options: {{descriptor: {battery_b}}}}}
  charger: {{type: can, channel: lo, bitrate: 125000, options: {{descriptor: {charger}}}}}
  inverter: {{type: serial, port: {pty}, baud: 4800}}
  sensors: {{type: i2c, bus_number: 1}}
devices:
  meter:
    driver: mqtt_meter
    topic: meterbox/grid
    expected_interval_s: 0.5
  battery:
    driver: vw_gte
    buses:
      a: {{link: battery_a, modules: [3, 7, 8]}}
      b: {{link: battery_b, modules: [1, 2, 3, 4, 6, 7]}}
    series_cells: 12
    variant: gte_gen1
  shunt:
    driver: ads1115_shunt
    link: sensors
    address: 0x48
    gain_v: 0.256
    rated_a: 100
    rated_mv: 75
    invert: false
  rectifier:
    driver: vertiv_r48
    link: charger
    module: 0
    model: R48-3000e3
    max_w: 2800
    max_v: 49.2
  inverter:
    driver: soyosource
    link: inverter
    units: 1
    max_w: 900
    read_status: false
    system_v: 36
battery:
  profile: vw_gte_12s
  max_charge_a: 50
  max_discharge_a: 50
  max_module_a: 12.5
  balancing: true
control:
  target_w: 0
  mode: auto
  min_discharge_w: 30
  target_topic: meterbox/chargeTarget
  target_timeout_s: 15
"""


def text(folder: Path, *, port: int, pty: str, descriptors: Mapping[str, int]) -> str:
    """The configuration file for a service on inherited sockets (see ``service``)."""
    return _TEXT.format(folder=folder, port=port, pty=pty, **descriptors)


def few(modules: int) -> str:
    """The configuration with links that lead nowhere and 2 to 9 of the modules."""
    yaml = text(Path("state"), port=1883, pty="none", descriptors=_nowhere())
    on_a, on_b = [3, 7, 8], [1, 2, 3, 4, 6, 7]
    on_first = max(1, modules // 3)
    few_a, few_b = on_a[:on_first], on_b[: modules - on_first]
    for every, kept in ((on_a, few_a), (on_b, few_b)):
        yaml = yaml.replace(f"modules: {every}", f"modules: {kept}")
    return yaml


def _nowhere() -> dict[str, int]:
    return {name: number for number, name in enumerate(CAN_LINKS)}


def loaded(yaml: str | None = None) -> Loaded:
    """The checked configuration; without a text, one whose links lead nowhere."""
    yaml = yaml or text(Path("state"), port=1883, pty="none", descriptors=_nowhere())
    return load_text(yaml, Path("reference-house.yaml"), load_plugins())


def house(config: Loaded) -> House:
    """The simulated house for twins that have no site beside them."""
    buses = config.config.devices["battery"]["buses"]
    names = [f"{key}{number}" for key, bus in buses.items() for number in bus["modules"]]
    pack = Pack(dict.fromkeys(names, 12), soc=0.5, temp_c=18.0, seed=1)
    return House(Household(1), Sun(peak_w=2500.0), pack, time_of_day_s=START_H * 3600)
