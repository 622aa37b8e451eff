"""Killed at any moment, hundreds of times: what was answered, told and counted is there again.

Simulated; ``test_harm_kill_process.py`` does the same to real processes and files.
"""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

import pytest
from harm_world import RESTART_S, Start, World, living

KILLS = int(os.environ.get("GRIDZERO_HARM_KILLS", "0")) * 20 or 4
SEED = int(os.environ.get("GRIDZERO_HARM_SEED", "6"))
MOST_SOC = 0.001
_KEYS = ("power_w", "target_w", "min_soc_pct")


def mean_soc(world: World) -> float | None:
    """What the newest process believes of the mean of all cells."""
    last = world.life.app.site.last
    charge = last[0].condition.charge if last else None
    cells = [c.soc for m in charge.modules.values() for c in m.cells] if charge else []
    return sum(cells) / len(cells) if len(cells) == 12 * len(world.modules) else None


class Person:
    """Asks for settings all the time, and notes each answer."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world, self._chance = world, chance
        self._client = world.media.broker.attach()
        self.asked: dict[str, tuple[str, float]] = {}
        self.answered: dict[str, float] = {}
        self.told: list[dict[str, Any]] = []
        self._client.subscribe("gridzero/answer", lambda m: self._note(json.loads(m.payload)))
        self._client.subscribe("gridzero/energy", lambda m: self.told.append(json.loads(m.payload)))

    def ask(self) -> None:
        key = self._chance.choice(_KEYS)
        value = float(self._chance.randrange(5, 40))
        number = f"{len(self.asked)}"
        self.asked[number] = key, value
        question = {"id": number, "what": key, "value": value, "by": "test"}
        self._client.publish("gridzero/ask", json.dumps(question))

    def _note(self, answer: dict[str, Any]) -> None:
        if answer["ok"]:
            key, value = self.asked[answer["id"]]
            self.answered[key] = value


@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_runs_backwards_however_often_it_is_killed() -> None:
    chance = Random(SEED)
    print(f"seed {SEED}, {KILLS} kills")
    off, kills = [], 0
    async with living(Start(load_w=2500.0, soc=0.6)) as world:
        world.may_restart = False
        person = Person(world, chance)
        await world.until(20.0)
        for _ in range(KILLS):
            dies_s = world.now_s + chance.uniform(3.0, 30.0)
            while world.now_s < dies_s - 0.01:
                await world.until(min(dies_s, world.now_s + chance.uniform(0.1, 2.0)))
                person.ask()
            before = mean_soc(world)
            true_before = world.house.pack.soc
            world.kill()
            kills += 1
            await world.until(world.now_s + RESTART_S)
            world.restart()
            await world.until(world.now_s + 3.0)
            after = mean_soc(world)
            wanted = world.life.app.site.settings.wanted
            assert {key: getattr(wanted, key) for key in person.answered} == person.answered
            assert before is not None
            assert after is not None
            flowed = world.house.pack.soc - true_before
            off.append(abs(after - before - flowed))
        assert not world.bugs
    worst = max(off)
    print(f"state of charge off by {100 * worst:.3f} % at most after {kills} kills")
    assert worst <= MOST_SOC
    imported = [one["grid_import_kwh"] for one in person.told]
    assert imported == sorted(imported)
    assert len(person.answered) == len(_KEYS)
    assert world.now_s > KILLS * RESTART_S
