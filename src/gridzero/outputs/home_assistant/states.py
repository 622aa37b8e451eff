"""Tells values, each at the pace of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from gridzero.outputs.feed import Feed
from gridzero.outputs.home_assistant.discovery import Names
from gridzero.outputs.home_assistant.facts import Facts
from gridzero.outputs.home_assistant.rows import RHYTHMS, Pace, Rhythm, Row
from gridzero.outputs.home_assistant.shape import Device
from gridzero.outputs.home_assistant.subsystems import available

_NEVER: Final = float("-inf")


class Channel:
    """The entities of one device that share a pace, and so one topic."""

    def __init__(self, topic: str, rows: Iterable[Row], rhythm: Rhythm, pace: Pace) -> None:
        self.topic, self._rows, self._rhythm, self._pace = topic, tuple(rows), rhythm, pace
        self._told: Mapping[str, Any] = {}
        self._told_s = _NEVER

    @property
    def is_retained(self) -> bool:
        """Whether the broker keeps the last word."""
        return self._rhythm.is_retained

    def hurry(self) -> None:
        """Tell it again at the next look."""
        self._told_s = _NEVER

    def news(self, facts: Facts, now_s: float) -> Mapping[str, Any] | None:
        """The values, when it is time to tell them."""
        since_s = now_s - self._told_s
        if since_s < self._rhythm.least_s:
            return None
        is_due = since_s >= self._rhythm.period_s
        if not is_due and self._rhythm.change is None:
            return None
        values = {row.key: row.value(facts) for row in self._rows}
        if not (is_due or self._moved(values)) or self._knows_nothing_yet(values):
            return None
        self._told, self._told_s = values, now_s
        return values

    def _moved(self, values: Mapping[str, Any]) -> bool:
        least = self._rhythm.change or 0.0
        return any(_differs(value, self._told.get(key), least) for key, value in values.items())

    def _knows_nothing_yet(self, values: Mapping[str, Any]) -> bool:
        """Counters are told once they are loaded: an unknown one is a gap in the statistics."""
        return self._pace is Pace.ENERGY and all(value is None for value in values.values())


def _differs(value: Any, before: Any, least: float) -> bool:
    if isinstance(value, int | float) and isinstance(before, int | float) and least > 0.0:
        return abs(value - before) >= least
    return bool(value != before)


class States:
    """All channels and availabilities of a set of devices."""

    def __init__(
        self, devices: Iterable[Device], names: Names, rhythms: Mapping[Pace, Rhythm] = RHYTHMS
    ) -> None:
        devices = tuple(devices)
        self._names = names
        self._channels = [
            channel for device in devices for channel in _channels(device, names, rhythms)
        ]
        self.subsystems = frozenset().union(*(device.subsystems for device in devices))
        self._availability: dict[str, str] = {}

    def hurry(self, pace: Pace | None = None) -> None:
        """Tell everything again at the next look, or only what goes at one pace."""
        if pace is None:
            self._availability.clear()
        for channel in self._channels:
            if pace is None or channel.topic.endswith(f"/{pace}"):
                channel.hurry()

    def tell(self, feed: Feed, now_s: float, meter_lost_s: float) -> None:
        """Publish whatever is due."""
        facts = Facts(feed)
        for subsystem in self.subsystems:
            is_there = available(subsystem, facts, meter_lost_s)
            self._tell_availability(feed, subsystem, "online" if is_there else "offline")
        if facts.get("state") is None:
            return
        for channel in self._channels:
            values = channel.news(facts, now_s)
            if values is not None:
                feed.publish(channel.topic, values, retain=channel.is_retained)

    def tell_absence(self, feed: Feed) -> None:
        """Nobody tells anything any more."""
        for subsystem in self.subsystems:
            self._tell_availability(feed, subsystem, "offline")

    def _tell_availability(self, feed: Feed, subsystem: str, word: str) -> None:
        if self._availability.get(subsystem) != word:
            self._availability[subsystem] = word
            feed.publish(self._names.available_topic(subsystem), word, retain=True)


def _channels(device: Device, names: Names, rhythms: Mapping[Pace, Rhythm]) -> Iterator[Channel]:
    rows = sorted((row for row in device.rows if row.has_state), key=lambda row: row.pace)
    for pace, group in groupby(rows, key=lambda row: row.pace):
        yield Channel(names.state_topic(device.key, pace), group, rhythms[pace], pace)
