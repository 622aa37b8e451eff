"""What all browsers see: sections of the page with a version each, made once for everybody."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gridzero.outputs.config_words import config_words
from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.battery import battery_of
from gridzero.outputs.dashboard.views.care import care_of
from gridzero.outputs.dashboard.views.cells import cells_of
from gridzero.outputs.dashboard.views.energy import energy_of
from gridzero.outputs.dashboard.views.faults import Told, events_of, faults_of
from gridzero.outputs.dashboard.views.flow import flow_of
from gridzero.outputs.dashboard.views.modules import modules_of
from gridzero.outputs.dashboard.views.pick import text
from gridzero.outputs.dashboard.views.settings import settings_of
from gridzero.outputs.dashboard.views.why import score_of, why_of
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import Clock

Json = Mapping[str, Any]

MOST_EVENTS: Final = 12
STALE_S: Final = {
    "state": 5.0,
    "cells": 40.0,
    "battery": 40.0,
    "energy": 120.0,
    "health": 2400.0,
    "score": 200.0,
    "settings": 200.0,
}
"""After so long without news a panel is greyed; three to four times the period of the topic."""


@dataclass(frozen=True, slots=True)
class Part:
    """One section: which topics it is made of (the first one decides its age), and how."""

    name: str
    topics: tuple[str, ...]
    make: Callable[..., Any]


PARTS: Final = (
    Part("flow", ("state",), flow_of),
    Part("why", ("state",), why_of),
    Part("faults", ("state",), faults_of),
    Part("battery", ("state", "battery", "health"), battery_of),
    Part("energy", ("energy",), energy_of),
    Part("cells", ("cells", "battery", "health"), cells_of),
    Part("modules", ("battery", "health", "cells"), modules_of),
    Part("care", ("battery", "health", "state"), care_of),
    Part("score", ("score",), score_of),
    Part("settings", ("settings",), settings_of),
)


@dataclass(slots=True)
class _Section:
    value: Any = None
    version: int = 0
    is_old: bool = field(default=True)


class Board:
    """Follows a feed. ``refresh`` makes again what has changed; browsers ask for the rest."""

    def __init__(self, feed: Feed, clock: Clock, site: str) -> None:
        self._feed, self._clock, self._site = feed, clock, site
        self._sections = {name: _Section() for name in (*(p.name for p in PARTS), "events", "head")}
        self._events: deque[Told] = deque(maxlen=MOST_EVENTS)
        for part in PARTS:
            for topic in part.topics:
                feed.on(topic, self._marker(part.name))
        feed.on("event", self._on_event)
        self.refresh()

    def recall(self, happened: Iterable[tuple[float, Json]]) -> None:
        """Events from before this process began, each with its age in s; oldest first."""
        now_s = self._clock.now_s()
        older = [Told(now_s - ago_s, event) for ago_s, event in happened]
        self._events = deque([*older, *self._events], maxlen=MOST_EVENTS)

    def refresh(self) -> None:
        """Bring every section up to date; call it as often as browsers are served."""
        for part in PARTS:
            if self._sections[part.name].is_old:
                self._put(part.name, part.make(*(self._feed.latest(t) for t in part.topics)))
        self._put("events", events_of(reversed(self._events), self._clock.now_s()))
        self._put("head", self._head())

    def whole(self) -> dict[str, Any]:
        """Every section, for a page that is just being built."""
        return {name: section.value for name, section in self._sections.items()}

    def changes(self, seen: dict[str, int]) -> dict[str, Any]:
        """Sections that are newer than seen, which is brought up to date."""
        found = {}
        for name, section in self._sections.items():
            if seen.get(name) != section.version:
                found[name], seen[name] = section.value, section.version
        return found

    def _put(self, name: str, value: Any) -> None:
        section = self._sections[name]
        section.is_old = False
        if value != section.value or section.version == 0:
            section.value, section.version = value, section.version + 1

    def _marker(self, name: str) -> Callable[[Json], None]:
        def mark(_values: Json) -> None:
            self._sections[name].is_old = True

        return mark

    def _on_event(self, event: Json) -> None:
        self._events.append(Told(self._clock.now_s(), event))

    def _head(self) -> dict[str, Any]:
        return {
            "site": self._site,
            "online": self._feed.is_online,
            "version": text(self._feed.latest("settings"), "version"),
            "config": config_words(self._feed.latest("config")),
            "stale": dict(self._stale()),
        }

    def _stale(self) -> Iterator[tuple[str, str]]:
        for part in PARTS:
            topic = part.topics[0]
            age_s = self._feed.age_s(topic)
            if self._feed.latest(topic) is None:
                yield part.name, "not heard yet"
            elif age_s > STALE_S[topic]:
                yield part.name, f"{words.duration(age_s)} old"
