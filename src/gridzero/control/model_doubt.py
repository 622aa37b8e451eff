"""How much of the loop's own movement comes back at it as load.

A model that is too early lets the implied load move with the own output now and against it a
moment later; one that is too late, against it a moment before. Where that goes on, the loop would
chase its own tail: the sign of a limit cycle. A load that merely follows a rhythm of its own does
not undo the own movement watt by watt, so it raises no doubt; and one that is being followed moves
before the own output and the same way.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

_LAGS = 8
_LONGEST_LAG_S = 6.0
_MEMORY = 0.02  # per movement
_MOVED_W = 5.0
_CLIP = 1.2  # of the movement: larger changes are the load's own
_ALWAYS = 0.2  # every model is wrong by so much; no reason to wait
_CAUTION = 6.0
_TRAVEL_S = 3.0


class _Move(NamedTuple):
    own_w: float
    load_w: float
    lasted_s: float


class ModelDoubt:
    """score: 0 (the model explains all) .. 1 (each movement comes back in full).

    unsure_w: surprises up to about this size may be the own movement, W.
    """

    def __init__(self) -> None:
        self._moves: deque[_Move] = deque(maxlen=_LAGS)
        self._after, self._before = [0.0] * _LAGS, [0.0] * _LAGS
        self._travel_w = self._in_flight_w = 0.0
        self.score = 0.0

    @property
    def unsure_w(self) -> float:
        """See the class."""
        return _CAUTION * max(0.0, self.score - _ALWAYS) * (self._travel_w + self._in_flight_w)

    def update(
        self, seconds: float, change_w: float, step_w: float, in_flight_w: float = 0.0
    ) -> None:
        """One reading, so long after the last.

        change_w: how the implied load moved. step_w: how the own output did, by the model.
        in_flight_w: what it is still to move by what was sent.
        """
        ago_s = 0.0
        for lag, (move_w, moved_load_w, lasted_s) in enumerate(self._moves):
            ago_s += lasted_s
            if ago_s > _LONGEST_LAG_S:
                break
            _learn(self._after, lag, change_w, move_w)
            _learn(self._before, lag, moved_load_w, step_w)
        self.score = min(1.0, max(0.0, -min(self._after), -min(self._before)))
        self._moves.appendleft(_Move(step_w, change_w, seconds))
        self._in_flight_w = abs(in_flight_w)
        kept = max(0.0, 1.0 - seconds / _TRAVEL_S)
        self._travel_w = kept * self._travel_w + abs(step_w)


def _learn(returned: list[float], lag: int, load_w: float, move_w: float) -> None:
    """What share of a movement the load made, so many readings after it or before it."""
    if abs(move_w) >= _MOVED_W:
        clipped = max(-_CLIP, min(_CLIP, load_w / move_w))
        returned[lag] += _MEMORY * (clipped - returned[lag])
