"""The physics of plants.py in steps of STEP_S, and the wire in front of it."""

from __future__ import annotations

from collections import deque
from math import exp, floor

from gridzero.bench.control.plants import InverterRow, RectifierRow

STEP_S = 0.1
_HAIR = 1e-6


class Inverter:
    """All units together. output_w: AC, W >= 0. starts: times it left zero."""

    def __init__(self, row: InverterRow) -> None:
        self.output_w = 0.0
        self.starts = 0
        self._row = row
        self._coming: deque[tuple[float, float]] = deque()
        self._target_w = 0.0
        self._rise_w = row.rise_w_per_s * STEP_S
        self._fall_w = row.fall_w_per_s * STEP_S
        self._part = 1.0 - exp(-STEP_S / row.lag_s) if row.lag_s else 0.0

    def sent(self, at_s: float, demand_w: float) -> None:
        """A demand for all units together left the host."""
        self._coming.append((at_s + self._row.dead_s, demand_w))

    def step(self, now_s: float) -> float:
        """Go on to now_s, one step after the last; returns the output, W."""
        coming = self._coming
        while coming and coming[0][0] <= now_s + _HAIR:
            self._take(coming.popleft()[1])
        output_w, target_w = self.output_w, self._target_w
        if output_w != target_w:
            if self._part:
                output_w += self._part * (target_w - output_w)
            elif output_w < target_w:
                output_w = min(target_w, output_w + self._rise_w)
            else:
                output_w = max(target_w, output_w - self._fall_w)
            self.output_w = output_w
        return output_w

    def _take(self, demand_w: float) -> None:
        row = self._row
        target_w = min(demand_w, row.max_w) * row.gain
        if self._target_w == 0.0 < target_w:
            self.starts += 1
        self._target_w = target_w
        if target_w == 0.0 and row.zero_at_once:
            self.output_w = 0.0
        elif self.output_w < row.jump_w:
            self.output_w = max(self.output_w, min(row.jump_w, target_w))


class Rectifier:
    """output_w: AC, W >= 0, drawn from the mains. starts: times it was switched on."""

    def __init__(self, row: RectifierRow) -> None:
        self.output_w = 0.0
        self.starts = 0
        self._row = row
        self._coming: deque[tuple[float, float]] = deque()
        self._target_w = 0.0
        self._follows_at_s = 0.0
        self._rise_w = row.rise_w_per_s * STEP_S
        self._fall_w = row.fall_w_per_s * STEP_S

    def sent(self, at_s: float, power_w: float) -> None:
        """A set-point left the host; 0 switches off."""
        self._coming.append((at_s + self._row.dead_s, power_w))

    def step(self, now_s: float) -> float:
        """Go on to now_s, one step after the last; returns the power drawn, W."""
        coming = self._coming
        while coming and coming[0][0] <= now_s + _HAIR:
            self._take(*coming.popleft())
        output_w, target_w = self.output_w, self._target_w
        if output_w == target_w:
            return output_w
        if output_w > target_w:
            self.output_w = max(target_w, output_w - self._fall_w)
        elif now_s + _HAIR >= self._follows_at_s:
            self.output_w = min(target_w, output_w + self._rise_w)
        return self.output_w

    def _take(self, at_s: float, power_w: float) -> None:
        row = self._row
        target_w = min(power_w, row.max_w)
        if self._target_w == 0.0 < target_w:
            self.starts += 1
            self._follows_at_s = at_s + row.start_s
            self.output_w = max(self.output_w, row.min_w)
        self._target_w = target_w


class InverterWire:
    """Whole watts per unit, at once when they change but gap_s apart, and again as keep-alive.

    due_s: before then nothing leaves unless something else is wanted.
    """

    def __init__(self, row: InverterRow) -> None:
        self.due_s = float("-inf")
        self._row = row
        self._sent_w = 0
        self._frame_s = float("-inf")

    def frame(self, now_s: float, wanted_w: float) -> float | None:
        """The demand of all units that leaves now; None when none does or it changes nothing."""
        row = self._row
        unit_w = floor(wanted_w / row.units + _HAIR)
        if unit_w * row.units < row.min_w:
            unit_w = 0
        changed = unit_w != self._sent_w
        wait_s = (row.gap_s if changed else row.keep_alive_s) - _HAIR
        if now_s - self._frame_s < wait_s:
            self.due_s = self._frame_s + wait_s
            return None
        self._frame_s, self.due_s = now_s, now_s + row.keep_alive_s - _HAIR
        self._sent_w = unit_w
        return float(unit_w * row.units) if changed else None


class RectifierWire:
    """Sent at once whenever it changes by a watt; below the smallest power it is off."""

    def __init__(self, row: RectifierRow) -> None:
        self._row = row
        self._sent_w = 0.0

    def frame(self, wanted_w: float) -> float | None:
        """The set-point that leaves now, W; None when it is what was sent."""
        power_w = float(floor(wanted_w + _HAIR))
        if power_w < self._row.min_w:
            power_w = 0.0
        if power_w == self._sent_w:
            return None
        self._sent_w = power_w
        return power_w
