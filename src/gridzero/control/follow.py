"""Whether the inverters do what they are told, as far as the shunt can see.

Many inverters never answer. Without this, one that has stopped by itself (its DC window, its own
fault, a pulled plug) would be believed to deliver, and the net load would be overestimated by as
much: the demand winds up to its maximum and comes back as an export spike when it recovers.
Only "less than told" is judged: other loads on the battery may make it more.
"""

from __future__ import annotations

from gridzero.control.ledger import Ledger
from gridzero.domain.snapshot import Snapshot

_TOLERANCE_W, _TOLERANCE = 80.0, 0.3
_CORRECT_AFTER_S, _TELL_AFTER_S = 4.0, 15.0
_FRESH_S = 2.0
_IDLE_CHARGER_A = -1.0


class FollowWatch:
    """Corrects the ledger after 4 s of disagreement and calls it a fault after 15 s."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self.failing = False

    def update(self, now: Snapshot, ledger: Ledger) -> None:
        """Look at one snapshot; where nothing can be said, nothing changes but the patience."""
        measured_w = _measured_w(now)
        if measured_w is None or now.shunt is None:
            self._since_s = None
            return
        expected_w = self._expected_w(now, ledger)
        if expected_w - measured_w <= max(_TOLERANCE_W, _TOLERANCE * expected_w):
            self._since_s, self.failing = None, False
            return
        self._since_s = now.now_s if self._since_s is None else self._since_s
        lasts_s = now.now_s - self._since_s
        self.failing = self.failing or lasts_s >= _TELL_AFTER_S
        if lasts_s >= _CORRECT_AFTER_S or self.failing:
            ledger.inverters_gave(now.shunt.at_s, max(0.0, measured_w))

    def _expected_w(self, now: Snapshot, ledger: Ledger) -> float:
        """What the commands promise; once it is being corrected, what they will come to."""
        at_s = now.shunt.at_s if now.shunt else now.now_s
        correcting = self._since_s is not None and now.now_s - self._since_s >= _CORRECT_AFTER_S
        return ledger.inverters_final_w() if correcting else ledger.inverters_w(at_s)


def _measured_w(now: Snapshot) -> float | None:
    """AC power of all inverters by the shunt, W; None while a charger also uses the battery."""
    if now.shunt is None or not now.shunt_age_s <= _FRESH_S or now.battery is None:
        return None
    charging = any(
        unit.reading is None or unit.reading.dc_a is None or unit.reading.dc_a < _IDLE_CHARGER_A
        for unit in now.chargers
        if not unit.silent
    )
    if charging or now.battery.pack_v is None or not now.inverters:
        return None
    efficiency = max(unit.spec.efficiency for unit in now.inverters)
    return now.shunt.current_a * now.battery.pack_v * efficiency
