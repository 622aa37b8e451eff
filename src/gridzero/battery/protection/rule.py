"""What one protection is made of: a quantity, a side, and up to three thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Flag, StrEnum
from itertools import pairwise
from math import inf, isfinite

from gridzero.domain.alarms import Level


class Side(StrEnum):
    """On which side of a threshold the harm is."""

    ABOVE = "above"
    BELOW = "below"


class Stops(Flag):
    """Directions that are refused."""

    NOTHING = 0
    CHARGE = 1
    DISCHARGE = 2
    BOTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One level of a protection.

    value: beyond it for delay_s, the level is reached. release: back inside it for dwell_s, the
    level ends; it lies on the healthy side of value. latches: it does not end without a person.
    """

    value: float
    release: float
    delay_s: float = 0.0
    dwell_s: float = 0.0
    latches: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of a profile's protections.

    code: a row of ``domain.faults``. quantity: a row of ``quantities.QUANTITIES``. unit: of the
    thresholds, "" = it is so or it is not, "x" = times the rating. healthy: a value that is
    certainly good; no threshold may be tightened beyond it. stops: what level LIMIT refuses;
    trip_stops: what TRIP refuses. given: a parameter of the quantity. why: where the numbers
    come from. unknown: what protects while the quantity is not known. Here an unknown value
    neither begins nor ends anything.

    Raises ValueError when the levels are out of order.
    """

    code: str
    quantity: str
    side: Side = Side.ABOVE
    unit: str
    healthy: float
    warn: Threshold | None = None
    limit: Threshold | None = None
    trip: Threshold | None = None
    stops: Stops = Stops.NOTHING
    trip_stops: Stops = Stops.BOTH
    given: float = inf
    why: str
    unknown: str

    def __post_init__(self) -> None:
        levels = [threshold for _, threshold in self.levels()]
        if not levels:
            raise ValueError(f"{self.code} has no threshold")
        for threshold in levels:
            self._check(threshold)
        for inner, outer in pairwise(levels):
            self._check_order(inner, outer)

    @property
    def sign(self) -> float:
        """Values times this grow toward the harm."""
        return 1.0 if self.side is Side.ABOVE else -1.0

    def levels(self) -> Iterator[tuple[Level, Threshold]]:
        """The levels that this rule has, mildest first."""
        for level in Level:
            threshold = self.at(level)
            if threshold is not None:
                yield level, threshold

    def at(self, level: Level) -> Threshold | None:
        """The threshold of a level."""
        return (self.warn, self.limit, self.trip)[level - 1]

    def refuses(self, level: Level) -> Stops:
        """What a level refuses."""
        return (Stops.NOTHING, self.stops, self.trip_stops)[level - 1]

    def tightened(self, level: Level, value: float) -> Rule:
        """The same rule with another threshold; its hysteresis stays as wide where it can.

        Raises ValueError for a level that it does not have, or out of order.
        """
        old = self.at(level)
        if old is None:
            raise ValueError(f"{self.code} has no level {level.name.lower()}")
        release = self.sign * (old.release + value - old.value)
        return self.replaced(level, value, self.sign * max(release, self.sign * self.healthy))

    def replaced(self, level: Level, value: float, release: float) -> Rule:
        """The same rule with other numbers at one level. Raises ValueError when out of order."""
        old = self.at(level) or Threshold(value=value, release=release)
        new = replace(old, value=value, release=release)
        warn, limit, trip = (
            new if level is one else self.at(one) for one in (Level.WARN, Level.LIMIT, Level.TRIP)
        )
        return replace(self, warn=warn, limit=limit, trip=trip)

    def _check(self, threshold: Threshold) -> None:
        numbers = (threshold.value, threshold.release, threshold.delay_s, threshold.dwell_s)
        if not (all(map(isfinite, numbers)) and threshold.delay_s >= 0 and threshold.dwell_s >= 0):
            raise ValueError(f"{self.code} has a number that is none or a negative time")
        if not self.sign * threshold.release <= self.sign * threshold.value:
            raise ValueError(f"{self.code} is released on the wrong side of {threshold.value:g}")
        if not self.sign * self.healthy <= self.sign * threshold.release:
            raise ValueError(f"{self.code} would not be released at {self.healthy:g}")

    def _check_order(self, inner: Threshold, outer: Threshold) -> None:
        is_inside = self.sign * inner.value < self.sign * outer.value
        is_sooner = inner.value == outer.value and inner.delay_s < outer.delay_s
        if not (is_inside or is_sooner):
            raise ValueError(
                f"{self.code}: {inner.value:g} must be inside {outer.value:g}, or come sooner"
            )
