"""Cut to zero and climb again, where ramping down would cost more.

Some inverters fall to zero at once but ramp slowly to anything else (SoyoSource, see its
driver's README). After a large drop of the load, ramping down exports for seconds; a cut to zero
and a new climb may cost fewer watt-seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridzero.control.ledger import Ledger
from gridzero.domain.converters import Dynamics
from gridzero.domain.snapshot import Snapshot

_PAUSE_S = 0.3  # until the next command may leave


def saved_ws(dynamics: Dynamics, from_w: float, to_w: float) -> float:
    """Grid error that the detour saves, W s; <= 0: ramping down is better."""
    if not dynamics.zero_at_once or not 0.0 < to_w < from_w:
        return 0.0
    ramp_ws = (from_w - to_w) ** 2 / (2.0 * dynamics.fall_w_per_s)
    climb_ws = max(0.0, to_w - dynamics.jump_w) ** 2 / (2.0 * dynamics.rise_w_per_s)
    return ramp_ws - climb_ws - _PAUSE_S * to_w


class DropToZero:
    """Looks at each inverter: what is on its way there, and what it is about to be told."""

    def shape(
        self, units: Mapping[str, float], now: Snapshot, ledger: Ledger, price_ws: float
    ) -> tuple[dict[str, float], int]:
        """Commands with 0 for units that gain by it, and how many do.

        price_ws: what the detour has to save to be worth a start, W s.
        """
        shaped, cuts = dict(units), 0
        for unit in now.inverters:
            dynamics, wanted_w = unit.spec.dynamics, units.get(unit.name, 0.0)
            coming_w = ledger.unit_w(unit.name, now.now_s + dynamics.dead_time_s)
            if saved_ws(dynamics, coming_w, wanted_w) > price_ws:
                shaped[unit.name] = 0.0
                cuts += 1
        return shaped, cuts
