"""Whether the meter shows what the battery does.

When the battery gives 100 W more, the meter must read 100 W less. A meter with the wrong sign
reads 100 W more, and the loop would run away to full power; one that repeats itself does not move
at all. Readings that rise with the own output make it suspect, but a load that rises faster than
the converter can follow looks the same. So suspicion is tested: power goes to zero for a moment,
and the meter has to show it.
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
_LEAST_AGAINST, _MOST_AGAINST = 0.5, 1.6
_MOVED_W = 150.0
_REPEATS = 12  # after the move: a model that is early by seconds must not blame the meter
_DWELL_S = 300.0
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
    """Judges each new reading; a verdict holds for five minutes, then the meter is tried again."""

    def __init__(self) -> None:
        self._held = Verdict.GOOD
        self._ends_s = float("-inf")
        self._tested_s = float("-inf")
        self._test: _Seen | None = None
        self._last: _Seen | None = None
        self._still: _Seen | None = None
        self._repeats = self._failed_tests = 0
        self._both_w2 = self._own_w2 = 0.0

    def verdict(self, now_s: float) -> Verdict:
        """What holds now."""
        if self._test is not None:
            return Verdict.TESTING
        return self._held if now_s < self._ends_s else Verdict.GOOD

    def update(self, now_s: float, grid_w: float, own_w: float) -> None:
        """One new reading, with the battery's output when it was measured."""
        now = _Seen(now_s, grid_w, own_w)
        before, self._last = self._last, now
        if self._test is not None:
            self._finish_test(self._test, now)
        elif self.verdict(now_s) is Verdict.GOOD and before is not None:
            self._learn(before, now)
            self._judge(now)

    def _learn(self, before: _Seen, now: _Seen) -> None:
        if now.at_s - before.at_s > _LONGEST_GAP_S:
            self._forget()
            return
        own_w = _clipped(now.own_w - before.own_w)
        self._both_w2 = _FORGET * self._both_w2 + own_w * _clipped(now.grid_w - before.grid_w)
        self._own_w2 = _FORGET * self._own_w2 + own_w * own_w
        if self._still is None or now.grid_w != before.grid_w:
            self._repeats, self._still = 0, now
        elif abs(now.own_w - self._still.own_w) > _MOVED_W:
            self._repeats += 1

    def _judge(self, now: _Seen) -> None:
        if self._repeats > _REPEATS:
            self._hold(Verdict.FROZEN, now.at_s)
        suspect = self._own_w2 > _ENOUGH_W2 and self._both_w2 > _SUSPECT_SLOPE * self._own_w2
        due = now.at_s - self._tested_s > _TEST_AGAIN_S
        if suspect and due and abs(now.own_w) > _TEST_FROM_W:
            self._test = now

    def _finish_test(self, test: _Seen, now: _Seen) -> None:
        """Power has been zero for a moment: the meter must have moved by what was taken away."""
        if now.at_s - test.at_s < _TEST_S:
            return
        taken_w, moved_w = test.own_w - now.own_w, now.grid_w - test.grid_w
        self._test, self._tested_s = None, now.at_s
        self._forget()
        against = -moved_w / taken_w if taken_w else 0.0
        if not _LEAST_AGAINST < against < _MOST_AGAINST:
            self._failed_tests = 0
            return
        self._tested_s = float("-inf")  # it may be tested again at once
        self._failed_tests += 1
        if self._failed_tests >= _TESTS:
            self._hold(Verdict.SIGN, now.at_s)

    def _hold(self, verdict: Verdict, now_s: float) -> None:
        self._held, self._ends_s = verdict, now_s + _DWELL_S
        self._forget()

    def _forget(self) -> None:
        self._both_w2 = self._own_w2 = 0.0
        self._repeats, self._still = 0, None


def _clipped(moved_w: float) -> float:
    return max(-_CLIP_W, min(_CLIP_W, moved_w))
