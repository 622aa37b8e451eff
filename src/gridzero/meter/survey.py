"""What arrives on topics nobody knows yet: how often, which numbers, which looks like the grid.

Pure but for its own memory, and bounded whatever a broker delivers.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Final

from gridzero.ports.links import MqttMessage
from gridzero_drivers.metering.codec import MAX_PAYLOAD, NoReading, excerpt, number
from gridzero_drivers.metering.path import Path, write

MOST_TOPICS: Final = 300
MOST_PATHS: Final = 80
MOST_KEPT: Final = 2000
MOST_KEPT_BYTES: Final = 4 << 20

_DEEPEST, _MOST_ITEMS = 8, 8
_LAST = 5
_LARGEST_W = 30_000.0
_POWER = re.compile(
    r"power|watt|leistung|p_grid|(^|[^a-z])(p|w|curr_w|p_sum)$|16\.7|36\.7", re.IGNORECASE
)
_OTHER = re.compile(
    r"energy|total|volt|curr(ent)?$|amp|temp|rssi|wifi|quality|time|freq|uptime|humid|batt|"
    r"react|aprt|apparent|factor|[12]\.8\.|count|_id$|^id$|(^|\.)t$",
    re.IGNORECASE,
)
_ACTIVE = re.compile(r"total_act|sum|active_power_w$|p_grid|power_curr|16\.7\.0", re.IGNORECASE)


@dataclass(slots=True)
class PathLook:
    """One number in the messages of a topic. path: "" = the payload is the number."""

    path: str
    count: int = 0
    changes: int = 0
    falls: int = 0
    low: float = float("inf")
    high: float = float("-inf")
    last: deque[float] = field(default_factory=lambda: deque(maxlen=_LAST))

    def take(self, value: float) -> None:
        """Note one value."""
        if self.last and value != self.last[-1]:
            self.changes += 1
            self.falls += value < self.last[-1]
        self.count += 1
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.last.append(value)

    def likeness(self, topic: str) -> int:
        """How much it looks like the power at the house connection; 0 and below = not at all."""
        name = self.path or topic
        if max(abs(self.low), abs(self.high)) > _LARGEST_W:
            return 0
        score = 2 * bool(self.changes) + (self.falls > 0) + 3 * (self.low < 0 < self.high)
        score += (self.low < 0) + 3 * bool(_POWER.search(name)) + 2 * bool(_ACTIVE.search(name))
        return score - 5 * bool(_OTHER.search(name) and not _ACTIVE.search(name))


@dataclass(slots=True)
class TopicLook:
    """One topic. problem: why its last payload held no number, "" = it did."""

    topic: str
    count: int = 0
    retained: int = 0
    problem: str = ""
    said: str = ""
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=512))
    paths: dict[str, PathLook] = field(default_factory=dict)

    @property
    def interval_s(self) -> float | None:
        """Usual time between messages; None before the second."""
        gaps = [b - a for a, b in pairwise(self.arrivals)]
        return median(gaps) if gaps else None

    @property
    def longest_gap_s(self) -> float | None:
        """The largest time between two messages."""
        return max((b - a for a, b in pairwise(self.arrivals)), default=None)

    @property
    def jitter_s(self) -> float | None:
        """Median distance of a gap from the usual one."""
        usual = self.interval_s
        if usual is None:
            return None
        return median(abs(b - a - usual) for a, b in pairwise(self.arrivals))

    def take(self, message: MqttMessage) -> None:
        """Note one message."""
        self.count += 1
        self.retained += message.retained
        if not message.retained:
            self.arrivals.append(message.received_at_s)
        self.said = excerpt(message.payload, 72)
        found = numbers(message.payload)
        self.problem = found if isinstance(found, str) else ""
        for path, value in found if not isinstance(found, str) else ():
            if path in self.paths or len(self.paths) < MOST_PATHS:
                self.paths.setdefault(path, PathLook(path)).take(value)

    def likely(self) -> list[PathLook]:
        """Numbers that look like the grid power, the likeliest first."""
        scored = [(look.likeness(self.topic), look) for look in self.paths.values()]
        chosen = [pair for pair in scored if pair[0] > 0]
        return [look for _, look in sorted(chosen, key=lambda pair: -pair[0])]


class Survey:
    """Listens. ignored: messages of topics beyond the first MOST_TOPICS.

    own: prefix of a gridzero whose words are left out, with what it says to Home Assistant: its
    own powers look much like a grid's, and it must never be told to follow itself. "" = none.
    """

    def __init__(self, own: str = "") -> None:
        self._own, self.left_out = own, 0
        self.topics: dict[str, TopicLook] = {}
        self.kept: deque[MqttMessage] = deque()
        self.ignored = 0
        self._kept_bytes = 0

    def take(self, message: MqttMessage) -> None:
        """Note one message."""
        if self._own and _is_of_gridzero(message.topic, self._own):
            self.left_out += 1
            return
        if message.topic not in self.topics and len(self.topics) >= MOST_TOPICS:
            self.ignored += 1
            return
        self.topics.setdefault(message.topic, TopicLook(message.topic)).take(message)
        if not message.retained and len(message.payload) <= MAX_PAYLOAD:
            self._keep(message)

    def _keep(self, message: MqttMessage) -> None:
        self.kept.append(message)
        self._kept_bytes += len(message.payload)
        while len(self.kept) > MOST_KEPT or self._kept_bytes > MOST_KEPT_BYTES:
            self._kept_bytes -= len(self.kept.popleft().payload)

    def by_likeness(self) -> list[TopicLook]:
        """Topics with the likeliest number first; those without any last."""

        def best(look: TopicLook) -> int:
            return max((each.likeness(look.topic) for each in look.likely()), default=0)

        return sorted(self.topics.values(), key=lambda look: (-best(look), look.topic))


def _is_of_gridzero(topic: str, prefix: str) -> bool:
    """Also what any program announces to Home Assistant: no meter speaks there."""
    is_announcement = topic.startswith("homeassistant/") and topic.endswith("/config")
    return is_announcement or topic.startswith(f"{prefix}/")


def numbers(payload: bytes) -> list[tuple[str, float]] | str:
    """Every number in a payload with its path, or why there is none."""
    if len(payload) > MAX_PAYLOAD:
        return "longer than 64 kB"
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return "no text"
    plain = number(text)
    if not isinstance(plain, NoReading):
        return [("", plain)]
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return f"no number and no JSON ({plain.replace('_', ' ')})"
    return [(write(path), value) for path, value in _leaves(document, ())] or "JSON without numbers"


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, float]]:
    if len(path) > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, (*path, str(key)))
    elif isinstance(value, list):
        for i, below in enumerate(value[:_MOST_ITEMS]):
            yield from _leaves(below, (*path, i))
    elif path:
        read = number(value)
        if not isinstance(read, NoReading):
            yield path, read
