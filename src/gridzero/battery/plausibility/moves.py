"""How each cell moves beside its siblings: stuck, jumping, or against them."""

from __future__ import annotations

from operator import sub
from typing import Final

from gridzero.battery.plausibility.rounds import Sample

JUMP_V: Final = 0.10
"""No cell moves so far from its siblings between two polls."""
JUMPS: Final = 3
JUMP_MEMORY_S: Final = 60.0
STILL_V: Final = 0.002
MOVED_V: Final = 0.03
MOVED_SLOWLY_V: Final = 0.010
LONG_S: Final = 3600.0
LONGEST_S: Final = 6 * 3600.0
_LOOK_S = 2.0
_STEP_V = 0.004
_ENOUGH_V2 = 0.002
_AGAINST, _TWICE = -0.3, 1.7


class Jumps:
    """Impossible jumps of one module's cells. A jump is matched when the sum jumped as well."""

    def __init__(self) -> None:
        self._seen: dict[int, list[tuple[float, bool | None]]] = {}

    def note(self, cell: int, at_s: float, *, matched: bool | None) -> None:
        """A cell jumped; matched: None = nobody could compare the sums."""
        self._seen.setdefault(cell, []).append((at_s, matched))

    def flapping(self, now_s: float) -> dict[int, bool]:
        """Cells that jumped JUMPS times within JUMP_MEMORY_S.

        True: every sum that could be compared says that the reading jumped and not the cell.
        """
        if not self._seen:
            return {}
        self._forget(now_s - JUMP_MEMORY_S)
        return {
            cell: any(m for _, m in seen) and all(m is not False for _, m in seen)
            for cell, seen in self._seen.items()
            if len(seen) >= JUMPS
        }

    def _forget(self, before_s: float) -> None:
        self._seen = {
            cell: kept
            for cell, seen in self._seen.items()
            if (kept := [one for one in seen if one[0] >= before_s])
        }


class CellMoves:
    """Watches the cells of one module from round to round."""

    def __init__(self) -> None:
        self.jumps = Jumps()
        self.stuck: set[int] = set()
        self._last: Sample | None = None
        self._gap_v: float | None = None
        self._strikes: dict[int, int] = {}
        self._looked_s = self._window_s = float("-inf")
        self._low: list[float] = []
        self._high: list[float] = []
        self._median_low_v = self._median_high_v = 0.0
        self._with: list[float] = []
        self._moved_v2 = 0.0

    def update(self, sample: Sample, gap_v: float | None) -> None:
        """A round. gap_v: what the module's sum is short of, None = not known.

        Bleeding moves what is bled and not the others, so nothing is learned from it.
        """
        last, before_v = self._last, self._gap_v
        self._last, self._gap_v = sample, gap_v
        if last is None or len(last.volts) != len(sample.volts):
            self._open_window(sample)
            self._with, self._moved_v2 = [0.0] * len(sample.volts), 0.0
            return
        if sample.bled or last.bled:
            self._open_window(sample)
            return
        if last.volts != sample.volts:
            gone_v = None if gap_v is None or before_v is None else before_v - gap_v
            self._compare(last, sample, gone_v)
        if sample.at_s - self._looked_s >= _LOOK_S:
            self._look(sample)

    def _compare(self, last: Sample, sample: Sample, gone_v: float | None) -> None:
        moved_v = sample.median_v - last.median_v
        deltas = list(map(sub, sample.volts, last.volts))
        if max(deltas) - moved_v > JUMP_V or moved_v - min(deltas) > JUMP_V:
            self._note_jumps(deltas, moved_v, sample, gone_v)
        elif abs(moved_v) > _STEP_V and sample.at_s - last.at_s < _LOOK_S:
            self._with = [0.98 * w + d * moved_v for w, d in zip(self._with, deltas, strict=True)]
            self._moved_v2 = 0.98 * self._moved_v2 + moved_v * moved_v

    def _note_jumps(
        self, deltas: list[float], moved_v: float, sample: Sample, gone_v: float | None
    ) -> None:
        for cell, delta_v in enumerate(deltas):
            jump_v = delta_v - moved_v
            if abs(jump_v) > JUMP_V:
                matched = None
                if gone_v is not None:
                    matched = abs(gone_v - jump_v) <= 0.5 * abs(jump_v) + sample.motion_v
                self.jumps.note(cell, sample.at_s, matched=matched)

    def against(self) -> list[int]:
        """Cells (from 0) that move against their siblings while a neighbour moves twice as far."""
        if self._moved_v2 < _ENOUGH_V2:
            return []
        gains = [w / self._moved_v2 for w in self._with]
        if min(gains) > _AGAINST:
            return []
        found: set[int] = set()
        for cell, gain in enumerate(gains):
            near = [i for i in (cell - 1, cell + 1) if 0 <= i < len(gains) and gains[i] > _TWICE]
            if gain < _AGAINST and near:
                found |= {cell, *near}
        return sorted(found)

    def _open_window(self, sample: Sample) -> None:
        self._window_s = self._looked_s = sample.at_s
        self._low, self._high = list(sample.volts), list(sample.volts)
        self._median_low_v = self._median_high_v = sample.median_v

    def _look(self, sample: Sample) -> None:
        """Once in a while: how far cells and median went since the window began."""
        self._looked_s = sample.at_s
        self._low = list(map(min, self._low, sample.volts))
        self._high = list(map(max, self._high, sample.volts))
        self._median_low_v = min(self._median_low_v, sample.median_v)
        self._median_high_v = max(self._median_high_v, sample.median_v)
        went_v = self._median_high_v - self._median_low_v
        for_s = sample.at_s - self._window_s
        if went_v >= MOVED_V:
            self._close_window(STILL_V, 1, sample)
        elif for_s >= LONG_S and went_v >= MOVED_SLOWLY_V:
            self._close_window(0.0, 2, sample)
        elif for_s >= LONGEST_S:
            self._open_window(sample)

    def _close_window(self, still_v: float, weight: int, sample: Sample) -> None:
        for cell, (low_v, high_v) in enumerate(zip(self._low, self._high, strict=True)):
            if high_v - low_v <= still_v + 1e-6:
                self._strikes[cell] = self._strikes.get(cell, 0) + weight
            else:
                self._strikes.pop(cell, None)
        self.stuck = {cell for cell, strikes in self._strikes.items() if strikes >= 2}
        self._open_window(sample)
