"""When a unit that is out is asked for a little power, to see whether it is back."""

from __future__ import annotations

from gridzero.domain.converters import ConverterSpec

_TRY_W = 300.0  # more than a drum or a pump, so that it is not taken for one
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 15.0, 600.0
_TRY_S, _LONGEST_TRY_S = 10.0, 30.0
_RELAPSE_S = 120.0


class Tries:
    """One unit. Set refused when a try was clearly not obeyed."""

    def __init__(self, spec: ConverterSpec) -> None:
        self.refused = False
        self._power_w = min(spec.max_w, max(_TRY_W, 1.5 * spec.min_w))
        self._start_s = spec.dynamics.start_s
        self._pause_s, self._try_s = _LEAST_PAUSE_S, _TRY_S
        self._from_s = self._until_s = float("inf")
        self._back_s = float("-inf")

    def power_w(self, now_s: float) -> float:
        """What to ask for now; 0 in the pauses."""
        return self._power_w if now_s >= self._from_s else 0.0

    def begin(self, now_s: float) -> None:
        """The unit is out. Soon after it was called back the pauses go on growing."""
        relapsed = now_s - self._back_s < _RELAPSE_S
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S) if relapsed else _LEAST_PAUSE_S
        self._try_s, self.refused = _TRY_S + self._start_s, False
        self._plan(now_s)

    def end(self, now_s: float) -> None:
        """The unit is back."""
        self._back_s = now_s
        self._from_s = float("inf")

    def is_over(self, now_s: float, promised_w: float) -> bool:
        """Whether a try has had its time, which counts from when it could be commanded."""
        if now_s < self._from_s:
            return False
        if self._until_s == float("inf") and promised_w > 0:
            self._until_s = now_s + self._try_s
        return now_s >= self._until_s

    def rest(self, now_s: float) -> None:
        """Until the next try. Only a clear no makes the pause longer."""
        if self.refused:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self._try_s = min(1.5 * self._try_s, _LONGEST_TRY_S + self._start_s)
        self.refused = False
        self._plan(now_s)

    def _plan(self, now_s: float) -> None:
        self._from_s, self._until_s = now_s + self._pause_s, float("inf")
