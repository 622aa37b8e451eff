"""A gridzero that says its states over a broker in memory, and a recorder that hears them."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

from gridzero.config.faces import HistoryConfig
from gridzero.links.memory import MemoryBroker
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.catalogue import known
from gridzero.outputs.history.ear import Ear
from gridzero.outputs.history.recorder import Recorder
from gridzero.outputs.history.samples import Batch, Sample
from gridzero.outputs.history.store import Store
from gridzero.outputs.history.tables import RAW, Layouts, frames
from gridzero.ports.clock import LoopClock

T = TypeVar("T")

NOON_S = 1_790_000_000  # 2026-09-21, a full minute it is not
NOON_DS = NOON_S * 10
REASONS = ("covering_load", "storing_surplus", "balanced", "cell_full")


async def at_once(function: Callable[[], T], *, limit_s: float) -> T:
    """In place of a thread: simulated time waits for none."""
    assert limit_s > 0
    return function()


def state(number: int, **changes: Any) -> dict[str, Any]:
    """A state that looks like gridzero's, different for each number."""
    chance = random.Random(number)
    grid_w = chance.gauss(0, 30)
    return {
        "grid_w": round(grid_w, 1),
        "meter_age_s": round(chance.random() * 0.6, 2),
        "net_load_w": round(400 + 3 * grid_w, 1),
        "setpoint_w": 400.0,
        "wish_w": round(400 + 2 * grid_w, 1),
        "because": REASONS[number // 37 % len(REASONS)],
        "mode": "auto",
        "target_w": 0.0,
        "limits": {"charge_w": 2800, "discharge_w": 900},
        "battery": {
            "pack_v": 45.2,
            "current_a": round(chance.gauss(8, 1), 2),
            "soc_pct": round(70 - number / 1000, 1),
            "min_cell_v": 3.761,
            "max_cell_v": round(3.77 + chance.random() / 100, 3),
            "temp_low_c": 17.5,
            "temp_high_c": 19.0,
        },
        "chargers": {"rectifier": {"command_w": 0, "ac_w": None}},
        "inverters": {"soyo": {"command_w": 400, "ac_w": round(395 + grid_w / 10)}},
        **changes,
    }


def cells(number: int) -> dict[str, Any]:
    return {
        module: {
            "cells_v": [round(3.7 + cell / 1000 + number / 1000, 3) for cell in range(12)],
            "temps_c": [{"low": 17.0, "high": 18.0}, {"low": None, "high": None}],
        }
        for module in ("a3", "b1")
    }


def samples(count: int, from_ds: int = NOON_DS, step_ds: int = 10) -> list[Sample]:
    """Samples as the ear makes them, without an ear."""
    return [sample(number, from_ds + number * step_ds) for number in range(count)]


def sample(number: int, at_ds: int) -> Sample:
    chance = random.Random(number)
    return Sample(
        at_ds,
        10,
        {
            "grid_w": round(chance.gauss(0, 300)),
            "setpoint_w": round(chance.gauss(0, 300)),
            "meter_age_s": chance.randrange(70),
            "soc_pct": 700 - number // 100,
            "because": REASONS[number // 37 % len(REASONS)],
            **({"inverter.soyo.ac_w": 400 + number % 7} if number % 5 else {}),
        },
    )


def store_with(file: Path, found: list[Sample], batch: int = 30) -> None:
    """A history with these samples, written batch by batch and closed."""
    store = Store.open(file)
    for part in parts(found, batch):
        store.write(Batch(samples=part))
    store.close()


def parts(found: list[T], size: int) -> Iterator[list[T]]:
    return (found[begin : begin + size] for begin in range(0, len(found), size))


def in_units(name: str, steps: float) -> float:
    return round(steps * known(name).step, 4)


def rows_in(file: Path) -> int:
    """How many samples a history holds."""
    with closing(sqlite3.connect(file)) as connection:
        found = frames(connection, Layouts(connection), RAW, 0, 2**50)
        return sum(len(frame.at_ds) for frame in found)


class House:
    """What is said, and the recorder's side of it. ahead_s: the time of day over the loop's."""

    def __init__(self, file: Path, **settings: Any) -> None:
        self.file, self.ahead_s = file, float(NOON_S)
        self.broker = MemoryBroker()
        self.said = self.broker.attach()
        self.link = self.broker.attach()
        self.clock = LoopClock()
        self.feed = Feed(self.link, self.clock, "gridzero")
        self.events: list[dict[str, Any]] = []
        self.feed.on("event", lambda event: self.events.append(dict(event)))
        self.ear = Ear(self.feed, self.clock, lambda: self.clock.now_s() + self.ahead_s)
        self.recorder = Recorder(
            self.feed, self.clock, file, HistoryConfig(**settings), self.ear, at_once
        )
        self._number = 0

    def say(self, topic: str, values: Any) -> None:
        payload = values if isinstance(values, bytes) else json.dumps(values)
        self.said.publish(f"gridzero/{topic}", payload)

    async def live(self, seconds: int, **changes: Any) -> None:
        """Say one state a second."""
        for _ in range(seconds):
            self.say("state", state(self._number, **changes))
            self._number += 1
            await asyncio.sleep(1.0)

    @property
    def now_s(self) -> float:
        return self.clock.now_s() + self.ahead_s

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """A recorder that runs, and ends as the companion ends it."""
        task = asyncio.create_task(self.recorder.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
