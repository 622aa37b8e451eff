"""One direction of the grid's energy, counted by the meter itself where it says so.

A meter measures energy better than anyone can who adds up its powers. But its count may come from
another meter tomorrow, from a bridge that says 0 after its start, or not at all. So its steps are
taken, never its value; and while it says nothing, the energy of the readings stands in.
"""

from __future__ import annotations

from math import isfinite

_MOST_KW = 50.0  # a house connection of three times 63 A gives 43 kW
_STEP_KWH = 1.0  # coarse counters move in whole kWh
_SILENT_S = 900.0
_SURE_AFTER = 3
_LARGEST_KWH = 1e9


class MeterCounter:
    """Never runs backwards, whatever the meter says.

    total_kwh: since the start. base_kwh: the meter's count up to which it has been followed; None
    = not heard.
    """

    def __init__(self) -> None:
        self.total_kwh = 0.0
        self.base_kwh: float | None = None
        self._base_s = float("-inf")
        self._heard_s = float("-inf")
        self._allowed_kwh = _STEP_KWH
        self._waiting_kwh = self._given_kwh = 0.0
        self._other: tuple[float, float] | None = None
        self._other_times = 0

    def restore(self, base_kwh: float, age_s: float, now_s: float) -> None:
        """Where the meter stood age_s ago: what it has counted since then is not lost."""
        if _can_be(base_kwh) and age_s >= 0.0:
            self.base_kwh, self._base_s = base_kwh, now_s - age_s

    def add(self, energy_kwh: float, now_s: float) -> None:
        """What the readings say has flowed, kWh >= 0: counts where the meter's count is silent."""
        self._waiting_kwh += energy_kwh
        if now_s - self._heard_s > _SILENT_S:
            self._stand_in()

    def follow(self, count_kwh: float, now_s: float) -> None:
        """What the meter says it has counted, kWh. A count that cannot be is not followed."""
        if not _can_be(count_kwh):
            return
        if self.base_kwh is None:
            self._begin(count_kwh, now_s)
            self._allowed_kwh = _STEP_KWH
        elif self._fits(count_kwh, now_s):
            self._step(count_kwh, now_s)
        elif self._is_another(count_kwh, now_s):
            self._begin(count_kwh, now_s)

    def _stand_in(self) -> None:
        self.total_kwh += self._waiting_kwh
        self._given_kwh += self._waiting_kwh
        self._waiting_kwh = 0.0

    def _begin(self, count_kwh: float, now_s: float) -> None:
        """Another meter, or the first: what flowed up to now is known from the readings alone."""
        self._stand_in()
        self._given_kwh = 0.0
        self.base_kwh, self._base_s, self._heard_s = count_kwh, now_s, now_s
        self._allowed_kwh, self._other_times = 0.0, 0

    def _fits(self, count_kwh: float, now_s: float) -> bool:
        step_kwh = count_kwh - (self.base_kwh or 0.0)
        return 0.0 <= step_kwh <= self._bearable_kwh(now_s)

    def _bearable_kwh(self, now_s: float) -> float:
        return self._allowed_kwh + _MOST_KW * max(0.0, now_s - self._base_s) / 3600.0

    def _step(self, count_kwh: float, now_s: float) -> None:
        """What was given already while the meter was silent is not given twice."""
        step_kwh = count_kwh - (self.base_kwh or 0.0)
        self._allowed_kwh = min(_STEP_KWH, self._bearable_kwh(now_s) - step_kwh)
        self.total_kwh += max(0.0, step_kwh - self._given_kwh)
        self._given_kwh = max(0.0, self._given_kwh - step_kwh)
        self._waiting_kwh = 0.0
        self.base_kwh, self._base_s, self._heard_s = count_kwh, now_s, now_s
        self._other_times = 0

    def _is_another(self, count_kwh: float, now_s: float) -> bool:
        """Whether a count that does not fit has come several times, and moves as a meter does."""
        before, self._other = self._other, (count_kwh, now_s)
        follows = before is not None and (
            0.0
            <= count_kwh - before[0]
            <= _STEP_KWH + _MOST_KW * max(0.0, now_s - before[1]) / 3600.0
        )
        self._other_times = self._other_times + 1 if follows and self._other_times else 1
        return self._other_times >= _SURE_AFTER


def _can_be(count_kwh: float) -> bool:
    return isfinite(count_kwh) and 0.0 <= count_kwh <= _LARGEST_KWH
