"""Which readings of the battery are believed, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Blame(StrEnum):
    """Who explains an odd reading.

    SENSOR: the reading is wrong, the cell is not. CELL: the cell is as it reads. UNDECIDED:
    nobody can say yet; it counts like CELL.
    """

    SENSOR = "sensor"
    CELL = "cell"
    UNDECIDED = "undecided"


class Oddity(StrEnum):
    """What is odd about a cell's reading. The value is the code in MQTT."""

    OFFSET = "offset"
    STUCK = "stuck"
    JUMPING = "jumping"
    SWAPPED = "swapped_wires"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDoubt:
    """One cell whose reading is not simply believed.

    cell: counted from 1. reading_v: what it reads, None when not available. estimate_v: what the
    other readings say it is, V, true within +- within_v; None when they cannot say. text: the case
    in words for people.
    """

    module: str
    cell: int
    oddity: Oddity
    blame: Blame
    reading_v: float | None
    estimate_v: float | None
    within_v: float
    text: str

    @property
    def name(self) -> str:
        """Module and cell, for example ``b3.7``."""
        return f"{self.module}.{self.cell}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The judgement over all readings at one moment.

    cells: by name (``b3.7``). apart: modules whose voltage does not agree with the others and no
    single cell explains it, with the case in words. frozen: modules whose readings stand still.
    odd_temps: modules whose temperature cannot be, in words. unproven: modules whose
    sum was not yet seen to agree with the others. common_v: the voltage that parallel
    modules share, None with fewer than two or when they do not agree. shunt_offset_a: what the
    shunt reads when no current flows, A; None = not known. shunt_sign_wrong: it shows charge as
    discharge. shunt_stuck: it stands still while the converters move.
    """

    cells: Mapping[str, CellDoubt] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    frozen: Mapping[str, str] = field(default_factory=dict)
    odd_temps: Mapping[str, str] = field(default_factory=dict)
    unproven: frozenset[str] = frozenset()
    common_v: float | None = None
    shunt_offset_a: float | None = None
    shunt_sign_wrong: bool = False
    shunt_stuck: bool = False

    def misread(self, module: str, cell: int) -> CellDoubt | None:
        """The doubt about a cell (counted from 1) whose sensor is to blame, else None."""
        doubt = self.cells.get(f"{module}.{cell}") if self.cells else None
        return doubt if doubt is not None and doubt.blame is Blame.SENSOR else None


UNTROUBLED = Trust()
"""Every reading is believed."""
