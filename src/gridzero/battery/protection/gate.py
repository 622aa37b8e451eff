"""One threshold over time: delay, hysteresis, dwell, latch."""

from __future__ import annotations

from gridzero.battery.protection.rule import Threshold


class Gate:
    """Whether one level of one protection is reached.

    is_active: it is reached, or latched. is_standing: its cause is there (or was never seen to
    go). Values are given times the rule's sign, so that more is always worse.
    """

    __slots__ = ("_beyond_s", "_inside_s", "_release", "_value", "is_active", "is_standing", "of")

    def __init__(self, of: Threshold, sign: float) -> None:
        self.of = of
        self._value, self._release = sign * of.value, sign * of.release
        self._beyond_s: float | None = None
        self._inside_s: float | None = None
        self.is_active = self.is_standing = False

    @property
    def is_idle(self) -> bool:
        """Nothing is reached and nothing on its way."""
        return not self.is_active and self._beyond_s is None

    @property
    def is_latched(self) -> bool:
        """The cause is gone; a person has to acknowledge."""
        return self.is_active and not self.is_standing

    def update(self, worse: float | None, now_s: float) -> None:
        """A value that is not known begins nothing and ends nothing, and breaks a dwell."""
        if worse is None or worse != worse:  # noqa: PLR0124  # the cheapest test for NaN
            self._inside_s = None
        elif worse > self._value:
            self._begin(now_s)
        else:
            self._beyond_s = None
            if self.is_standing:
                self._end(now_s, is_inside=worse <= self._release)

    def acknowledge(self) -> bool:
        """End a latch whose cause is gone. Returns whether there was one."""
        if not self.is_latched:
            return False
        self.is_active = False
        return True

    def restore(self) -> None:
        """It was reached before the restart; whether its cause is gone must be seen anew."""
        self.is_active = self.is_standing = True

    def _begin(self, now_s: float) -> None:
        self._inside_s = None
        if self._beyond_s is None:
            self._beyond_s = now_s
        if now_s - self._beyond_s >= self.of.delay_s:
            self.is_active = self.is_standing = True

    def _end(self, now_s: float, *, is_inside: bool) -> None:
        if not is_inside:
            self._inside_s = None
            return
        if self._inside_s is None:
            self._inside_s = now_s
        if now_s - self._inside_s >= self.of.dwell_s:
            self.is_standing = False
            self.is_active = self.of.latches
