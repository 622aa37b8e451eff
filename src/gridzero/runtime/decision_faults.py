"""Which faults of meter and converters a decision shows; the battery's are its protections'."""

from __future__ import annotations

from gridzero.domain.decision import Decision
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import Snapshot
from gridzero.runtime.fault_book import Key
from gridzero.runtime.rules import SiteRules

CODES = frozenset(
    {
        "meter_lost",
        "over_current",
        "converter_suspect",
        "inverter_not_following",
        "charger_not_following",
        "meter_wrong",
    }
)

_METER = {
    "sign": "the meter shows the opposite of what the battery does: its sign is wrong",
    "frozen": "the meter repeats itself while the battery changes its power",
}


def present(
    now: Snapshot, decision: Decision, rules: SiteRules, running_s: float
) -> dict[Key, str]:
    """Faults at this moment by (code, subject) with the case in words.

    running_s: time since the start. What was never heard is missing only after the time that it
    is given to speak.
    """
    found: dict[Key, str] = {}
    if min(now.meter_age_s, running_s) >= rules.tuning.meter_lost_s:
        found["meter_lost", "meter"] = "the meter has sent no reading for too long"
    if Because.OVER_CURRENT in (decision.charge_because, decision.discharge_because):
        found["over_current", "battery"] = "the shunt shows more current than the limits allow"
    if decision.meter_verdict in _METER:
        found["meter_wrong", "meter"] = _METER[decision.meter_verdict]
    _followers(now, decision, found)
    return found


def _followers(now: Snapshot, decision: Decision, found: dict[Key, str]) -> None:
    if not (decision.suspects or decision.not_following):
        return
    chargers = {unit.name for unit in now.chargers}
    for name in decision.suspects:
        if name not in decision.not_following:
            text = f"{name} does not show a change that it was told; it is asked again"
            found["converter_suspect", name] = text
    for name, words in decision.not_following.items():
        code = "charger_not_following" if name in chargers else "inverter_not_following"
        found[code, name] = f"{name}: {words}"
