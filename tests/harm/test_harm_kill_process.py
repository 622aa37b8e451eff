"""Real processes on real wires, killed at random moments while settings stream in.

Few lives by default; ``GRIDZERO_HARM_KILLS=50`` for more. The seed is printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from time import time_ns
from typing import Any

import aiomqtt
import pytest
from test_harm_kill import Wires, wires

from gridzero.links.tasks import cancel_all

pytestmark = pytest.mark.real_time

KILLS = int(os.environ.get("GRIDZERO_HARM_KILLS", "3"))
SEED = int(os.environ.get("GRIDZERO_HARM_SEED", "0")) or time_ns() % 100_000
MOST_SOC, KNOWN_SIGMA = 0.001, 0.003
_KEYS = ("power_w", "target_w", "min_soc_pct", "reserve_soc_pct")
_HEARD = ("gridzero/answer", "gridzero/energy", "gridzero/settings")
_ASK_S = 0.1


class Person:
    """Asks all the time; knows what was answered and told, over all lives."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._asked: dict[str, tuple[str, float]] = {}
        self.answered: dict[str, float] = {}
        self.since: dict[str, set[float]] = {key: set() for key in _KEYS}
        self.told: list[float] = []
        self.settings: dict[str, Any] = {}
        self.answers = 0
        self.heard = asyncio.Event()

    async def ask(self, client: aiomqtt.Client) -> None:
        while True:
            key, number = self._chance.choice(_KEYS), str(len(self._asked))
            value = float(self._chance.randrange(5, 40))
            self._asked[number] = key, value
            self.since[key].add(value)
            question = {"id": number, "what": key, "value": value, "by": "test"}
            await client.publish("gridzero/ask", json.dumps(question))
            await asyncio.sleep(_ASK_S)

    async def hear(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = str(message.topic)
            if topic in _HEARD:  # amqtt hands out what is retained without being asked
                self._take(topic, json.loads(bytes(message.payload)))
                self.heard.set()

    def _take(self, topic: str, values: dict[str, Any]) -> None:
        if topic == "gridzero/energy":
            self.told.append(values["grid_import_kwh"])
        elif topic == "gridzero/settings":
            self.settings = {key: row["value"] for key, row in values["settings"].items()}
        elif values["ok"]:
            key, value = self._asked[values["id"]]
            self.answered[key], self.since[key] = value, set()
            self.answers += 1

    async def look(self, port: int) -> None:
        """Change something else: then all settings are told."""
        self.settings = {}
        async with listening(self, port, asks=False) as client, asyncio.timeout(20):
            await client.publish("gridzero/peak_w/set", "4321")
            while not self.settings:
                self.heard.clear()
                await self.heard.wait()

    def finds(self, settings: dict[str, Any]) -> bool:
        """Each setting as it was answered last, or as it was asked for after that."""
        return all(
            settings[key] == value or settings[key] in self.since[key]
            for key, value in self.answered.items()
        )


@asynccontextmanager
async def listening(person: Person, port: int, *, asks: bool) -> AsyncIterator[aiomqtt.Client]:
    """Hear all that is said, and ask, until the broker dies with the process."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for topic in _HEARD:
            await client.subscribe(topic)
        tasks = [asyncio.create_task(person.hear(client))]
        if asks:
            tasks.append(asyncio.create_task(person.ask(client)))
        try:
            yield client
        finally:
            await cancel_all(tasks)


async def life(there: Wires, person: Person, port: int, lasts_s: float) -> None:
    """One process from start to SIGKILL."""
    async with there.service() as service:
        await there.until_power(flows=True)
        with suppress(aiomqtt.MqttError):
            async with listening(person, port, asks=True):
                await asyncio.sleep(lasts_s)
                os.kill(service.pid, signal.SIGKILL)
                await asyncio.sleep(0.2)  # what was said before still arrives


def stored_soc(folder: Path) -> float:
    """Mean of all cells, as a next process would find it."""
    modules = json.loads((folder / "charge.json").read_text())["charge"]["modules"]
    socs = [row[0] for module in modules.values() for row in module["cells"]]
    assert len(socs) == 108
    return sum(socs) / len(socs)


def know(folder: Path, pack: Any) -> None:
    """Let the next process know each cell, as after a full charge.

    One that had only the voltage to begin with goes on learning, faster than any kill can lose.
    """
    file = folder / "charge.json"
    stored = json.loads(file.read_text())
    for name, module in stored["charge"]["modules"].items():
        for row, soc in zip(module["cells"], pack.cell_soc(name), strict=True):
            row[:2] = [soc, KNOWN_SIGMA]
    file.write_text(json.dumps(stored))


@pytest.mark.slow
async def test_no_answered_setting_no_counter_and_no_charge_is_lost_by_kill_9(
    tmp_path: Path,
) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    chance, off = Random(SEED), []
    async with wires(tmp_path) as there:
        port = there.port
        person = Person(chance)
        charge: tuple[float, float] | None = None
        for _ in range(KILLS):
            await life(there, person, port, chance.uniform(1.0, 4.0))
            await there.until_power(flows=False)
            now = stored_soc(tmp_path), there.house.pack.soc
            if charge is None:
                know(tmp_path, there.house.pack)
                now = stored_soc(tmp_path), there.house.pack.soc
            else:
                off.append(abs((now[0] - charge[0]) - (now[1] - charge[1])))
            charge = now
        async with there.service():
            await there.until_power(flows=True)
            await person.look(port)
            assert person.finds(person.settings), "each setting that was answered is there"
        assert "Traceback" not in (tmp_path / "house.log").read_text()
    assert person.answers >= 3 * KILLS
    assert person.told == sorted(person.told)
    print(f"{person.answers} answers; charge off by {100 * max(off):.3f} % at most")
    assert max(off) <= MOST_SOC
