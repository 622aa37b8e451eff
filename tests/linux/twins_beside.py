"""The devices of a house, in a process of their own: at the far ends of its wires.

    twins_beside.py HOUSE_YAML [PORT]

The far end of a CAN link's interface NAME is NAME-far. The serial port of the configuration
becomes a link to a pseudo-terminal. PORT is that of the broker, where the house has another one
for gridzero. A number on standard input is the load from then on, W. Five
times a second a line of JSON tells the truth: at_s (monotonic), grid_w, battery_w, load_w, and what
stands on the inverter's wire: demand_w for each unit, since demand_s (monotonic).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from gridzero.config.links import CanLinkConfig, SerialLinkConfig
from gridzero.config.loader import load
from gridzero.links.mqtt_client import RealMqtt
from gridzero.plugins import load_plugins
from gridzero.sim.house import House
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Constant
from gridzero.sim.twin_bench import RealMedia, TwinBench
from gridzero_drivers.soyosource.codec import Demand
from gridzero_drivers.soyosource.stream import DEMAND, FrameStream
from gridzero_drivers.vw_gte.options import VwGteOptions

TELL_EVERY_S = 0.2


class Load:
    """What the house uses, set from outside."""

    def __init__(self) -> None:
        self.value_w = 200.0

    def power_w(self, at_s: float) -> float:
        return self.value_w

    def take(self) -> None:
        for line in os.read(sys.stdin.fileno(), 4096).split():
            self.value_w = float(line)


class Wire:
    """What an inverter is told, by the bytes that arrive at its port."""

    def __init__(self) -> None:
        self.demand_w: int | None = None
        self.demand_s = 0.0
        self._stream: FrameStream[Demand] = FrameStream((DEMAND,), lambda _: None)

    def take(self, data: bytes) -> None:
        for frame in self._stream.feed(data):
            if frame.power_w != self.demand_w:
                self.demand_w, self.demand_s = frame.power_w, time.monotonic()


def untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """What happens at the far ends is the test's own doing."""


async def live(file: Path, *ports: str) -> None:
    plugins = load_plugins()
    loaded = load(file, plugins)
    links = loaded.config.links
    media = RealMedia(
        channels={
            n: f"{at.channel}-far" for n, at in links.items() if isinstance(at, CanLinkConfig)
        },
        report=untold,
        mqtt=RealMqtt(
            host="127.0.0.1",
            port=int(ports[0]) if ports else loaded.config.mqtt.port,
            name="twins",
            report=untold,
        ),
        interface="socketcan",
    )
    wire = Wire()
    for name, link in links.items():
        if isinstance(link, SerialLinkConfig):
            link_to(media.pty_path(name), link.port)
            media.serial(name).listen(wire.take)
    options = loaded.device_options
    modules = {
        member.name: member.series_cells
        for each in options.values()
        if isinstance(each, VwGteOptions)
        for member in each.members()
    }
    wanted = Load()
    house = House(wanted, Constant(0.0), Pack(modules, soc=0.6, temp_c=20.0, seed=1))
    twins = {
        name: plugins[loaded.config.devices[name]["driver"]].twin(each, house, number)
        for number, (name, each) in enumerate(options.items())
    }
    bench = TwinBench(house, twins, media, step_s=0.05)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), wanted.take)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(media.run())
        tasks.create_task(bench.run())
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            tell(house, wire)


def link_to(path: str, name: str) -> None:
    Path(name).symlink_to(path)


def tell(house: House, wire: Wire) -> None:
    truth = {"grid_w": house.grid_w, "battery_w": house.battery_w, "load_w": house.load_w}
    told = {"demand_w": wire.demand_w, "demand_s": wire.demand_s}
    print(json.dumps({"at_s": time.monotonic(), **truth, **told}), flush=True)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), *sys.argv[2:]))
