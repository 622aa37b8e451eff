"""What travels from the ear to the file: stamped, in whole steps of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gridzero.errors import GridzeroError

DS_PER_S = 10
MINUTE_DS = 60 * DS_PER_S
HOUR_DS = 60 * MINUTE_DS
DAY_DS = 24 * HOUR_DS

Stored = dict[str, int | str]
"""Values by name of the series, in steps; words as they are. Unknown ones are absent."""


class HistoryError(GridzeroError):
    """The history cannot be read or written."""


class Sample(NamedTuple):
    """One state. at_ds: tenths of a second since 1970, UTC. held_ds: for how long it counts."""

    at_ds: int
    held_ds: int
    values: Stored


class Record(NamedTuple):
    """Something that happened, in words.

    at_s: seconds since 1970, UTC. kind: ``event`` (fault, refusal), ``decision`` (the reason
    changed), ``setting`` (a person or a schedule changed one). severity: info, warning, fault.
    active: False = it went.
    """

    at_s: float
    kind: str
    code: str
    subject: str = ""
    severity: str = "info"
    active: bool = True
    text: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes."""

    samples: list[Sample] = field(default_factory=list)
    cells: list[Sample] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.samples or self.cells or self.records)
