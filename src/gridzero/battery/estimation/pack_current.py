"""What flowed out of the battery since somebody last looked."""

from __future__ import annotations

from math import exp, isfinite
from typing import NamedTuple


class Flow(NamedTuple):
    """Charge and time.

    known_as: charge that was measured, As, > 0 out. known_s: for how long. blind_s: for how
    long nobody knew the current.
    """

    known_as: float
    known_s: float
    blind_s: float

    @property
    def mean_a(self) -> float:
        """Mean of the known current, A; 0 when there was none."""
        return self.known_as / self.known_s if self.known_s > 0.0 else 0.0

    def since(self, before: Flow) -> Flow:
        """What came after an earlier count."""
        return Flow(*(now - then for now, then in zip(self, before, strict=True)))


class PackCurrent:
    """Counts the current of the whole battery, and remembers its mean of some minutes.

    gap_s: a longer pause is not bridged: what flowed meanwhile is unknown.
    """

    def __init__(self, gap_s: float, mean_s: float) -> None:
        self._gap_s, self._mean_s = gap_s, mean_s
        self._at_s: float | None = None
        self.now_a: float | None = None
        self.total = Flow(0.0, 0.0, 0.0)
        self.mean_a: float | None = None

    def note(self, current_a: float | None, now_s: float) -> None:
        """The newest current, None = unknown. Time that runs backward counts as no time."""
        known_a = current_a if current_a is not None and isfinite(current_a) else None
        if self._at_s is not None and now_s > self._at_s:
            self._count(known_a, now_s - self._at_s)
        self._at_s, self.now_a = now_s, known_a

    def _count(self, current_a: float | None, seconds: float) -> None:
        known_as, known_s, blind_s = self.total
        if current_a is None or self.now_a is None or seconds > self._gap_s:
            self.total = Flow(known_as, known_s, blind_s + seconds)
            return
        between_a = (current_a + self.now_a) / 2.0
        self.total = Flow(known_as + between_a * seconds, known_s + seconds, blind_s)
        self._average(between_a, seconds)

    def _average(self, current_a: float, seconds: float) -> None:
        if self.mean_a is None:
            self.mean_a = current_a
        self.mean_a += (current_a - self.mean_a) * (1.0 - exp(-seconds / self._mean_s))
