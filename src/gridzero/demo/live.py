"""In real time: a python-can virtual bus, a pseudo-terminal and MQTT over TCP on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from gridzero.app import App, build
from gridzero.config.links import (
    CanLinkConfig,
    GpioLinkConfig,
    HttpLinkConfig,
    I2cLinkConfig,
    SerialLinkConfig,
    UdpLinkConfig,
)
from gridzero.config.loader import Loaded
from gridzero.config.models import Config
from gridzero.demo.scene import Scene, Watcher, build_house, build_twins
from gridzero.errors import LinkError
from gridzero.links.mqtt_client import RealMqtt
from gridzero.ports.clock import LoopClock
from gridzero.ports.plugin import DriverPlugin
from gridzero.real_links import RealLinks, up_soon
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.stores import MemoryStore
from gridzero.runtime.supervisor import Ending, Service
from gridzero.sim.twin_bench import RealMedia, TwinBench

_HOST = "127.0.0.1"


class LiveSite:
    """A configured site on real links whose other ends are twins. Needs a running loop.

    Serial ports of the configuration are replaced by pseudo-terminals, I2C buses by simulated
    ones, and the built-in broker takes another port if its own is taken. CAN links must be
    python-can ``virtual``.
    """

    def __init__(
        self,
        loaded: Loaded,
        plugins: Mapping[str, DriverPlugin],
        scene: Scene,
        *,
        step_s: float = 0.02,
    ) -> None:
        faults = FaultBook(LoopClock())
        port = free_port(loaded.config.mqtt.embedded.port)
        self.port = port
        self.media = RealMedia(
            channels=_channels(loaded.config),
            report=_untold,
            mqtt=RealMqtt(host=_HOST, port=port, name="twins", report=_untold),
        )
        loaded = replace(loaded, config=self._rewired(loaded.config, port))
        chips = {
            name: self.media.gpio(name)
            for name, link in loaded.config.links.items()
            if isinstance(link, GpioLinkConfig)
        }
        links = RealLinks(loaded.config, faults, chips)
        for name, link in loaded.config.links.items():
            if isinstance(link, I2cLinkConfig):
                links.simulate_i2c(self.media.i2c(name))
            elif isinstance(link, HttpLinkConfig):
                links.simulate_net(self.media.http(name))
            elif isinstance(link, UdpLinkConfig):
                links.simulate_net(self.media.udp(name))
        self.links = links
        self.app: App = build(
            loaded,
            plugins,
            links,
            faults=faults,
            store=MemoryStore(),
            learned=MemoryStore(),
            latched=MemoryStore(),
            memory=MemoryStore(),
            energy=MemoryStore(),
            energy_days=MemoryStore(),
            link_services=tuple(links.services()),
            links_ready=links.ready,
        )
        self.house = build_house(self.app, scene)
        self.twins = build_twins(loaded, plugins, self.house, scene.seed)
        self.bench = TwinBench(self.house, self.twins, self.media, step_s=step_s)
        self.watcher = Watcher(self.app, self.house)

    async def run(self, stop: asyncio.Event, extra: Sequence[Service] = ()) -> Ending:
        """Live until stop is set; the twins outlive the site to answer its stop sequences."""
        outer = [
            asyncio.create_task(self._connect_twins(), name="twins' links"),
            asyncio.create_task(self.bench.run(), name="twin bench"),
        ]
        for task in outer:
            task.add_done_callback(lambda _: stop.set())
        try:
            return await self.app.run(stop, extra)
        finally:
            ended = [task for task in outer if task.done()]
            for task in outer:
                task.cancel()
            await asyncio.gather(*outer, return_exceptions=True)
            for task in ended:
                task.result()  # a bug in a twin must not pass unseen

    async def _connect_twins(self) -> None:
        if self.links.broker is not None:
            await up_soon(self.links.broker.health)
        await self.media.run()

    def _rewired(self, config: Config, port: int) -> Config:
        links = {
            name: link.model_copy(update={"port": self.media.pty_path(name)})
            if isinstance(link, SerialLinkConfig)
            else link
            for name, link in config.links.items()
        }
        embedded = config.mqtt.embedded.model_copy(update={"port": port})
        mqtt = config.mqtt.model_copy(update={"embedded": embedded, "host": None})
        return config.model_copy(update={"links": links, "mqtt": mqtt})


def _channels(config: Config) -> dict[str, str]:
    return {
        name: link.channel for name, link in config.links.items() if isinstance(link, CanLinkConfig)
    }


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """What happens to the twins' own ends is not the house's trouble."""


def free_port(preferred: int) -> int:
    """The preferred TCP port of this machine, or another one where somebody listens on it."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_HOST, port))
            bound: int = probe.getsockname()[1]
            return bound
    raise LinkError("no TCP port is free", where=_HOST, remedy="End other programs")
