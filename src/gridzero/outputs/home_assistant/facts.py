"""What gridzero said lately, by paths such as ``state.battery.soc_pct``; nothing too old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gridzero.outputs.feed import Feed
from gridzero.outputs.values import number_of

_COUNTS_FOR_S: Final = {
    "state": 15.0,
    "cells": 45.0,
    "battery": 45.0,
    "health": 1500.0,
    "score": 200.0,
    "energy": 200.0,
    "settings": float("inf"),
}
"""Three to four times as long as each topic's period (docs/mqtt.md): older is not known."""


class Facts:
    """One look at a feed."""

    def __init__(self, feed: Feed) -> None:
        self._topics: dict[str, Mapping[str, Any]] = {}
        for topic, limit_s in _COUNTS_FOR_S.items():
            heard = feed.latest(topic)
            if heard is not None and feed.age_s(topic) <= limit_s:
                self._topics[topic] = heard

    def get(self, path: str) -> Any:
        """What stands there; None where nothing does. Keys hold no dots; figures count as keys."""
        value: Any = self._topics
        for key in path.split("."):
            if isinstance(value, Mapping):
                value = value.get(key)
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                return None
        return value

    def number(self, path: str) -> float | None:
        """A finite number, or None."""
        return number_of(self.get(path))

    def table(self, path: str) -> Mapping[str, Any]:
        """An object; empty where there is none."""
        value = self.get(path)
        return value if isinstance(value, Mapping) else {}

    def rows(self, path: str) -> list[Mapping[str, Any]]:
        """The objects of a list."""
        value = self.get(path)
        return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
