"""The state of a site as plain values, for MQTT, the live view and logs."""

from __future__ import annotations

from math import isfinite
from typing import Any

from gridzero.domain.decision import Decision
from gridzero.domain.plan import PLANS
from gridzero.domain.reasons import REASONS
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.domain.value import LEANS
from gridzero.outputs.battery import charge_of
from gridzero.runtime.fault_book import ActiveFault

_SHUNT_SHOWN_S = 5.0


def state_of(now: Snapshot, decision: Decision, faults: tuple[ActiveFault, ...]) -> dict[str, Any]:
    """JSON-ready; keys carry their units; null is unknown."""
    return {
        "grid_w": _round(now.meter.grid_w if now.meter else None, 1),
        "meter_age_s": _round(now.meter_age_s, 2),
        "pv_w": _round(now.pv_w, 0),
        "net_load_w": _round(decision.net_load_w, 1),
        "setpoint_w": _round(decision.battery_w, 1),
        "wish_w": _round(decision.wish_w, 1),
        "because": decision.because.value,
        "because_text": REASONS[decision.because],
        "mode": now.wanted.mode.value,
        "power_w": now.wanted.power_w,
        "target_w": now.wanted.target_w,
        "strategy": now.wanted.strategy.value,
        "plan": decision.plan.value,
        "plan_text": PLANS[decision.plan],
        "full_charge": now.full_charge,
        "maintenance": now.wanted.maintenance,
        "value": _value(now, decision),
        "limits": {
            "charge_a": _round(now.limits.charge_a if now.limits else None, 1),
            "discharge_a": _round(now.limits.discharge_a if now.limits else None, 1),
            "max_v": _round(now.limits.max_v if now.limits else None, 2),
            "charge_w": _round(decision.charge_w, 0),
            "charge_because": decision.charge_because.value,
            "discharge_w": _round(decision.discharge_w, 0),
            "discharge_because": decision.discharge_because.value,
        },
        "battery": _battery(now),
        "chargers": {unit.name: _converter(unit, decision) for unit in now.chargers},
        "inverters": {unit.name: _converter(unit, decision) for unit in now.inverters},
        "faults": [_fault(fault) for fault in faults],
    }


def _fault(fault: ActiveFault) -> dict[str, Any]:
    """is_latched: its cause is gone and it waits to be acknowledged."""
    return {
        "code": fault.code,
        "subject": fault.subject,
        "level": fault.level.name.lower() if fault.level else None,
        "is_latched": fault.is_latched,
        "text": fault.text,
        "remedy": fault.remedy,
    }


def cells_of(now: Snapshot) -> dict[str, Any]:
    """Every module with its cells in V; null is not known."""
    return {
        module.name: {
            "cells_v": [_round(v, 3) for v in module.cell_v],
            "temps_c": [
                {"low": _round(t.low_c, 1), "high": _round(t.high_c, 1)} for t in module.temps
            ],
            "bleeding": [i + 1 for i in range(len(module.cell_v)) if module.bleeding >> i & 1],
            "suspect": [i + 1 for i in range(len(module.cell_v)) if module.suspect >> i & 1],
        }
        for module in now.modules
    }


def _value(now: Snapshot, decision: Decision) -> dict[str, Any]:
    prices = now.prices
    return {
        "bias_w": _round(decision.bias_w, 1),
        "because": decision.bias_because.value,
        "because_text": LEANS[decision.bias_because],
        "outlook": now.outlook.value,
        "import_ct": _round(prices.import_ct if prices else None, 3),
        "export_ct": _round(prices.export_ct if prices else None, 3),
        "stored_ct": _round(prices.stored_ct if prices else None, 3),
    }


def _battery(now: Snapshot) -> dict[str, Any]:
    """The same keys whether the battery has been heard or not."""
    view = now.battery

    def of(name: str, digits: int) -> float | None:
        return _round(getattr(view, name) if view else None, digits)

    return {
        "pack_v": of("pack_v", 2),
        "current_a": _round(_current_a(now), 2),
        "min_cell_v": of("min_cell_v", 3),
        "min_cell": view.min_cell if view else None,
        "max_cell_v": of("max_cell_v", 3),
        "max_cell": view.max_cell if view else None,
        "temp_low_c": of("low_c", 1),
        "temp_high_c": of("high_c", 1),
        "modules": view.modules if view else None,
        "healthy": view.healthy if view else None,
        **charge_of(now.condition.charge),
    }


def _current_a(now: Snapshot) -> float | None:
    """The shunt's last word, for as long as it may be believed."""
    fresh = now.shunt is not None and now.shunt_age_s <= _SHUNT_SHOWN_S
    return now.shunt.current_a if now.shunt is not None and fresh else None


def _converter(unit: ConverterView, decision: Decision) -> dict[str, Any]:
    reading, work = unit.reading, decision.work.get(unit.name)
    return {
        "state": unit.state.value,
        "silent": unit.silent,
        "command_w": _round(decision.units.get(unit.name), 0),
        "ac_w": _round(reading.ac_w if reading else None, 0),
        "dc_v": _round(reading.dc_v if reading else None, 2),
        "dc_a": _round(reading.dc_a if reading else None, 2),
        "temp_c": _round(reading.temp_c if reading else None, 1),
        "alarms": list(reading.alarms) if reading else [],
        "hours": _round(work.hours if work else None, 2),
        "starts": work.starts if work else None,
        "why_not": work.why_not.value if work and work.why_not else None,
    }


def _round(value: float | None, digits: int) -> float | None:
    """Rounded; what is not a finite number is not sent."""
    return round(value, digits) if value is not None and isfinite(value) else None
