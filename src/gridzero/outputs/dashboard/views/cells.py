"""Every cell: the heat map and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridzero.outputs.dashboard import words
from gridzero.outputs.dashboard.views.pick import (
    Json,
    at,
    column,
    items,
    number,
    plain_number,
    rows,
    text,
)

MOST_CELLS = 32  # of one module
_MV_PER_V = 1000.0


def cells_of(cells: Json | None, battery: Json | None, health: Json | None) -> dict[str, Any]:
    """Modules in order; colours of the map span low_v to high_v."""
    doubts = {text(row, "cell"): row for row in rows(battery, "trust.cells")}
    modules = [
        _module(name, module, battery, health, doubts) for name, module in sorted(items(cells))
    ]
    known = [c["v"] for m in modules for c in m["cells"] if c["v"] is not None and not c["suspect"]]
    mean_v = sum(known) / len(known) if known else None
    for module in modules:
        for cell in module["cells"]:
            cell["off_mv"] = _off_mv(cell["v"], mean_v)
    return {
        "modules": modules,
        "low_v": min(known, default=None),
        "high_v": max(known, default=None),
        "mean": words.unit(mean_v, "V", 3),
        "spread": words.unit((max(known) - min(known)) * _MV_PER_V if known else None, "mV"),
        "bleeding": sum(c["bleeding"] for m in modules for c in m["cells"]),
        "suspect": sum(c["suspect"] for m in modules for c in m["cells"]),
        "summary": _summary(modules, len(known)),
    }


def _module(
    name: str,
    module: Json,
    battery: Json | None,
    health: Json | None,
    doubts: Mapping[str | None, Json],
) -> dict[str, Any]:
    volts = column(module, "cells_v", MOST_CELLS)
    bleeding, suspect = column(module, "bleeding"), column(module, "suspect")
    socs = column(at(battery, f"modules.{name}"), "soc_pct")
    sigmas = column(at(battery, f"modules.{name}"), "sigma_pct")
    leaks = column(at(health, f"modules.{name}"), "self_discharge_ma")
    return {
        "name": name,
        "temp": temperature_of(module),
        "current": words.unit(number(battery, f"modules.{name}.current_a"), "A", 1),
        "balancing": text(battery, f"balancing.modules.{name}.reason_text") or "",
        "cells": [
            {
                "name": f"{name}.{i + 1}",
                "v": plain_number(volt),
                "value": words.unit(plain_number(volt), "V", 3),
                "soc": words.with_sigma(_nth(socs, i), _nth(sigmas, i), "%", 1),
                "leak": words.unit(_nth(leaks, i), "mA", 1),
                "bleeding": i + 1 in bleeding,
                "suspect": i + 1 in suspect or f"{name}.{i + 1}" in doubts,
                "doubt": _doubt(doubts.get(f"{name}.{i + 1}")),
            }
            for i, volt in enumerate(volts)
        ],
    }


def _off_mv(volts: float | None, mean_v: float | None) -> str:
    if volts is None or mean_v is None:
        return words.UNKNOWN
    off_mv = (volts - mean_v) * _MV_PER_V
    sign = "+" if off_mv >= 0.5 else ""
    return f"{sign}{words.unit(off_mv, 'mV')}"


def _nth(values: list[Any], index: int) -> float | None:
    return plain_number(values[index]) if index < len(values) else None


def _doubt(row: Json | None) -> str:
    if row is None:
        return ""
    told = text(row, "text") or text(row, "oddity") or "in doubt"
    blame = text(row, "blame")
    return f"{told} ({blame})" if blame else told


def temperature_of(module: Json | None) -> str:
    """Bounds over all sensors of the module."""
    lows = [v for row in rows(module, "temps_c") if (v := number(row, "low")) is not None]
    highs = [v for row in rows(module, "temps_c") if (v := number(row, "high")) is not None]
    if not lows or not highs:
        return words.unit(max(highs, default=max(lows, default=None)), "°C")
    return f"{words.figure(min(lows))}\N{EN DASH}{words.unit(max(highs), '°C')}"


def _summary(modules: list[dict[str, Any]], known: int) -> str:
    total = sum(len(module["cells"]) for module in modules)
    return f"{total} cells in {len(modules)} modules; {known} are known and believed"
