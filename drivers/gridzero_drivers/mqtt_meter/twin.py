"""A simulated meter that publishes in whatever shape the options expect."""

from __future__ import annotations

import json
from collections import deque
from random import Random
from typing import Any

from gridzero.ports.twins import World
from gridzero_drivers.metering.path import put
from gridzero_drivers.metering.places import Term
from gridzero_drivers.mqtt_meter.options import MqttMeterOptions

_EPOCH_S = 1_700_000_000.0
_SLACK_S = 1e-9
_WS_PER_KWH = 3.6e6


class MeterTwin:
    """Measures the world's grid power, and publishes it ``latency_s`` later, each ``period_s``.

    Knobs, to be set at any time: silent (publishes nothing), garbage (a payload sent instead),
    frozen (repeats its last messages), jitter_s (each publication is late by up to this),
    noise_w (standard deviation), lost_topics (their messages do not arrive), count_from_kwh (what
    its counters of import and export said at first; other ones make it another meter).
    """

    def __init__(self, options: MqttMeterOptions, world: World, seed: int = 0) -> None:
        self.silent = False
        self.garbage: bytes | None = None
        self.frozen = False
        self.jitter_s = 0.0
        self.noise_w = 2.0
        self.period_s = options.expected_interval_s
        self.latency_s = options.latency_s
        self.lost_topics: set[str] = set()
        self.count_from_kwh = [1234.5, 67.8]
        self._counted_ws = [0.0, 0.0]
        self._options = options
        self._terms = options.terms()
        self._sources = self._terms[-1].source + 1
        self._world = world
        self._random = Random(seed)
        self._now_s = 0.0
        self._due_s = self.period_s
        self._past: deque[tuple[float, float]] = deque()
        self._waiting: deque[tuple[float, list[tuple[str, bytes]]]] = deque()
        self._last: list[tuple[str, bytes]] = []

    def advance(self, seconds: float) -> list[tuple[str, bytes]]:
        """See ports.twins.MqttTwin."""
        self._now_s += seconds
        self._counted_ws[self._world.grid_w < 0.0] += abs(self._world.grid_w) * seconds
        self._remember()
        while self._now_s + _SLACK_S >= self._due_s:
            self._enqueue()
            self._due_s += self.period_s
        return [] if not self._waiting else self._released()

    def _remember(self) -> None:
        """Keep what was true latency_s ago (first in the queue) and all since."""
        self._past.append((self._now_s, self._world.grid_w))
        wanted_s = self._now_s - self.latency_s + _SLACK_S
        while len(self._past) > 1 and self._past[1][0] <= wanted_s:
            self._past.popleft()

    def _enqueue(self) -> None:
        late_s = self._random.uniform(0, self.jitter_s) if self.jitter_s else 0.0
        earliest_s = self._waiting[-1][0] if self._waiting else 0.0  # never overtakes
        self._waiting.append((max(earliest_s, self._due_s + late_s), self._messages()))

    def _released(self) -> list[tuple[str, bytes]]:
        out: list[tuple[str, bytes]] = []
        while self._waiting and self._waiting[0][0] <= self._now_s + _SLACK_S:
            out += self._waiting.popleft()[1]
        if self.silent:
            return []
        return [message for message in out if message[0] not in self.lost_topics]

    def _messages(self) -> list[tuple[str, bytes]]:
        if not (self.frozen and self._last):
            measured_at_s, power_w = self._past[0]
            noisy_w = round(power_w + self._random.gauss(0, self.noise_w))
            self._last = self._written(noisy_w, measured_at_s)
        if self.garbage is None:
            return self._last
        return [(topic, self.garbage) for topic, _ in self._last]

    def _written(self, power_w: int, measured_at_s: float) -> list[tuple[str, bytes]]:
        documents: dict[str, Any] = {}
        for term in self._terms:
            value = _value(term, _share_w(power_w, term.source, self._sources))
            before = documents.get(term.topic)
            documents[term.topic] = put(before, term.path or (), value)
            if term.direction is not None:
                documents[term.topic] = _directed(documents[term.topic], term, value)
            if term.time_path:
                stamp_s = round(_EPOCH_S + measured_at_s, 3)
                documents[term.topic] = put(documents[term.topic], term.time_path, stamp_s)
        self._write_counters(documents)
        return [(topic, json.dumps(document).encode()) for topic, document in documents.items()]

    def _write_counters(self, documents: dict[str, Any]) -> None:
        """In steps of 0.1 Wh; the first tariff takes it all."""
        topic = self._options.counter_topic or self._options.topic or ""
        for direction, paths in enumerate(self._options.counter_paths()):
            kwh = self.count_from_kwh[direction] + self._counted_ws[direction] / _WS_PER_KWH
            for number, path in enumerate(paths):
                shown = 0.0 if number else round(kwh, 4) / self._options.kwh_scale
                documents[topic] = put(documents.get(topic), path, shown)


def _share_w(power_w: int, source: int, sources: int) -> int:
    """Whole watts of one phase; all phases together give power_w exactly."""
    return power_w * (source + 1) // sources - power_w * source // sources


def _directed(document: Any, term: Term, value: float) -> Any:
    """An unsigned number and the word for its direction."""
    if term.direction is None or term.path is None:
        return document
    sign = -1 if value < 0 else 1
    word = next(word for word, meant in term.direction.words.items() if meant == sign)
    return put(put(document, term.path, abs(value)), term.direction.path, word)


def _value(term: Term, power_w: int) -> float:
    value = round(power_w / term.factor, 6)
    if term.one_sided:
        value = max(value, 0.0)
    return int(value) if value.is_integer() else value
