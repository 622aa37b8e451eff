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
from gridzero.control.unseen import Unseen
from gridzero.domain.snapshot import ConverterView

TRY_W = 150.0
_TOLERANCE = 0.3
_INVERTER_TOLERANCE_W, _CHARGER_TOLERANCE_W = 80.0, 150.0
_SUSPECT_AFTER_S, _OUT_AFTER_S = 4.0, 15.0
_GIVES_NOTHING = 0.25
_IS_BACK = 0.5
_WAKE_S = 1.5
_NO_EVIDENCE_S = 60.0
_LOOKS = 4
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 15.0, 600.0
_TRY_S, _LONGEST_TRY_S = 10.0, 30.0
_TESTED_PAUSE_S, _LONGEST_TESTED_PAUSE_S = 60.0, 1800.0
_UNCLEAR_PAUSE_S, _LONGEST_UNCLEAR_PAUSE_S = 5.0, 300.0


class State(StrEnum):
    """What may be expected of a unit."""

    GOOD = "good"
    SUSPECT = "suspect"
    OUT = "out"


class UnitHealth:
    """One converter. Tell it what was measured or witnessed; read state, held, wants_try."""

    def __init__(self, unit: ConverterView, *, inverts: bool) -> None:
        self.name = unit.name
        self.inverts = inverts
        self.state = State.GOOD
        self.words = ""
        self.unseen = Unseen()
        self._start_s = unit.spec.dynamics.start_s
        self._tolerance_w = _INVERTER_TOLERANCE_W if inverts else _CHARGER_TOLERANCE_W
        self._try_w = min(unit.spec.max_w, max(TRY_W, 1.5 * unit.spec.min_w))
        self._looks: deque[Seen] = deque(maxlen=_LOOKS)
        self._test: StepTest | None = None
        self._down = False
        self._ask_again_s = float("-inf")
        self._tested_pause_s, self._unclear_pause_s = _TESTED_PAUSE_S, _UNCLEAR_PAUSE_S
        self._short_since_s: float | None = None
        self._measured_s = float("-inf")
        self._wake_until_s = float("-inf")
        self._try_from_s = self._try_until_s = float("inf")
        self._pause_s, self._try_s = _FIRST_PAUSE_S, _TRY_S

    @property
    def in_test(self) -> bool:
        """Whether a step test of this unit runs."""
        return self._test is not None

    def is_held(self, now_s: float) -> bool:
        """Whether it must be told 0 now although it is in use: the first half of a test."""
        return self.state is State.SUSPECT and (self._down or now_s < self._wake_until_s)

    def try_w(self, now_s: float) -> float:
        """What to ask of a unit that is out, to see whether it is back; 0 while it rests."""
        return self._try_w if self.state is State.OUT and now_s >= self._try_from_s else 0.0

    # --- what is known of it ------------------------------------------------------------------

    def measured(self, at_s: float, promised_w: float, given_w: float, by: str) -> None:
        """Its own output was measured, W >= 0, and what it was to give. by: words for people."""
        if not promised_w >= LEAST_W:
            return
        self._measured_s = at_s
        if self.state is State.OUT:
            if given_w >= _IS_BACK * promised_w:
                self._recover()
        elif promised_w - given_w <= max(self._tolerance_w, _TOLERANCE * promised_w):
            self._recover()
        else:
            self._fell_short(at_s, given_w / promised_w, by)

    def witnessed(self, look: Seen, by: str, *, suspicious: bool) -> None:
        """Where only a witness sees it (see step_test), whether for a reason or by routine."""
        rested = not self._looks or self._looks[-1].promised_w <= 0
        if rested and look.promised_w > 0 and self.state is State.OUT and self._looks:
            self._test = StepTest(mean_of(self._looks))
        self._looks.append(look)
        if self._test is not None:
            self._hear(self._test.take(look), look.at_s, by)
        elif suspicious and self.state is not State.OUT:
            self._ask(look)

    def tick(self, now_s: float, promised_w: float) -> None:
        """Let time pass. promised_w: what it was to give at this moment."""
        if self.state is State.OUT:
            self._pace_tries(now_s, promised_w)
        elif self.state is State.SUSPECT and now_s - self._measured_s > _NO_EVIDENCE_S:
            self._recover()  # unless a test has the word

    def let_go(self) -> None:
        """No witness can be trusted now: end a test without an answer."""
        self.unseen.reset()
        self._looks.clear()
        if self._test is not None and self.state is State.SUSPECT:
            self.state = State.GOOD
        self._test, self._down = None, False

    # --- measured -----------------------------------------------------------------------------

    def _fell_short(self, at_s: float, part: float, by: str) -> None:
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
            self.state, self._down = State.SUSPECT, True
            self._test = StepTest(mean_of(before))

    def _hear(self, answer: Answer | None, at_s: float, by: str) -> None:
        if answer is None:
            return
        self._test = None
        if self.state is State.OUT:
            if answer is Answer.FOLLOWS:
                self._recover()
        elif answer is Answer.NOTHING and self._down:
            self._down = False
            self._test = StepTest(mean_of(list(self._looks)[-2:]))
        elif answer is Answer.NOTHING:
            self._take_out(at_s, by)
        else:
            self._clear(answer, at_s)

    def _clear(self, answer: Answer, at_s: float) -> None:
        """It follows, or nobody knows: it is used on, and not asked again too soon."""
        if answer is Answer.FOLLOWS:
            self._ask_again_s = at_s + self._tested_pause_s
            self._tested_pause_s = min(2 * self._tested_pause_s, _LONGEST_TESTED_PAUSE_S)
            self._unclear_pause_s = _UNCLEAR_PAUSE_S
        else:
            self._ask_again_s = at_s + self._unclear_pause_s
            self._unclear_pause_s = min(2 * self._unclear_pause_s, _LONGEST_UNCLEAR_PAUSE_S)
        self._recover()

    # --- out and back -------------------------------------------------------------------------

    def _take_out(self, at_s: float, by: str) -> None:
        self.state, self._test, self._down = State.OUT, None, False
        self.words = f"{by} shows nothing of what it was told"
        self._try_s = _TRY_S + self._start_s
        self._pause_s = _FIRST_PAUSE_S
        self._try_from_s, self._try_until_s = at_s + self._pause_s, float("inf")
        self._tested_pause_s = _TESTED_PAUSE_S

    def _recover(self) -> None:
        if self.state is State.SUSPECT and self._test is not None:
            return  # the test has the word
        self.state, self.words, self._short_since_s = State.GOOD, "", None
        self._down = False
        self.unseen.reset()

    def _pace_tries(self, now_s: float, promised_w: float) -> None:
        """A try lasts from when it could really be commanded; pauses grow."""
        if now_s < self._try_from_s:
            return
        if self._try_until_s == float("inf") and promised_w > 0:
            self._try_until_s = now_s + self._try_s
        if now_s >= self._try_until_s:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self._try_s = min(1.5 * self._try_s, _LONGEST_TRY_S)
            self._try_from_s, self._try_until_s = now_s + self._pause_s, float("inf")
            self._test = None
