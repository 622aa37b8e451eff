"""What a killed process had not stored: it flowed, and no counter will ever know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridzero.bench.soak.world import World
from gridzero.domain.energy import Counted


class Lost:
    """Call ``step`` after each step of the house.

    How far the counters lie behind the truth is looked at whenever they have moved. What is new
    at the first look into a life, after the last one into a life that was killed, went with it:
    what was not on the disk yet, and what flowed while nobody counted. kwh: the sum of that.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.kwh: dict[Counted, float] = dict.fromkeys(world.truth.sums, 0.0)
        self._behind: dict[Counted, float] = {}
        self._told: Mapping[str, Any] = {}
        self._deaths = world.deaths

    def step(self) -> None:
        """Look, where there is news."""
        told = self._world.beside.counters
        if told is self._told or self._world.life.is_dead:
            return
        has_died = self._world.deaths != self._deaths
        has_moved = any(told.get(each.value) != self._told.get(each.value) for each in self.kwh)
        self._told = told
        if has_died or has_moved:
            self._look(told, has_died=has_died)

    def _look(self, told: Mapping[str, Any], *, has_died: bool) -> None:
        sums = self._world.truth.sums
        behind = {each: kwh - (told.get(each.value) or 0.0) for each, kwh in sums.items()}
        if has_died:
            for each, kwh in behind.items():
                self.kwh[each] += kwh - self._behind.get(each, 0.0)
        self._behind, self._deaths = behind, self._world.deaths
