"""What people look at, beside the process: the faces of ``gridzero companion`` in one loop.

Those that need a socket are left out, except that the metrics are read as a scraper would.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from gridzero.bench.soak.disk import Disk
from gridzero.config.loader import Loaded
from gridzero.links.memory import MemoryBroker, MemoryMqtt
from gridzero.outputs.companion import host
from gridzero.outputs.face import Face
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.ear import Ear
from gridzero.outputs.history.recorder import Recorder
from gridzero.outputs.home_assistant.face import HomeAssistantFace
from gridzero.outputs.reference_topics import ReferenceTopics
from gridzero.ports.clock import LoopClock
from gridzero.ports.links import MqttMessage

T = TypeVar("T")


class Beside:
    """The companion, that can be killed; and somebody who hears every message.

    backwards: counters that fell, and when. state: the newest word. topics: all that were used.
    """

    def __init__(
        self,
        loaded: Loaded,
        broker: MemoryBroker,
        folder: Path,
        utc_s: Callable[[], float],
        disk: Disk,
    ) -> None:
        self._loaded, self._broker, self._folder = loaded, broker, folder
        self._utc_s, self._disk = utc_s, disk
        self._task: asyncio.Task[None] | None = None
        self._link: MemoryMqtt | None = None
        self._old: list[asyncio.Task[None]] = []
        self.topics: set[str] = set()
        self.messages = 0
        self.state: dict[str, Any] = {}
        self.counters: dict[str, Any] = {}
        self.backwards: list[str] = []
        self.listener = broker.attach()
        self.listener.subscribe("#", self._hear)

    @property
    def file(self) -> Path:
        """The history."""
        return self._folder / "history.sqlite"

    @property
    def size_bytes(self) -> int:
        """Of all that it keeps."""
        return sum(file.stat().st_size for file in self._folder.iterdir())

    def begin(self) -> None:
        """A new process."""
        clock = LoopClock()
        self._link = self._broker.attach()
        feed = Feed(self._link, clock, self._loaded.config.mqtt.topic_prefix)
        faces = list(self._faces(feed, clock))
        self._task = asyncio.create_task(host(faces, clock), name="companion")

    def kill(self) -> None:
        """It hears and says nothing more; SQLite's file stays as it is."""
        if self._task is None or self._link is None:
            return
        self._link.leave()
        self._task.cancel()
        self._old = [task for task in self._old if not task.done()] + [self._task]
        self._task = None

    async def end(self) -> None:
        """Kill it and wait for its last batch."""
        self.kill()
        await asyncio.gather(*self._old, return_exceptions=True)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish as anybody on the network could."""
        self._broker.put(topic, payload, retain)

    def ask(self, what: str, value: str) -> None:
        """As the dashboard asks."""
        wish = {"id": f"{what} {value}", "what": what, "value": value, "by": "soak"}
        self.say("gridzero/ask", json.dumps(wish).encode())

    def _faces(self, feed: Feed, clock: LoopClock) -> Iterator[Face]:
        config = self._loaded.config
        ear = Ear(feed, clock, self._utc_s)
        yield Recorder(feed, clock, self.file, config.history, ear, self._at_once)
        yield HomeAssistantFace(feed, clock, config.home_assistant, state_dir=self._folder)
        yield ReferenceTopics(feed, clock, config.reference_topics.prefix)

    def _at_once(self, function: Callable[[], T], *, limit_s: float) -> Awaitable[T]:  # noqa: ARG002 - the thread's
        """See history.recorder.Thread; a full disk is one for SQLite, too."""

        async def called() -> T:
            if self._disk.is_full:
                raise sqlite3.OperationalError("database or disk is full")
            return function()

        return called()

    def _hear(self, message: MqttMessage) -> None:
        self.messages += 1
        self.topics.add(message.topic)
        if message.topic == "gridzero/energy":
            self._hear_energy(json.loads(message.payload))
        elif message.topic == "gridzero/state":
            self.state = json.loads(message.payload)

    def _hear_energy(self, told: dict[str, Any]) -> None:
        for key in told.keys() & self.counters.keys():
            before, after = self.counters[key], told[key]
            is_counter = key.endswith(("_kwh", "_h")) and before is not None
            if is_counter and (after is None or not after >= before):
                self.backwards.append(f"{key} {before} -> {after}")
        self.counters = told
