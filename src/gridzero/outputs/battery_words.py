"""What a person wants to know of the battery, in one line."""

from __future__ import annotations

from collections import Counter

from gridzero.domain.ageing import HealthReport
from gridzero.domain.balancing import BALANCE_WORDS, BalanceReason, BalancingState
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.condition import Condition

_S_PER_H = 3600.0


def outlook_of(condition: Condition, health: HealthReport) -> str:
    """How long the charge lasts, what balancing does, and the health."""
    parts = (_lasts(condition.charge), _levelling(condition.balancing), _age(health))
    return "   ".join(filter(None, parts))


def _lasts(charge: BatteryCharge | None) -> str:
    if charge is None:
        return ""
    ends = (("empty", charge.to_empty_s), ("full", charge.to_full_s))
    return "   ".join(f"{end} in {s / _S_PER_H:.1f} h" for end, s in ends if s is not None)


def _levelling(state: BalancingState | None) -> str:
    """Bleeding where any module is bled, else what most modules wait for."""
    if state is None or not state.modules:
        return ""
    reasons = Counter(one.reason for one in state.modules.values())
    usual = reasons.most_common(1)[0][0]
    reason = BalanceReason.BLEEDING if state.is_bleeding else usual
    left = f", {state.ah_left:.1f} Ah left" if state.ah_left > 0.0 else ""
    return f"balancing: {BALANCE_WORDS[reason]}{left}"


def _age(health: HealthReport) -> str:
    part = health.health
    words = f"{part.value * 100.0:.0f} ±{part.sigma * 100.0:.0f} %" if part else "not known yet"
    jobs = len(health.maintenance)
    return f"health: {words}" + (f", {jobs} to look after" if jobs else "")
