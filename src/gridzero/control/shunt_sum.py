"""What all inverters give together, by the battery shunt, against what they were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridzero.control.ledger import Ledger
from gridzero.domain.snapshot import Snapshot

_TOLERANCE_W, _TOLERANCE = 80.0, 0.3
_NOTHING = 0.1
_CORRECT_AFTER_S = 4.0
_FRESH_S = 2.0
_SLACK_S = 2.0
_IDLE_CHARGER_A = -1.0


@dataclass(frozen=True, slots=True)
class Total:
    """One look. promised_w: per inverter, the least of the last moments. now_w: of this moment.

    given_w: all together, W AC. lasts_s: for how long it has been too little.
    """

    at_s: float
    promised_w: Mapping[str, float]
    now_w: float
    given_w: float
    lasts_s: float

    @property
    def missing_w(self) -> float:
        """What is promised and not given; other loads on the battery may make it negative."""
        return sum(self.promised_w.values()) - self.given_w

    @property
    def is_short(self) -> bool:
        """Whether too little is given."""
        total_w = sum(self.promised_w.values())
        return self.missing_w > max(_TOLERANCE_W, _TOLERANCE * total_w)

    @property
    def is_nothing(self) -> bool:
        """Whether nobody gives anything."""
        return self.is_short and self.given_w < _NOTHING * sum(self.promised_w.values())

    def rest_w(self, name: str) -> float:
        """What the others promised."""
        return sum(self.promised_w.values()) - self.promised_w[name]

    def unlikeness_w(self, name: str) -> float:
        """How badly this unit alone would explain what is missing."""
        return abs(self.promised_w[name] - self.missing_w)


class ShuntSum:
    """Judges each new shunt reading while no charger uses the battery.

    Only "less than told" is judged. While it is short the ledger goes by what is measured, so
    that the control law does not wind up before anybody has been found guilty.
    """

    def __init__(self) -> None:
        self.newest: Total | None = None
        self.is_speaking = False
        self._correct = True
        self._since_s: float | None = None
        self._looked_s = float("-inf")

    def update(self, now: Snapshot, ledger: Ledger, *, correct: bool) -> Total | None:
        """Look at a snapshot; None when it holds nothing new. is_speaking: whether it can.

        correct: False once a unit is known to give only a part: then more must be asked of it.
        """
        self._correct = correct
        given_w = _measured_w(now)
        self.is_speaking = given_w is not None
        self.newest = None
        if given_w is None or now.shunt is None:
            self._since_s = None
        elif now.shunt.at_s > self._looked_s:
            self._looked_s = now.shunt.at_s
            self.newest = self._judge(now.shunt.at_s, given_w, now, ledger)
        return self.newest

    def _judge(self, at_s: float, given_w: float, now: Snapshot, ledger: Ledger) -> Total:
        names = [unit.name for unit in now.inverters]
        at_w = {name: ledger.promised_w(name, at_s) for name in names}
        promised_w = {
            name: min(at_w[name], ledger.promised_w(name, at_s - _SLACK_S)) for name in names
        }
        total = Total(at_s, promised_w, sum(at_w.values()), given_w, 0.0)
        if not total.is_short:
            if sum(promised_w.values()) > _TOLERANCE_W:
                self._since_s = None
            return total
        self._since_s = at_s if self._since_s is None else self._since_s
        lasts_s = at_s - self._since_s
        if lasts_s >= _CORRECT_AFTER_S and self._correct:
            ledger.inverters_gave(at_s, max(0.0, given_w))
        return Total(at_s, promised_w, total.now_w, given_w, lasts_s)


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
