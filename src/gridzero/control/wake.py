"""Whether a demand is worth a start, by what is won and lost (control notes, section D.4).

A start pays if ``P t (v_now - v_stored / eta) > (P_idle t + E_start) v_now``. Where no values of
energy are known, energy alone decides: more must be moved than is lost on the way. How long a
demand will last is learned from those of late.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from gridzero.domain.converters import LossCurve

_UNKNOWN_S = 600.0  # a long time, so that nothing is refused before anything is known
_AT_LEAST_S = 2.0
_ENOUGH, _REMEMBER = 4, 12
_GAP_S = 5.0
_WS_PER_WH = 3600.0


def is_worth_it(
    power_w: float, lasts_s: float, curve: LossCurve, stored_value: float | None = None
) -> bool:
    """Whether to start a converter with this curve for power_w, W AC, for lasts_s.

    stored_value: for inverters, what stored energy is worth, as a part of what energy is worth
    now, 0..1; None = not known.
    """
    more_w = curve.at(power_w) - curve.run_w  # what the power itself loses
    idle_w = max(0.0, curve.run_w - curve.standby_w)
    gain_w = power_w - more_w
    if stored_value is not None:
        gain_w = power_w - stored_value * (power_w + more_w)
    return gain_w * lasts_s > idle_w * lasts_s + curve.start_wh * _WS_PER_WH


class Experience:
    """How long demands of one direction lasted lately, s."""

    def __init__(self) -> None:
        self._lasted_s: deque[float] = deque(maxlen=_REMEMBER)
        self._since_s: float | None = None
        self._seen_s = float("-inf")

    def note(self, now_s: float, *, wanted: bool) -> None:
        """Whether power of this direction is wanted now. Gaps below 5 s do not end a demand."""
        if wanted:
            self._since_s = now_s if self._since_s is None else self._since_s
            self._seen_s = now_s
        elif self._since_s is not None and now_s - self._seen_s > _GAP_S:
            self._lasted_s.append(max(self._seen_s - self._since_s, _AT_LEAST_S))
            self._since_s = None

    def expected_s(self, now_s: float) -> float:
        """How long the demand of now will last: as the others did, or as long as it did already.

        So a demand that was refused is served as soon as it has lasted long enough to pay.
        """
        waited_s = 0.0 if self._since_s is None else now_s - self._since_s
        usual_s = median(self._lasted_s) if len(self._lasted_s) >= _ENOUGH else _UNKNOWN_S
        return max(usual_s, waited_s)
