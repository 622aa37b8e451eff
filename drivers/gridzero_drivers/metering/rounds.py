"""From messages to readings: sums of phases, import minus export, ages, plausibility.

Pure but for its own memory; time comes in with each message.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridzero.domain.readings import MeterReading
from gridzero_drivers.metering.codec import Form, NoReading, Shape, decode
from gridzero_drivers.metering.places import Term, Timing
from gridzero_drivers.metering.stamps import StampClock

_USUAL_FADES = 0.99  # per round; now and then a round is given the chance to close up again


@dataclass(slots=True)
class _Part:
    """One term, with its value in the round that is being gathered (None = still missing)."""

    factor: float
    power_w: float | None = None
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Topic:
    shape: Shape
    parts: tuple[_Part, ...]
    stamps: StampClock

    def lag_s(self, stamp_s: float | None, received_at_s: float) -> float | NoReading:
        return 0.0 if stamp_s is None else self.stamps.lag_s(stamp_s, received_at_s)

    def keep(self, numbers: tuple[float, ...], at_s: float) -> None:
        for part, number in zip(self.parts, numbers, strict=True):
            part.power_w, part.at_s = number * part.factor, at_s

    def forget(self) -> None:
        for part in self.parts:
            part.power_w = None


class Rounds:
    """Gathers one number per term into a round, and makes each full round one reading.

    A part counts in one round only, so three phases give one reading, not three half-new ones.
    """

    def __init__(self, terms: tuple[Term, ...], timing: Timing, form: Form = "json") -> None:
        self._latency_s = timing.latency_s
        self._window_s = timing.window_s
        self._half_interval_s = timing.expected_interval_s / 2
        self._plausible_w = timing.plausible_w
        self._topics = _topics(terms, form)
        self._parts = [part for topic in self._topics.values() for part in topic.parts]
        self._usual_spread_s = 0.0
        self._closing_up = False
        self._last_at_s = float("-inf")

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that is needed."""
        return tuple(self._topics)

    def missing(self) -> tuple[str, ...]:
        """Topics that the present round still waits for."""
        return tuple(
            name
            for name, topic in self._topics.items()
            if any(part.power_w is None for part in topic.parts)
        )

    def take(
        self, name: str, payload: bytes, received_at_s: float, asked_at_s: float | None = None
    ) -> MeterReading | NoReading | None:
        """Take a message of the topic called name.

        asked_at_s: of an answer, when it was asked for; it is no younger than that.
        A reading when it completes a round, None when it is good but the round is not yet full.
        INCOMPLETE: it is good, but an earlier part of the round grew too old and was dropped.
        """
        topic = self._topics.get(name)
        if topic is None:
            return NoReading.OTHER_TOPIC
        content = decode(payload, topic.shape)
        if isinstance(content, NoReading):
            if content.is_garbage:
                topic.forget()
            return content
        spoken_at_s = received_at_s if asked_at_s is None else asked_at_s
        lag_s = topic.lag_s(content.stamp_s, spoken_at_s)
        if isinstance(lag_s, NoReading):
            return lag_s
        topic.keep(content.numbers, spoken_at_s - self._latency_s - lag_s)
        return self._gathered(received_at_s)

    def _gathered(self, received_at_s: float) -> MeterReading | NoReading | None:
        dropped = self._drop_older_than(self._window_s)
        if any(part.power_w is None for part in self._parts):
            return NoReading.INCOMPLETE if dropped else None
        if self._has_slipped():
            self._drop_older_than(self._usual_spread_s + self._half_interval_s)
            return None
        return self._sum(received_at_s)

    def _drop_older_than(self, window_s: float) -> bool:
        given = [part for part in self._parts if part.power_w is not None]
        newest_s = max(part.at_s for part in given)
        late = [part for part in given if newest_s - part.at_s > window_s]
        for part in late:
            part.power_w = None
        return bool(late)

    def _has_slipped(self) -> bool:
        """Whether the round mixes two rounds of the meter, after a lost message or at the start.

        Then its parts lie half an interval further apart than usual, and the old ones should
        wait for their successors. If that does not help, this meter's parts simply lie apart.
        """
        times = [part.at_s for part in self._parts]
        spread_s = max(times) - min(times)
        if spread_s > self._usual_spread_s + self._half_interval_s:
            self._closing_up = not self._closing_up
            if self._closing_up:
                return True
            self._usual_spread_s = spread_s
            return False
        self._closing_up = False
        self._usual_spread_s = min(self._usual_spread_s, spread_s) * _USUAL_FADES
        return False

    def _sum(self, received_at_s: float) -> MeterReading | NoReading:
        grid_w = sum(part.power_w for part in self._parts if part.power_w is not None)
        oldest_s = min(part.at_s for part in self._parts)
        for part in self._parts:
            part.power_w = None
        if not abs(grid_w) <= self._plausible_w:  # refuses NaN too
            return NoReading.IMPLAUSIBLE
        self._last_at_s = max(self._last_at_s, oldest_s)  # time never runs backwards
        return MeterReading(self._last_at_s, received_at_s, grid_w)


def _topics(terms: tuple[Term, ...], form: Form) -> dict[str, _Topic]:
    names = dict.fromkeys(term.topic for term in terms)
    return {name: _topic([term for term in terms if term.topic == name], form) for name in names}


def _topic(terms: list[Term], form: Form) -> _Topic:
    directions = tuple(term.direction for term in terms)
    shape = Shape(
        tuple(term.path for term in terms),
        next((term.time_path for term in terms if term.time_path), None),
        next((term.outdated_path for term in terms if term.outdated_path), None),
        directions if any(directions) else (),
        form,
    )
    return _Topic(shape, tuple(_Part(term.factor) for term in terms), StampClock())
