"""Loads that come and go at a steady beat: induction hobs, microwaves, irons, drums.

A converter with a slow ramp always comes too late for them. Once two beats agree, the next change
is known, and half the ramp can be done before it: half the error of always being late. The first
change that does not come on time ends it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from gridzero.control.drop_to_zero import saved_ws
from gridzero.domain.converters import Dynamics

_EDGES = 5  # two full beats and the one that is going on
_EVEN_W, _EVEN = 60.0, 0.2
_ON_TIME_S, _ON_TIME = 0.8, 0.12
_LONGEST_S = 60.0
_LATE_S = 0.8
_LAST_CHANGE_S = 1.2  # a jump that is seen in two readings is one edge


@dataclass(frozen=True, slots=True)
class Edge:
    """A jump of the net load at at_s, from one level to another, W."""

    at_s: float
    from_w: float
    to_w: float

    @property
    def height_w(self) -> float:
        """> 0 upward."""
        return self.to_w - self.from_w


@dataclass(frozen=True, slots=True)
class Beat:
    """The next change that is expected: when, and to which level."""

    at_s: float
    to_w: float


class PeriodicLoad:
    """Finds the beat in the jumps of the net load."""

    def __init__(self) -> None:
        self._edges: deque[Edge] = deque(maxlen=_EDGES)
        self._level_w = 0.0

    def update(self, at_s: float, net_load_w: float, edge_w: float) -> None:
        """One reading. edge_w: how far it jumped, W; 0 if it did not."""
        if edge_w:
            self._note(Edge(at_s, self._level_w, net_load_w))
        self._level_w = net_load_w

    def forget(self) -> None:
        """The past does not count any more."""
        self._edges.clear()

    def next(self, now_s: float) -> Beat | None:
        """The next change, or None while there is no beat, or it was missed."""
        if len(self._edges) < _EDGES:
            return None
        first, second, third, fourth, last = self._edges
        on_s, off_s = third.at_s - second.at_s, second.at_s - first.at_s
        if not (_same_time(fourth.at_s - third.at_s, off_s) and self._even()):
            return None
        if not _same_time(last.at_s - fourth.at_s, on_s) or on_s + off_s > _LONGEST_S:
            return None
        beat = Beat(last.at_s + off_s, fourth.to_w)
        return beat if now_s <= beat.at_s + _LATE_S else None

    def _note(self, edge: Edge) -> None:
        last = self._edges[-1] if self._edges else None
        if last and edge.at_s - last.at_s < _LAST_CHANGE_S and edge.height_w * last.height_w > 0:
            self._edges[-1] = Edge(last.at_s, last.from_w, edge.to_w)
            return
        self._edges.append(edge)

    def _even(self) -> bool:
        """Up and down in turn, and always by the same."""
        heights_w = [edge.height_w for edge in self._edges]
        most_w = max(map(abs, heights_w))
        alternate = all(a * b < 0 for a, b in pairwise(heights_w))
        return alternate and all(
            most_w - abs(height_w) <= max(_EVEN_W, _EVEN * most_w) for height_w in heights_w
        )


def ahead_of(beat: Beat, net_load_w: float, now_s: float, most_w: float, d: Dynamics) -> float:
    """The load to be answered now: the next one once half of its ramp would be due, W.

    most_w: what the inverters can give. Chargers are quick enough without; and what is cheaper
    cut to zero needs no head start.
    """
    if min(net_load_w, beat.to_w) < 0.0:
        return net_load_w
    here_w, there_w = min(most_w, net_load_w), min(most_w, beat.to_w)
    if there_w < here_w and saved_ws(d, here_w, there_w) > 0.0:
        return net_load_w
    slew = d.rise_w_per_s if there_w > here_w else d.fall_w_per_s
    lead_s = abs(there_w - here_w) / (2.0 * slew) + d.dead_time_s
    return there_w if now_s >= beat.at_s - lead_s else net_load_w


def _same_time(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) <= max(_ON_TIME_S, _ON_TIME * other_s)
