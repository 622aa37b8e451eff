"""A simulated house with Home Assistant's face beside it, as over a broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from gridzero.config.faces import HomeAssistantConfig
from gridzero.config.loader import load_text
from gridzero.demo.command import demo_config
from gridzero.demo.simulated import SimulatedSite
from gridzero.links.memory import MemoryBroker, MemoryMqtt
from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.face import HomeAssistantFace
from gridzero.plugins import find_plugins
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import MqttMessage

PREFIX = "homeassistant"


class Ear:
    """Everything that was said, with when; and the mouth of Home Assistant."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.link: MemoryMqtt = broker.attach()
        self.heard: list[tuple[float, str, str]] = []
        self.link.subscribe("#", self._take)

    def _take(self, message: MqttMessage) -> None:
        if not message.retained:
            self.heard.append((message.received_at_s, message.topic, message.payload.decode()))

    def times(self, topic: str) -> list[float]:
        return [at_s for at_s, heard, _ in self.heard if heard == topic]

    def last(self, topic: str) -> str | None:
        return next((text for _, heard, text in reversed(self.heard) if heard == topic), None)

    def values(self, topic: str) -> dict[str, Any]:
        text = self.last(f"gridzero/ha/{topic}")
        return json.loads(text) if text else {}

    def announced(self) -> dict[str, dict[str, Any]]:
        """Discovery topic -> message that the broker keeps."""
        return {
            topic: json.loads(payload)
            for topic, payload in self.broker.retained.items()
            if topic.startswith(f"{PREFIX}/")
        }


def face_of(broker: MemoryBroker, folder: Path, **options: Any) -> HomeAssistantFace:
    feed = Feed(broker.attach(), LoopClock(), "gridzero")
    config = HomeAssistantConfig(**options)
    return HomeAssistantFace(feed, LoopClock(), config, state_dir=folder)


def demo(*, without: tuple[int, ...] = ()) -> SimulatedSite:
    """The demo's house; without: modules of bus b that are not configured."""
    plugins = find_plugins().plugins
    values = yaml.safe_load(demo_config().read_text())
    for number in without:
        values["devices"]["battery"]["buses"]["b"]["modules"].remove(number)
    loaded = load_text(yaml.safe_dump(values), demo_config(), plugins)
    return SimulatedSite(loaded, plugins)


@asynccontextmanager
async def running(site: SimulatedSite, *faces: HomeAssistantFace) -> AsyncIterator[None]:
    """Site and faces live inside."""
    tasks = [asyncio.create_task(face.run()) for face in faces]
    house = asyncio.create_task(site.run())
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        site.stop.set()
        await house
