"""Whether the meter shows what the battery does.

When the battery gives 100 W more, the meter must read 100 W less. A meter with the wrong sign
reads 100 W more, and the loop would run away to full power; one that repeats itself does not move
at all. Readings that rise with the own output make it suspect, but a load that rises faster than
the converter can follow looks the same. So suspicion is tested: power goes to zero for a moment,
and the meter has to show it. A meter that says the same number for long is tested likewise, for a
house may really be as steady as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_FORGET = 0.985  # per reading: about half a minute at two a second
_CLIP_W = 100.0  # no single step of a load may decide
_ENOUGH_W2 = 25_000.0
_SUSPECT_SLOPE = 0.5
_TEST_FROM_W = 150.0
_TEST_S = 2.5
_TEST_AGAIN_S = 1800.0
_TESTS = 2  # a load that changed at the wrong moment must not be enough
_AGREE_WITHIN_S = 300.0
_LEAST_AGAINST, _MOST_AGAINST = 0.5, 1.6
_MOVED_W = 150.0
_REPEATS = 12  # after the move: a model that is early by seconds must not blame the meter
_STILL_S, _LONGEST_STILL_S = 30.0, 1800.0
_DWELL_S = 300.0
_AWAKE = 3
_LONGEST_GAP_S = 3.0


class Verdict(StrEnum):
    """What is known of the meter. Everything but good refuses power in mode auto."""

    GOOD = "good"
    TESTING = "testing"
    SIGN = "sign"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class _Seen:
    at_s: float
    grid_w: float
    own_w: float


class MeterWatch:
    """Judges each new reading.

    A wrong sign holds for five minutes, then the meter is tried again; a frozen meter until it
    has changed its mind a few times, or as long.
    repeats: readings in a row that say the same number as the one before.
    """

    def __init__(self) -> None:
        self.repeats = 0
        self._held = Verdict.GOOD
        self._ends_s = float("-inf")
        self._tested_s = self._failed_s = float("-inf")
        self._test: _Seen | None = None
        self._last: _Seen | None = None
        self._still: _Seen | None = None
        self._repeats_since_move = self._failed_tests = self._awake = 0
        self._still_s = _STILL_S
        self._both_w2 = self._own_w2 = 0.0

    def verdict(self, now_s: float) -> Verdict:
        """What holds now."""
        if self._test is not None:
            return Verdict.TESTING
        return self._held if now_s < self._ends_s else Verdict.GOOD

    def update(self, now_s: float, grid_w: float, own_w: float, *, may_test: bool = True) -> None:
        """One new reading, with the battery's output when it was measured.

        may_test: False while another test moves a converter.
        """
        now = _Seen(now_s, grid_w, own_w)
        before, self._last = self._last, now
        self._count(before, now)
        if self._test is not None:
            self._finish_test(self._test, now)
        elif self.verdict(now_s) is Verdict.FROZEN:
            self._wake(now_s)
        elif self.verdict(now_s) is Verdict.GOOD and before is not None:
            self._learn(before, now)
            self._judge(now, may_test=may_test)

    def vouched_for(self, now_s: float) -> None:
        """The meter has just shown a converter's step: as good as an own test."""
        self._tested_s, self._failed_tests = now_s, 0
        self._both_w2 = self._own_w2 = 0.0

    def _count(self, before: _Seen | None, now: _Seen) -> None:
        same = before is not None and now.grid_w == before.grid_w
        if not same or self._still is None:
            self.repeats = self._repeats_since_move = 0
            self._still = now
            return
        self.repeats += 1
        if abs(now.own_w - self._still.own_w) > _MOVED_W:
            self._repeats_since_move += 1

    def _learn(self, before: _Seen, now: _Seen) -> None:
        if now.at_s - before.at_s > _LONGEST_GAP_S:
            self._both_w2 = self._own_w2 = 0.0
            return
        own_w = _clipped(now.own_w - before.own_w)
        self._both_w2 = _FORGET * self._both_w2 + own_w * _clipped(now.grid_w - before.grid_w)
        self._own_w2 = _FORGET * self._own_w2 + own_w * own_w

    def _judge(self, now: _Seen, *, may_test: bool) -> None:
        if self._repeats_since_move > _REPEATS:
            self._hold(Verdict.FROZEN, now.at_s)
        elif may_test and (self._turns_with_us(now) or self._stands_still(now)):
            self._test = self._still = now
            self._repeats_since_move = 0

    def _turns_with_us(self, now: _Seen) -> bool:
        """It rises when the battery gives more."""
        suspect = self._own_w2 > _ENOUGH_W2 and self._both_w2 > _SUSPECT_SLOPE * self._own_w2
        due = now.at_s - self._tested_s > _TEST_AGAIN_S
        return suspect and due and abs(now.own_w) > _TEST_FROM_W

    def _stands_still(self, now: _Seen) -> bool:
        """The same number for long. Stopping a charger costs too much to ask it then."""
        if self._still is None or self._repeats_since_move:
            return False
        long = self.repeats > _REPEATS and now.at_s - self._still.at_s > self._still_s
        return long and now.own_w > _TEST_FROM_W

    def _finish_test(self, test: _Seen, now: _Seen) -> None:
        """Power has been zero for a moment: the meter must have moved by what was taken away."""
        if now.at_s - test.at_s < _TEST_S:
            return
        if self._repeats_since_move > 0:
            self._hear_nothing(now.at_s)
            return
        taken_w, moved_w = test.own_w - now.own_w, now.grid_w - test.grid_w
        self._test = None
        self._still_s = min(2 * self._still_s, _LONGEST_STILL_S)
        self._compare(-moved_w / taken_w if taken_w else 0.0, now.at_s)

    def _hear_nothing(self, at_s: float) -> None:
        """Still the same number: it is given some more readings, then it is called frozen."""
        if self._repeats_since_move > _REPEATS // 2:
            self._test = None
            self._hold(Verdict.FROZEN, at_s)

    def _compare(self, against: float, at_s: float) -> None:
        """against: how much the meter moved the wrong way, as a part of what was taken away."""
        self._forget()
        self._tested_s = at_s
        if not _LEAST_AGAINST < against < _MOST_AGAINST:
            self._failed_tests = 0
            return
        if at_s - self._failed_s > _AGREE_WITHIN_S:
            self._failed_tests = 0
        self._tested_s, self._failed_s = float("-inf"), at_s  # it may be tested again at once
        self._failed_tests += 1
        if self._failed_tests >= _TESTS:
            self._hold(Verdict.SIGN, at_s)

    def _wake(self, now_s: float) -> None:
        """A frozen meter that says something else again and again is frozen no more."""
        self._awake = self._awake + 1 if self.repeats == 0 else self._awake
        if self._awake >= _AWAKE:
            self._ends_s = now_s
            self._forget()

    def _hold(self, verdict: Verdict, now_s: float) -> None:
        self._held, self._ends_s = verdict, now_s + _DWELL_S
        self._awake, self._still_s = 0, _STILL_S
        self._forget()

    def _forget(self) -> None:
        self._both_w2 = self._own_w2 = 0.0
        self.repeats = self._repeats_since_move = 0
        self._still = None


def _clipped(moved_w: float) -> float:
    return max(-_CLIP_W, min(_CLIP_W, moved_w))
