"""The history for everyone who looks: a read-only connection beside a recorder that writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self


class Level(StrEnum):
    """How fine: what was said each second, or roll-ups of minutes and hours."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"


class Column(NamedTuple):
    """One series over the points; None = not known then.

    mean, low, high, last: of each point's time. A SUM has its sum in ``mean`` and the rest empty;
    raw values of one second stand in all four. A WORD has words in ``last`` only (raw level).
    """

    mean: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    last: Sequence[float | str | None]


@dataclass(frozen=True, slots=True)
class Series:
    """Columns over common points. at_s: UTC, seconds since 1970, the begin of each point.

    step_s: how long a point is; gaps are left out, so distances may be longer.
    """

    level: Level
    step_s: float
    at_s: Sequence[float]
    columns: dict[str, Column]


class Record(NamedTuple):
    """Something that happened, in words.

    kind: ``event`` (fault, refusal), ``decision`` (the reason changed), ``setting`` (a person or
    a schedule changed one). severity: info, warning, fault. active: False = it went.
    """

    at_s: float
    kind: str
    code: str
    subject: str
    severity: str
    active: bool
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Day:
    """One local day from midnight to midnight; None = nothing is known of it.

    because_s: seconds per reason. known_s: how much of the day was recorded.
    """

    day: date
    known_s: float
    import_wh: float | None
    export_wh: float | None
    charge_wh: float | None
    discharge_wh: float | None
    min_soc_pct: float | None
    max_soc_pct: float | None
    because_s: dict[str, float]


class HistoryReader:
    """Opens, reads and closes; each call is a short transaction, so the recorder never waits.

    Blocking (milliseconds to some hundred): call it in a thread (``asyncio.to_thread``); calls from
    several threads wait for each other. Times are seconds since 1970, UTC; ``to`` is exclusive.
    Every call raises HistoryError (a GridzeroError) when the file is not there or cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; the next call opens it again."""

    def names(self) -> list[str]:
        """Names of all series that were ever recorded, cells excepted."""
        raise NotImplementedError

    def series(
        self,
        names: Sequence[str],
        from_s: float,
        to_s: float,
        most_points: int = 1000,
        level: Level | None = None,
    ) -> Series:
        """Some series over a span, thinned to at most most_points by merging neighbours.

        level: None takes the finest that is stored for the span and gives no more than about
        four values per point. A name that was never recorded is a column of None.
        Raises KeyError for a name that catalogue does not know.
        """
        raise NotImplementedError

    def cells(self, from_s: float, to_s: float, most_points: int = 500) -> Series:
        """Every cell and sensor (cell.b3.7 in V, temp.b3.1 in °C); values in ``last``."""
        raise NotImplementedError

    def events(
        self,
        from_s: float,
        to_s: float,
        kinds: Sequence[str] = ("event", "setting"),
        most: int = 1000,
    ) -> list[Record]:
        """What happened, newest first."""
        raise NotImplementedError

    def because_seconds(self, from_s: float, to_s: float) -> dict[str, float]:
        """Seconds per reason (a code of domain.reasons), most first; whole minutes are counted."""
        raise NotImplementedError

    def days(self, first: date, last: date, zone: tzinfo | None = None) -> list[Day]:
        """Local days, both included; zone None = the machine's."""
        raise NotImplementedError
