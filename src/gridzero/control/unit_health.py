"""The health of one converter: good, suspect, out; and its way back.

good     it is used
suspect  a promised change was not seen for some seconds: an inverter is told 0 for a moment
         and then its value again, which wakes those that had lost the thread and shows those
         that give nothing
out      not used: told 0, counted as nothing, asked for a little now and then
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from gridzero.control.step_test import LEAST_W, Answer, Seen, StepTest, is_calm, mean_of
from gridzero.control.tries import Tries
from gridzero.control.unseen import Unseen
from gridzero.domain.snapshot import ConverterView

_TOLERANCE = 0.3
_INVERTER_TOLERANCE_W, _CHARGER_TOLERANCE_W = 80.0, 150.0
_SUSPECT_AFTER_S, _OUT_AFTER_S = 4.0, 15.0
_GIVES_NOTHING = 0.25
_IS_BACK = 0.5
_GOOD_AGAIN, _GOOD_AGAIN_S = 0.15, 6.0
_WAKE_S = 1.5
_NO_EVIDENCE_S = 60.0
_LOOKS = 4
_EASE_W = 200.0  # a unit at its maximum need not climb from zero again
_AGREE_WITHIN_S = 120.0
_TESTED_PAUSE_S, _LONGEST_TESTED_PAUSE_S = 90.0, 2400.0
_FORGIVEN_AFTER_S = 3600.0
_DEAF_S = 15.0
_UNCLEAR_PAUSE_S, _LONGEST_UNCLEAR_PAUSE_S = 5.0, 40.0


class State(StrEnum):
    """What may be expected of a unit."""

    GOOD = "good"
    SUSPECT = "suspect"
    OUT = "out"


class UnitHealth:
    """One converter. Tell it what was measured or witnessed; read state, is_held, try_w.

    words: what people should be told of it, "" for nothing. followed_s: when a test last showed
    that it follows.
    """

    def __init__(self, unit: ConverterView, *, inverts: bool) -> None:
        self.name = unit.name
        self.inverts = inverts
        self.state = State.GOOD
        self.words = ""
        self.followed_s = float("-inf")
        self._by = ""
        self.unseen = Unseen()
        self._tolerance_w = _INVERTER_TOLERANCE_W if inverts else _CHARGER_TOLERANCE_W
        self._tries = Tries(unit.spec)
        self._looks: deque[Seen] = deque(maxlen=_LOOKS)
        self._test: StepTest | None = None
        self._down = self._routine = False
        self._eased_to_w: float | None = None
        self._ask_again_s = float("-inf")
        self._tested_pause_s, self._unclear_pause_s = _TESTED_PAUSE_S, _UNCLEAR_PAUSE_S
        self._short_since_s: float | None = None
        self._better_s: float | None = None
        self._measured_s = self._now_s = float("-inf")
        self._wake_until_s = float("-inf")
        self._failed_s = float("-inf")

    @property
    def in_test(self) -> bool:
        """Whether a step test of this unit runs."""
        return self._test is not None

    def is_held(self, now_s: float) -> bool:
        """Whether it must be told 0 now although it is in use: the first half of a test."""
        stopped = self._down and self._eased_to_w is None
        return self.state is State.SUSPECT and (stopped or now_s < self._wake_until_s)

    @property
    def eased_to_w(self) -> float | None:
        """The most it may be told now, W: the first half of a test by routine; None = anything."""
        return self._eased_to_w if self._down and self.state is State.SUSPECT else None

    def try_w(self, now_s: float) -> float:
        """What to ask of a unit that is out, to see whether it is back; 0 while it rests."""
        may_try = self.state is State.OUT and not self._down
        return self._tries.power_w(now_s) if may_try else 0.0

    # --- what is known of it ------------------------------------------------------------------

    def measured(self, at_s: float, promised_w: float, given_w: float, by: str) -> None:
        """Its own output was measured, W >= 0, and what it was to give. by: words for people."""
        if not promised_w >= LEAST_W:
            return
        self._measured_s = at_s
        if self.state is State.OUT:
            self._tries.refused = given_w < _IS_BACK * promised_w
            if not self._tries.refused:
                self._recover()
        elif promised_w - given_w > max(self._tolerance_w, _TOLERANCE * promised_w):
            self._fell_short(at_s, given_w / promised_w, by)
        elif self.state is State.GOOD:
            self._short_since_s = None
        else:
            self._does_better(at_s, promised_w - given_w, promised_w)

    def witnessed(self, look: Seen, by: str, *, suspicious: bool) -> None:
        """Where only a witness sees it (see step_test), whether for a reason or by routine."""
        if by != self._by:
            self.let_go()  # another witness starts from another level
            self._by = by
        rested = not self._looks or self._looks[-1].promised_w <= 0
        if rested and look.promised_w > 0 and self.state is State.OUT and self._looks:
            self._test = StepTest(mean_of(self._looks))
        self._looks.append(look)
        if self._test is not None:
            self._hear(self._test.take(look), look.at_s, by)
        elif self.state is not State.OUT and (suspicious or self._has_failed_before(look.at_s)):
            self._ask(look)

    def tick(self, now_s: float, promised_w: float) -> None:
        """Let time pass. promised_w: what it was to give at this moment."""
        self._now_s = now_s
        if self._test is not None and now_s - self._looks[-1].at_s > _DEAF_S:
            self.let_go()  # nobody is held at zero because the witness has left
        if self.state is State.OUT:
            if self._tries.is_over(now_s, promised_w) and not self._down:
                self._rest(now_s)
        elif self.state is State.SUSPECT and now_s - self._measured_s > _NO_EVIDENCE_S:
            self._recover()  # unless a test has the word

    def let_go(self) -> None:
        """No witness can be trusted now: end a test without an answer."""
        self.unseen.reset()
        self._looks.clear()
        if self._test is not None and self.state is State.SUSPECT:
            self.state = State.GOOD
        self._test, self._down = None, False

    def excuse(self) -> None:
        """What it did not give was not to be had; it begins anew."""
        self.let_go()
        self._recover()

    # --- measured -----------------------------------------------------------------------------

    def _does_better(self, at_s: float, short_w: float, promised_w: float) -> None:
        """A suspect is believed again when it does well for some seconds, not in passing."""
        if short_w > max(_GOOD_AGAIN * promised_w, 0.5 * self._tolerance_w):
            self._better_s = None
            return
        self._better_s = at_s if self._better_s is None else self._better_s
        if at_s - self._better_s >= _GOOD_AGAIN_S:
            self._recover()

    def _fell_short(self, at_s: float, part: float, by: str) -> None:
        self._better_s = None
        if self._short_since_s is None:
            self._short_since_s = at_s
        lasts_s = at_s - self._short_since_s
        if lasts_s >= _SUSPECT_AFTER_S and self.state is State.GOOD:
            self.state = State.SUSPECT
            self._wake_until_s = at_s + _WAKE_S if self.inverts else at_s
        if lasts_s < _OUT_AFTER_S:
            return
        if part < _GIVES_NOTHING:
            self._take_out(at_s, by)
        else:
            self.words = f"{by} shows {100 * part:.0f} % of what it was told"

    # --- witnessed ----------------------------------------------------------------------------

    def _ask(self, look: Seen) -> None:
        if look.at_s < self._ask_again_s or look.promised_w < LEAST_W:
            return
        before = list(self._looks)[-3:]
        if is_calm(before, look.promised_w):
            self.state, self._down, self._routine = State.SUSPECT, True, self.unseen.is_routine
            rest_w = look.promised_w - _EASE_W
            eases = rest_w >= LEAST_W and (self._routine or self.unseen.stands)
            self._eased_to_w = rest_w if eases else None
            self._test = StepTest(mean_of(before), _EASE_W if eases else None)

    def _hear(self, answer: Answer | None, at_s: float, by: str) -> None:
        if answer is None:
            return
        self._test = None
        if self.state is State.OUT:
            self._hear_try(answer, at_s)
        elif answer is not Answer.NOTHING:
            self._clear(answer, at_s)
        elif self._has_failed_before(at_s):
            self._take_out(at_s, by)
        else:
            self._failed_s = at_s
            self._down = not self._down
            step_w = None if self._eased_to_w is None else _EASE_W
            self._test = StepTest(mean_of(list(self._looks)[-2:]), step_w)

    def _has_failed_before(self, at_s: float) -> bool:
        """Two tests must agree: a load that changed at the wrong moment must not be enough."""
        return at_s - self._failed_s <= _AGREE_WITHIN_S

    def _clear(self, answer: Answer, at_s: float) -> None:
        """It follows, or nobody knows: it is used on, and not asked again too soon."""
        if answer is Answer.FOLLOWS:
            self._cleared(at_s)
        else:
            self._ask_again_s = at_s + self._unclear_pause_s
            self._unclear_pause_s = min(2 * self._unclear_pause_s, _LONGEST_UNCLEAR_PAUSE_S)
        self._recover()

    def _cleared(self, at_s: float) -> None:
        """The more often it was blamed for nothing, the longer it is left alone."""
        self.followed_s, self._failed_s = at_s, float("-inf")
        self._unclear_pause_s = _UNCLEAR_PAUSE_S
        self.unseen.was_asked(at_s)
        if self._routine:
            return
        if at_s - self._ask_again_s > _FORGIVEN_AFTER_S:
            self._tested_pause_s = _TESTED_PAUSE_S
        self._ask_again_s = at_s + self._tested_pause_s
        self._tested_pause_s = min(3 * self._tested_pause_s, _LONGEST_TESTED_PAUSE_S)

    # --- out and back -------------------------------------------------------------------------

    def _hear_try(self, answer: Answer, at_s: float) -> None:
        """Up and down again must both be seen before it counts as back."""
        if answer is not Answer.FOLLOWS:
            self._tries.refused = self._tries.refused or answer is Answer.NOTHING
            if self._down:
                self._rest(at_s)
        elif self._down:
            self._recover()
        else:
            self._down = True
            self._test = StepTest(mean_of(list(self._looks)[-2:]))

    def _take_out(self, at_s: float, by: str) -> None:
        self.state, self._test, self._down = State.OUT, None, False
        self._eased_to_w = None
        self.words = f"{by} shows nothing of what it was told"
        self._tries.begin(at_s)
        self._tested_pause_s, self._failed_s = _TESTED_PAUSE_S, float("-inf")

    def _recover(self) -> None:
        if self.state is State.SUSPECT and self._test is not None:
            return  # the test has the word
        if self.state is State.OUT:
            self._tries.end(self._now_s)
        self.state, self.words, self._down = State.GOOD, "", False
        self._eased_to_w = None
        self._short_since_s = self._better_s = None
        self.unseen.reset()

    def _rest(self, now_s: float) -> None:
        self._tries.rest(now_s)
        self._test, self._down = None, False
