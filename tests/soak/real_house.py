"""House and twins on the kernel's own CAN sockets, a pseudo-terminal and a real broker."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from gridzero.config.loader import load_text
from gridzero.demo.scene import build_twins
from gridzero.links.mqtt_client import RealMqtt
from gridzero.plugins import load_plugins
from gridzero.ports.links import MqttMessage
from gridzero.sim.house import House
from gridzero.sim.household import Household
from gridzero.sim.pack import Pack
from gridzero.sim.sources import PowerSource, steps
from gridzero.sim.twin_bench import RealMedia, TwinBench

BROKER_PORT: Final = 18883
CABLES: Final = {"battery": ("canbat", "canbatx"), "charger": ("canpsu", "canpsux")}
"""Link -> (gridzero's end, the twins' end) of a vxcan pair: as a driver's frames come from another
node, gridzero hears only what this machine did not send itself."""
STEP_S: Final = 0.25  # it shares its processors with tests
_EVENING_S = 19.2 * 3600.0  # the sun of this house begins with twelve minutes of night
_LEAST_W, _SUN_W, _SUN_EACH_S = 250.0, 2400.0, 720.0

CONFIG = """\
site:
  name: Soak
  state_dir: {folder}/state
  log: {{level: info, format: json}}
mqtt: {{host: 127.0.0.1, port: {port}}}
links:
  battery: {{type: can, channel: canbat}}
  charger: {{type: can, channel: canpsu}}
  inverter: {{type: serial, port: {pty}}}
devices:
  meter: {{driver: mqtt_meter, topic: meterbox/grid, expected_interval_s: 0.5}}
  battery:
    driver: vw_gte
    buses:
      a: {{link: battery, modules: [1, 2, 3]}}
  rectifier: {{driver: vertiv_r48, link: charger, model: R48-3000e3, max_w: 2800, max_v: 49.2}}
  inverter: {{driver: soyosource, link: inverter, max_w: 900, system_v: 36, read_status: true}}
control: {{mode: auto}}
prices: {{import_ct: 30, export_ct: 8}}
reference_topics: {{enabled: true}}
"""


class _Load:
    """A household that always needs something, so that a battery at rest means a fault."""

    def __init__(self) -> None:
        self._household = Household(1)

    def power_w(self, at_s: float) -> float:
        return _LEAST_W + min(self._household.power_w(at_s), 600.0)


def lay_cable(link: str) -> None:
    """Make a vxcan pair and bring both ends up."""
    ours, theirs = CABLES[link]
    order("ip", "link", "add", ours, "type", "vxcan", "peer", "name", theirs)
    for end in (ours, theirs):
        order("ip", "link", "set", end, "up")


def order(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class RealHouse:
    """Everything but gridzero and its broker. Make it inside a running loop.

    counters: the newest ones; backwards: those that fell.
    """

    def __init__(self, folder: Path) -> None:
        self.mqtt = RealMqtt(
            host="127.0.0.1", port=BROKER_PORT, name="twins", report=lambda *_, **__: None
        )
        ends = {link: theirs for link, (_, theirs) in CABLES.items()}
        self.media = RealMedia(
            channels=ends, report=lambda *_, **__: None, mqtt=self.mqtt, interface="socketcan"
        )
        pty = self.media.pty_path("inverter")
        text = CONFIG.format(folder=folder, port=BROKER_PORT, pty=pty)
        self.config = folder / "house.yaml"
        self.config.write_text(text)
        loaded = load_text(text, self.config, load_plugins())
        pack = Pack(dict.fromkeys(("a1", "a2", "a3"), 12), soc=0.6, temp_c=18.0, seed=1)
        sun: PowerSource = steps((0.0, 0.0), (_SUN_EACH_S, _SUN_W), repeat_s=2 * _SUN_EACH_S)
        self.house = House(_Load(), sun, pack, time_of_day_s=_EVENING_S)
        self.twins: dict[str, Any] = build_twins(loaded, load_plugins(), self.house, 1)
        self.bench = TwinBench(self.house, self.twins, self.media, step_s=STEP_S)
        self.rectifier.registers.offline_fraction = 0.0  # as the owner is asked to set it
        self.backwards: list[str] = []
        self.counters: dict[str, Any] = {}
        self.mqtt.subscribe("gridzero/energy", self._hear)

    @property
    def rectifier(self) -> Any:
        return next(iter(self.twins["rectifier"].can.values()))

    @property
    def inverter(self) -> Any:
        return next(iter(self.twins["inverter"].serial.values()))

    @property
    def modules(self) -> Any:
        return next(iter(self.twins["battery"].can.values()))

    def pty(self) -> Any:
        return self.media.serial("inverter")

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.media.run())
            group.create_task(self.bench.run())

    def _hear(self, message: MqttMessage) -> None:
        told = json.loads(message.payload)
        for key in told.keys() & self.counters.keys():
            before, after = self.counters[key], told[key]
            if key.endswith("_kwh") and before is not None and not (after or 0.0) >= before:
                self.backwards.append(f"{key} {before} -> {after}")
        self.counters = told


class Watch:
    """Looks at the true power: flows_w, and since when it is what it is."""

    def __init__(self, house: House, now_s: Callable[[], float]) -> None:
        self._house, self._now_s = house, now_s
        self.flowed_s = self.rested_s = now_s()
        self.worst_cell_v = (4.0, 3.6)

    def look(self) -> None:
        power_w = abs(self._house.battery_w)
        if power_w > 30.0:
            self.flowed_s = self._now_s()
        else:
            self.rested_s = self._now_s()
        volts = [v for name in self._house.pack.modules for v in self._house.pack.cell_v(name)]
        highest, lowest = self.worst_cell_v
        self.worst_cell_v = max(highest, *volts), min(lowest, *volts)
