"""The reference house lives a day, several lives of the process long."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gridzero.bench import reference
from gridzero.bench.day.story import PRICES, RESTART, STORY, Change
from gridzero.bench.day.truth import Truth
from gridzero.config.loader import Loaded
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.plugins import load_plugins
from gridzero.ports.links import MqttLink, MqttMessage
from gridzero.runtime.stores import MemoryStore
from gridzero.sim.household import Household
from gridzero.sim.pack import Pack
from gridzero.sim.sources import Sun

_MORE = """
production: {topic: meterbox/solar}
prices: {import_ct: 30, export_ct: 8, import_topic: plan/import, stored_topic: plan/stored}
"""
_MIDNIGHT_S = datetime(2027, 6, 1, tzinfo=UTC).timestamp()
_REPEAT_S = 600.0
_HOUR_S = 3600.0
_NAMES = ("learned", "outlook", "latched", "memory", "settings", "energy")


class Spell(NamedTuple):
    """The time from one change to the next. starts: of converters. because: at its end."""

    since_h: float
    what: str
    minutes: float
    grid_w: float
    starts: int
    soc_pct: float
    because: str


@dataclass
class Heard:
    """What was said on the way. backwards: counters that fell. refused: answers of no."""

    counters: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    backwards: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def listen(self, link: MqttLink) -> None:
        """Once for each life."""
        link.subscribe("gridzero/energy", self._energy)
        link.subscribe("gridzero/answer", self._answer)
        link.subscribe("gridzero/state", lambda message: self.state.update(_values(message)))

    def _energy(self, message: MqttMessage) -> None:
        told = _values(message)
        for key in told.keys() & self.counters.keys():
            before, after = self.counters[key], told[key]
            if key.endswith(("_kwh", "_h")) and before is not None and not after >= before:
                self.backwards.append(key)
        self.counters = told

    def _answer(self, message: MqttMessage) -> None:
        answer = _values(message)
        if not answer["ok"]:
            self.refused.append(answer["text"])


class Day:
    """Call ``live``. modules: only so many of the nine. seed: of household, sky and cells."""

    def __init__(self, hours: float, modules: int, seed: int) -> None:
        self._end_s, self._seed = round(hours * _HOUR_S, 3), seed
        self._loaded = loaded(modules)
        self._stores = {name: MemoryStore() for name in _NAMES}
        self._load, self._sun = Household(seed), Sun(2500.0, seed=seed)
        self._pack: Pack | None = None
        self._due = [change for change in STORY if change.at_h < hours]
        self.truth, self.heard = Truth(frozenset({"rectifier"})), Heard()
        self.spells: list[Spell] = []
        self.lives, self.cpu_s = 0, 0.0
        self._prices = ("30", "25")

    async def live(self) -> None:
        """The whole of it; needs a simulated loop."""
        began_s = time.process_time()
        while _now_s() < self._end_s:
            await self._one_life()
        self.cpu_s = time.process_time() - began_s

    @property
    def counted(self) -> dict[str, float]:
        """What is stored at the end."""
        total: dict[str, float] = self._stores["energy"].values["total"]
        return total

    async def _one_life(self) -> None:
        self.lives += 1
        for store in self._stores.values():
            store.values = json.loads(json.dumps(store.values))  # as from a file
        site = self._site()
        running = asyncio.create_task(site.run(), name="site")
        try:
            link = site.links.broker.attach()
            self.heard.listen(link)
            await self._spells(site, link)
        finally:
            site.stop.set()
            await running

    def _site(self) -> SimulatedSite:
        """The same battery in the same house, under a process that starts."""
        stores = {name: _fresh(store) for name, store in self._stores.items()}
        self._stores = stores
        scene = Scene(
            load=self._load, sun=self._sun, start_h=_now_s() / _HOUR_S, soc=0.55, seed=self._seed
        )
        site = SimulatedSite(self._loaded, load_plugins(), scene, **stores)
        site.app.site.settings.utc_s = lambda: _MIDNIGHT_S + _now_s()
        self._pack = site.house.pack = self._pack or site.house.pack
        site.bench.step = self._watched(site)  # type: ignore[method-assign]  # to look only
        return site

    def _watched(self, site: SimulatedSite) -> Callable[[], None]:
        step = site.bench.step

        def watched() -> None:
            step()
            self.truth.step(site.house)

        return watched

    async def _spells(self, site: SimulatedSite, link: MqttLink) -> None:
        """Change after change until the process is to start again, or the day is over."""
        what = "start"
        while _now_s() < self._end_s:
            due_s = self._due[0].at_s if self._due else self._end_s
            if due_s > _now_s():
                await self._spell(what, due_s, site, link)
            changes = list(self._taken())
            if any(change.key == RESTART for change in changes):
                return
            for change in changes:
                self._do(change, link)
            what = ", ".join(change.words for change in changes)

    def _taken(self) -> Iterator[Change]:
        while self._due and self._due[0].at_s <= _now_s():
            yield self._due.pop(0)

    async def _spell(self, what: str, until_s: float, site: SimulatedSite, link: MqttLink) -> None:
        truth, books = self.truth, site.house.books
        began_s, grid_ws, seconds = _now_s(), truth.grid_ws, truth.seconds
        starts = sum(books.starts.values())
        while _now_s() < until_s:
            link.publish("plan/import", self._prices[0])
            link.publish("plan/stored", self._prices[1])
            await asyncio.sleep(min(_REPEAT_S, until_s - _now_s()))
        lived_s = max(truth.seconds - seconds, 1.0)
        self.spells.append(
            Spell(
                since_h=began_s / _HOUR_S,
                what=what,
                minutes=lived_s / 60.0,
                grid_w=(truth.grid_ws - grid_ws) / lived_s,
                starts=sum(books.starts.values()) - starts,
                soc_pct=100.0 * site.house.pack.soc,
                because=str(self.heard.state.get("because", "")),
            )
        )

    def _do(self, change: Change, link: MqttLink) -> None:
        if change.key == PRICES:
            import_ct, stored_ct = change.value.split()
            self._prices = (import_ct, stored_ct)
            return
        value = change.value
        if change.key == "override_until":
            value = datetime.fromtimestamp(_MIDNIGHT_S + float(value) * _HOUR_S, UTC).isoformat()
        wish = {"id": change.words, "what": change.key, "value": value, "by": "bench"}
        link.publish("gridzero/ask", json.dumps(wish))


def loaded(modules: int) -> Loaded:
    """The reference house with panels and prices, and some of its modules."""
    return reference.loaded(reference.few(modules) + _MORE)


def _fresh(store: MemoryStore) -> MemoryStore:
    """With what was stored, and nobody of the life before who listens."""
    fresh = MemoryStore()
    fresh.values = store.values
    return fresh


def _values(message: MqttMessage) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(message.payload)
    return values


def _now_s() -> float:
    return asyncio.get_running_loop().time()
