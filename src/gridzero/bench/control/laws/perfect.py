"""What a causal law could do that knew the converters exactly and saw the load without noise.

Not proven to be the best, but what it knows no real law knows: dead time, slew and gain as they
are, its own output at every moment, the true net load at each meter sample. It does not know the
future: it takes the load to stay. It cuts to zero and climbs again where ramping down would cost
more, and lets the rectifier idle at its smallest power while its surplus comes and goes quickly.
"""

from __future__ import annotations

from dataclasses import replace

from gridzero.bench.control.converters import STEP_S, Inverter, Rectifier
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.plants import InverterRow, RectifierRow

_ROUNDING_W = 0.5


def detour_pays(row: InverterRow, from_w: float, to_w: float) -> bool:
    """Whether 0 and a new climb bring a lower sum of |error| than ramping down. W AC."""
    if not row.zero_at_once or to_w <= 0.0 or from_w <= to_w:
        return False
    ramp_ws = (from_w - to_w) ** 2 / (2.0 * row.fall_w_per_s)
    above_jump_w = max(0.0, to_w - row.jump_w)
    climb_ws = above_jump_w**2 / (2.0 * row.rise_w_per_s)
    pause_s = row.gap_s + STEP_S / 2
    return climb_ws + pause_s * to_w < ramp_ws


class PerfectModel:
    """Meets law.Law, SeesLoad and HearsSent.

    idles: whether the rectifier may idle while its surplus is away for a moment. That pays when it
    comes back soon, which nobody knows, so that neither way is the better one on every load.

    Its twins have no dead time: they are ahead of the converters by just that, so they show what
    is on its way.
    """

    timer_s: float | None = STEP_S

    def __init__(self, setting: Setting, *, idles: bool = True) -> None:
        plant = setting.plant
        self._plant, self._idles = plant, idles
        self._inverter = Inverter(replace(plant.inverter, dead_s=0.0))
        self._rectifier_row = plant.rectifier
        self._rectifier = (
            Rectifier(replace(plant.rectifier, dead_s=0.0)) if plant.rectifier else None
        )
        self._net_load_w = 0.0
        self._at_s = -STEP_S
        self._charging = False
        self._gone_s: float | None = None
        self._last_absence_s = float("inf")

    def on_load(self, _now_s: float, net_load_w: float) -> None:
        """See law.SeesLoad."""
        self._net_load_w = net_load_w

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law. The noisy reading is not needed."""

    def on_sent(self, now_s: float, inverter_w: float | None, charger_w: float | None) -> None:
        """See law.HearsSent."""
        if inverter_w is not None:
            self._inverter.sent(now_s, inverter_w)
        if charger_w is not None and self._rectifier is not None:
            self._rectifier.sent(now_s, charger_w)

    def command(self, now_s: float) -> float:
        """See law.Law."""
        if now_s > self._at_s + STEP_S / 2:
            self._at_s = now_s
            self._inverter.step(now_s)
            if self._rectifier is not None:
                self._rectifier.step(now_s)
        charge_w = self._charge(now_s)
        return -charge_w if charge_w > 0.0 else self._discharge()

    def _discharge(self) -> float:
        row, ahead_w = self._plant.inverter, self._inverter.output_w
        wanted_w = max(0.0, min(self._plant.discharge_w, self._net_load_w))
        if wanted_w <= 0.0 or detour_pays(row, ahead_w, wanted_w):
            return 0.0
        return wanted_w / row.gain + _ROUNDING_W

    def _charge(self, now_s: float) -> float:
        """Charge power, W; 0 = off."""
        row = self._rectifier_row
        if row is None:
            return 0.0
        if -self._net_load_w >= row.min_w:
            if self._gone_s is not None:
                self._last_absence_s = now_s - self._gone_s
            self._charging, self._gone_s = True, None
            return min(row.max_w, -self._net_load_w)
        if self._charging and self._gone_s is None:
            self._gone_s = now_s
        self._charging = self._charging and self._idles and self._idling_pays(row, now_s)
        return row.min_w if self._charging else 0.0

    def _idling_pays(self, row: RectifierRow, now_s: float) -> bool:
        """While the surplus was back sooner than a start takes, last time and so far this time."""
        absence_s = 0.0 if self._gone_s is None else now_s - self._gone_s
        return max(self._last_absence_s, absence_s) < row.start_s
