"""How a command reaches a running gridzero: as one more client of its broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gridzero.config.loader import load
from gridzero.config.models import MqttConfig
from gridzero.errors import ConfigError
from gridzero.links.mqtt_client import RealMqtt
from gridzero.plugins import find_plugins
from gridzero.ports.plugin import Report
from gridzero.real_links import mqtt_of


def account(config: Path | None, broker: str | None) -> MqttConfig:
    """The broker of a configuration, the named one instead, or the embedded one's default."""
    mqtt = load(config, find_plugins().plugins).config.mqtt if config else MqttConfig()
    return mqtt if broker is None else broker_of(broker, mqtt.topic_prefix)


def broker_of(broker: str, prefix: str) -> MqttConfig:
    """The broker that HOST:PORT names. Raises ConfigError for anything else."""
    host, _, port = broker.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(f"{broker!r} is no broker", where="--mqtt", remedy="Write host:port")
    return MqttConfig(host=host, port=int(port), topic_prefix=prefix)


def client(mqtt: MqttConfig, report: Report | None = None) -> RealMqtt:
    """A client of that broker that says nothing of itself. report: hears of outages."""
    return mqtt_of(mqtt, report or _untold)


@asynccontextmanager
async def running(link: RealMqtt) -> AsyncIterator[None]:
    """Keep a client connected meanwhile. Subscribe before; begin with ``up_soon(link.health)``."""
    task = asyncio.create_task(link.run(), name="mqtt")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """A link that is down shows by nobody answering."""
