"""Balancing without I/O: which cells, when to say it again, and whether the module obeys."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

from gridzero.ports.links import CanFrame
from gridzero_drivers.vw_gte.codec import balance_pair, other_stop_pair
from gridzero_drivers.vw_gte.options import Member

REFRESH_S: Final = 2.5  # as the field-proven firmwares; far below half of the shortest duration
STOP_REPEATS: Final = 3
MISMATCH_S: Final = 5.0
STATUS_GAP_S: Final = 10.0


def select_cells(cells_mv: Sequence[int | None], hysteresis_mv: int) -> int:
    """Cells strictly above the lowest one plus the hysteresis, as bits; all in mV.

    Nothing is selected while any cell is unknown (vw-gte protocol notes, section 3.4).
    """
    known = [cell for cell in cells_mv if cell is not None]
    if len(known) < len(cells_mv) or not known:
        return 0
    limit_mv = min(known) + hysteresis_mv
    return sum(1 << index for index, cell_mv in enumerate(known) if cell_mv > limit_mv)


def cell_numbers(cells: int) -> list[int]:
    """Numbers (from 1) of the cells whose bits are set."""
    return [bit + 1 for bit in range(cells.bit_length()) if cells >> bit & 1]


def cells_text(cells: int) -> str:
    """For people: ``1, 9, 12`` or ``none``."""
    return ", ".join(map(str, cell_numbers(cells))) or "none"


class BleedOrder:
    """What one module is asked to bleed, and what it was last told.

    A module bleeds on by its own timer when it hears nothing more. So the order is repeated while
    its lease lasts, and the stop is repeated until it must have been heard.
    """

    def __init__(self, member: Member, minutes: int) -> None:
        self._member = member
        self._minutes = minutes
        self._cells, self._until_s = 0, -inf
        self._sent_at_s = -inf
        self._repeats_left = 0
        self.sent = 0

    def ask(self, cells: int, until_s: float) -> None:
        """Bleed these cells (bit i = cell i+1) until the lease ends."""
        self._cells, self._until_s = cells, until_s

    def due(self, now_s: float, reported: int) -> int | None:
        """The cells to be sent now, None when there is nothing to say.

        reported: what the module says that it bleeds.
        """
        wanted = self._cells if now_s <= self._until_s else 0
        if wanted != self.sent:
            return wanted
        if now_s - self._sent_at_s < REFRESH_S:
            return None
        return wanted if wanted or reported or self._repeats_left else None

    def was_sent(self, cells: int, now_s: float) -> None:
        """The frames of ``cells`` left."""
        is_new = cells != self.sent
        self._repeats_left = STOP_REPEATS - 1 if is_new else max(0, self._repeats_left - 1)
        self.sent, self._sent_at_s = cells, now_s

    def was_away(self) -> None:
        """The module is heard again after a silence: it may have missed the stop."""
        self._repeats_left = STOP_REPEATS

    def was_ended(self) -> None:
        """An end-of-balancing burst left: a lease that still runs has to be sent again."""
        self.sent = 0

    def frames(self, cells: int) -> tuple[CanFrame, ...]:
        """The request; a stop also goes to the ids that the other generation listens to."""
        _, number, series_cells, variant = self._member
        pair = balance_pair(
            number, cells, variant=variant, series_cells=series_cells, minutes=self._minutes
        )
        if cells:
            return pair
        return pair + other_stop_pair(number, variant=variant, series_cells=series_cells)


class Mismatch:
    """Whether a module bleeds other cells than it was told, for longer than it may take.

    at_s: when the newest status that was compared had come.
    """

    def __init__(self) -> None:
        self._cells = 0
        self._since_s = -inf
        self.at_s = -inf

    def is_lasting(self, requested: int, reported: int, at_s: float) -> bool:
        """Compare with a status received at ``at_s``; True when a cell differs for over 5 s."""
        if at_s - self.at_s > STATUS_GAP_S:
            self._cells = 0
        self.at_s = at_s
        differing = requested ^ reported
        lasting = differing & self._cells
        if not lasting:
            self._since_s = at_s
        self._cells = lasting or differing
        return bool(lasting) and at_s - self._since_s > MISMATCH_S
