"""A RealMqtt alone, with what it heard and what people are told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from process_site import LOOPBACK, until

from gridzero.links.mqtt_client import RealMqtt
from gridzero.ports.links import MqttMessage

STATUS = "gridzero/status"


class Listener:
    """standing: the faults that stand, with their text."""

    def __init__(self, port: int, *topics: str, host: str = LOOPBACK, **options: Any) -> None:
        self.standing: dict[tuple[str, str], str] = {}
        self.told: list[tuple[str, bool]] = []
        self.got: list[MqttMessage] = []
        options = {"will_topic": STATUS, **options}
        self.link = RealMqtt(host=host, port=port, report=self._report, **options)
        for topic in topics:
            self.link.subscribe(topic, self.got.append)

    def _report(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        self.told.append((code, active))
        if active:
            self.standing[code, subject] = text
        else:
            self.standing.pop((code, subject), None)

    @property
    def is_up(self) -> bool:
        return self.link.health.state == "up"

    @property
    def outage(self) -> str:
        """What is told about the connection, "" while nothing is."""
        return self.standing.get(("link_down", "mqtt"), "")

    def heard(self, topic: str) -> list[bytes]:
        return [message.payload for message in self.got if message.topic == topic]


@asynccontextmanager
async def listening(one: Listener) -> AsyncIterator[Listener]:
    task = asyncio.ensure_future(one.link.run())
    try:
        yield one
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def connected(port: int, *topics: str, **options: Any) -> AsyncIterator[Listener]:
    async with listening(Listener(port, *topics, **options)) as one:
        await until(lambda: one.is_up)
        yield one
