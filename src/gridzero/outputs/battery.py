"""What is known of the battery as plain values, for MQTT and whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from gridzero.domain.ageing import Estimate, HealthReport, Maintenance, ModuleHealth
from gridzero.domain.alarms import Alarm
from gridzero.domain.balancing import BALANCE_WORDS, BalancingState
from gridzero.domain.charge import BatteryCharge, ModuleCharge
from gridzero.domain.condition import Condition
from gridzero.domain.thermal import ThermalState
from gridzero.domain.trust import Trust

_S_PER_H = 3600.0


def charge_of(charge: BatteryCharge | None) -> dict[str, Any]:
    """State of charge and what can still flow; the same keys when nothing is known."""

    def of(name: str, digits: int, scale: float = 1.0) -> float | None:
        return rounded(getattr(charge, name) if charge else None, digits, scale)

    return {
        "soc_pct": of("soc", 1, 100.0),
        "soc_sigma_pct": of("sigma", 1, 100.0),
        "capacity_ah": of("capacity_ah", 1),
        "out_ah": of("out_ah", 1),
        "in_ah": of("in_ah", 1),
        "out_wh": of("out_wh", 0),
        "in_wh": of("in_wh", 0),
        "to_empty_h": of("to_empty_s", 2, 1.0 / _S_PER_H),
        "to_full_h": of("to_full_s", 2, 1.0 / _S_PER_H),
        "is_full": charge.is_full if charge else None,
        "is_empty": charge.is_empty if charge else None,
    }


def battery_of(condition: Condition, now_s: float) -> dict[str, Any]:
    """Everything that changes within minutes, module by module."""
    charge = condition.charge
    anchored_s = charge.anchored_s if charge else None
    return {
        "charge": {
            **charge_of(charge),
            "anchored_ago_h": rounded(
                now_s - anchored_s if anchored_s is not None else None, 2, 1.0 / _S_PER_H
            ),
            "full_ago_h": rounded(condition.full_ago_s, 2, 1.0 / _S_PER_H),
            "full_charge_due": condition.full_charge_due,
        },
        "modules": {name: _module(one) for name, one in charge.modules.items()} if charge else {},
        "trust": _trust(condition.trust),
        "alarms": [_alarm(alarm) for alarm in condition.alarms],
        "balancing": _balancing(condition.balancing, now_s),
        "thermal": _thermal(condition.thermal),
    }


def health_of(report: HealthReport) -> dict[str, Any]:
    """What changes within days, and what to look after."""
    life = report.life
    return {
        "days": rounded(report.days, 2),
        "capacity_ah": _estimate(report.capacity_ah, 1),
        "health_pct": _estimate(report.health, 1, 100.0),
        "ohm": _estimate(report.ohm, 5),
        "shunt_offset_a": _estimate(report.offset_a, 2),
        "out_kwh": rounded(report.throughput.out_wh, 2, 0.001),
        "in_kwh": rounded(report.throughput.in_wh, 2, 0.001),
        "cycles": rounded(report.throughput.cycles, 1),
        "remaining_days": None
        if life is None
        else {
            "value": rounded(life.days, 0),
            "from": rounded(life.from_days, 0),
            "to": rounded(life.to_days, 0),
        },
        "weakest_first": list(report.ranking),
        "modules": {name: _module_health(one) for name, one in report.modules.items()},
        "maintenance": [_maintenance(one) for one in report.maintenance],
    }


def rounded(value: float | None, digits: int, scale: float = 1.0) -> float | None:
    """Scaled and rounded; what is not a finite number is not sent."""
    if value is None or not isfinite(value):
        return None
    return round(value * scale, digits)


def _module(module: ModuleCharge) -> dict[str, Any]:
    return {
        "current_a": rounded(module.current_a, 2),
        "soc_pct": [rounded(cell.soc, 1, 100.0) for cell in module.cells],
        "sigma_pct": [rounded(cell.sigma, 1, 100.0) for cell in module.cells],
    }


def _trust(trust: Trust) -> dict[str, Any]:
    return {
        "common_v": rounded(trust.common_v, 3),
        "shunt_offset_a": rounded(trust.shunt_offset_a, 2),
        "cells": [
            {
                "cell": doubt.name,
                "oddity": doubt.oddity.value,
                "blame": doubt.blame.value,
                "reads_v": rounded(doubt.reading_v, 3),
                "estimate_v": rounded(doubt.estimate_v, 3),
                "within_v": rounded(doubt.within_v, 3),
                "text": doubt.text,
            }
            for doubt in trust.cells.values()
        ],
        "modules": {**trust.apart, **trust.frozen, **trust.odd_temps},
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "code": alarm.code,
        "subject": alarm.subject,
        "level": alarm.level.name.lower(),
        "text": alarm.text,
        "latched": alarm.is_latched,
    }


def _balancing(state: BalancingState | None, now_s: float) -> dict[str, Any] | None:
    if state is None:
        return None
    until_s = state.forced_until_s
    return {
        "ah_left": rounded(state.ah_left, 3),
        "hours_left": rounded(state.hours_left, 1),
        "forced_h": rounded(until_s - now_s if until_s is not None else None, 2, 1.0 / _S_PER_H),
        "modules": {
            name: {
                "cells": _bits(one.cells),
                "reason": one.reason.value,
                "reason_text": BALANCE_WORDS[one.reason],
                "text": one.text,
                "ah_left": rounded(one.ah_left, 3),
                "hours_left": rounded(one.hours_left, 1),
            }
            for name, one in state.modules.items()
        },
    }


def _bits(mask: int) -> list[int]:
    return [i + 1 for i in range(mask.bit_length()) if mask >> i & 1]


def _thermal(state: ThermalState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        "coldest_c": rounded(state.coldest_c, 1),
        "hottest_c": rounded(state.hottest_c, 1),
        "ambient_c": rounded(state.ambient_c, 1),
        "predicted_c": {name: rounded(temp_c, 1) for name, temp_c in state.predicted_c.items()},
        "charge_factor": rounded(state.charge_factor, 2),
        "discharge_factor": rounded(state.discharge_factor, 2),
        "heat_on": state.heat_on,
        "fan_on": state.fan_on,
        "because": list(state.because),
    }


def _module_health(module: ModuleHealth) -> dict[str, Any]:
    imbalance = module.imbalance
    return {
        "capacity_ah": _estimate(module.capacity_ah, 2),
        "usable_ah": rounded(module.usable_ah, 2),
        "ohm": _estimate(module.ohm, 5),
        "growth": _estimate(module.growth, 3),
        "lost_to_imbalance_ah": rounded(imbalance.level_ah if imbalance else None, 2),
        "warmer_c": rounded(module.warmer_c, 1),
        "cycles": rounded(module.throughput.cycles, 1),
        "self_discharge_ma": [
            rounded(cell.self_discharge_ma.value if cell.self_discharge_ma else None, 2)
            for cell in module.cells
        ],
    }


def _maintenance(one: Maintenance) -> dict[str, Any]:
    return {
        "code": one.code,
        "subject": one.subject,
        "urgency": one.urgency.name.lower(),
        "what": one.what,
        "why": one.why,
        "sure_pct": rounded(one.sure, 0, 100.0),
        "remedy": one.remedy,
    }


def _estimate(
    estimate: Estimate | None, digits: int, scale: float = 1.0
) -> Mapping[str, float | None] | None:
    if estimate is None:
        return None
    return {
        "value": rounded(estimate.value, digits, scale),
        "sigma": rounded(estimate.sigma, digits, scale),
    }
