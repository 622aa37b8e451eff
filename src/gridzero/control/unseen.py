"""Suspicion by the meter alone: own changes that should have been seen and were not.

Two stories are compared, reading by reading: the unit gives what it was told, or it gives
nothing. Each implies a load; a household's load stands still far more often than it moves just
as our own output does, so the story with the calmer load is the likelier one. A load that rises
as fast as the unit can follow, a cloud for example, looks the same for some seconds: this is only
suspicion, and step_test asks. What the unit gave vanishing at once is suspicious as well, for a
unit that stands at its maximum moves no more; for the same reason one that has not been seen for
five minutes while the house still buys is asked.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gridzero.control.step_test import LEAST_W

_MEMORY_S = 8.0
_LEAST_CLIP_W = 100.0  # no single jump of the load may decide
_ENOUGH_W, _ENOUGH_AFTER_LOSS_W = 250.0, 100.0
_FLAT = 0.3
_LEAST_ERROR_W = 50.0
_LIKE_W, _LIKE = 25.0, 0.08
_STANDS_W = 30.0
_LOOK_AGAIN_S, _TOO_LATE_S = 3.5, 20.0  # another unit may have to be asked first
_LONGEST_GAP_S = 12.0
_SIGHT_W, _CLEAR = 60.0, 0.5
_OUT_OF_SIGHT_S, _LONGEST_OUT_OF_SIGHT_S = 300.0, 3600.0
_AFTER_TEST_S = 30.0
_STANDING_ERROR_W = 100.0


class _Look(NamedTuple):
    at_s: float
    load_w: float
    promised_w: float


class _Loss(NamedTuple):
    at_s: float
    load_w: float
    power_w: float


class Unseen:
    """One unit. is_routine: the suspicion is only that it has not been seen for long.

    stands: it gives all it can, steadily, and the house buys more.
    """

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque(maxlen=3)
        self.is_routine = self.stands = False
        self._sight_s: float | None = None
        self._sight_pause_s = _OUT_OF_SIGHT_S
        self._asked_s = float("-inf")
        self.reset()

    def reset(self) -> None:
        """Forget all suspicion."""
        self._if_given_w = self._if_nothing_w = self._moved_w = 0.0
        self._loss: _Loss | None = None
        self._looks.clear()

    def was_asked(self, at_s: float) -> None:
        """A test has answered: begin anew, and look less often after units that only stand."""
        self._sight_s = self._asked_s = at_s
        self._sight_pause_s = min(2 * self._sight_pause_s, _LONGEST_OUT_OF_SIGHT_S)
        self.reset()

    def update(self, at_s: float, load_w: float, promised_w: float, error_w: float | None) -> bool:
        """One reading; returns whether the unit is suspicious.

        load_w: what the house needs if this unit gives nothing. error_w: grid minus target, None
        while the grid is not being held.
        """
        look = _Look(at_s, load_w, promised_w)
        before = self._looks[-1] if self._looks else None
        if before is not None and not at_s - before.at_s <= _LONGEST_GAP_S:
            self.reset()
            before = None
        self._looks.append(look)
        if before is None:
            return False
        self._compare(before, look)
        self._watch_loss(look)
        buys = error_w is not None and error_w > _STANDING_ERROR_W
        self.stands = buys and self._moved_w <= _STANDS_W
        away = self._is_long_out_of_sight(at_s, error_w)
        unseen = self._is_unseen(look.promised_w - before.promised_w, error_w)
        reason = unseen or self._is_lost(look)
        self.is_routine = away and not reason
        return promised_w >= LEAST_W and (reason or away)

    def _compare(self, before: _Look, now: _Look) -> None:
        moved_w = now.promised_w - before.promised_w
        nothing_w = now.load_w - before.load_w
        clip_w = max(_LEAST_CLIP_W, 2.0 * abs(moved_w))
        keep = max(0.0, 1.0 - (now.at_s - before.at_s) / _MEMORY_S)
        self._if_given_w = keep * self._if_given_w + min(abs(nothing_w + moved_w), clip_w)
        self._if_nothing_w = keep * self._if_nothing_w + min(abs(nothing_w), clip_w)
        self._moved_w = keep * self._moved_w + abs(moved_w)

    def _is_unseen(self, moved_w: float, error_w: float | None) -> bool:
        """Much was promised, the load is flat only without it, and the error stays."""
        enough_w = _ENOUGH_W if self._loss is None else _ENOUGH_AFTER_LOSS_W
        if self._if_given_w - self._if_nothing_w < enough_w:
            return False
        flat = self._if_nothing_w <= _FLAT * self._if_given_w
        stays = error_w is None or (abs(error_w) > _LEAST_ERROR_W and error_w * moved_w >= 0)
        return flat and stays

    def _is_long_out_of_sight(self, at_s: float, error_w: float | None) -> bool:
        """At its maximum it moves no more, so it could be gone for hours and nobody would see."""
        clear = self._if_given_w <= _CLEAR * self._if_nothing_w
        seen = clear and self._if_nothing_w - self._if_given_w > _SIGHT_W
        if seen or self._sight_s is None or error_w is None or error_w < _STANDING_ERROR_W:
            self._sight_s = at_s
        if seen and at_s - self._asked_s > _AFTER_TEST_S:
            self._sight_pause_s = _OUT_OF_SIGHT_S
        return at_s - self._sight_s > self._sight_pause_s

    def _watch_loss(self, now: _Look) -> None:
        """The load seems to have grown at once by just what the unit gave."""
        if self._loss is not None and now.at_s - self._loss.at_s > _TOO_LATE_S:
            self._loss = None
        before = self._looks[0]
        grown_w, power_w = now.load_w - before.load_w, before.promised_w
        if power_w >= LEAST_W and abs(grown_w - power_w) <= max(_LIKE_W, _LIKE * power_w):
            self._if_given_w = self._if_nothing_w = self._moved_w = 0.0
            self._loss = _Loss(now.at_s, now.load_w, power_w)
            self._looks.clear()
            self._looks.append(now)

    def _is_lost(self, now: _Look) -> bool:
        """It has stayed away, and nothing moved that could have shown more."""
        loss = self._loss
        if loss is None or now.at_s - loss.at_s < _LOOK_AGAIN_S or self._moved_w > _STANDS_W:
            return False
        return abs(now.load_w - loss.load_w) <= max(_LIKE_W, _LIKE * loss.power_w)
