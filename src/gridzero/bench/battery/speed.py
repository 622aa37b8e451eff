"""What the estimator costs: 108 cells, a new reading of each twice a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from gridzero.battery.cells.catalogue import VW_GTE
from gridzero.battery.estimation.estimator import Estimator
from gridzero.battery.estimation.settings import Window
from gridzero.battery.profile import VW_GTE_12S
from gridzero.bench.battery.section import Section
from gridzero.domain.readings import ModuleReading, Temperature

_MODULES, _CELLS = 9, 12
_PERIOD_S = 0.5
_GOAL = 0.02
_UPDATES, _QUICK_UPDATES = 1000, 40


def speed_section(*, quick: bool = False) -> Section:
    """CPU time per update of all cells, and as a share of a core at 2 Hz."""
    took_s = median(measured(_QUICK_UPDATES if quick else _UPDATES))
    share = took_s / _PERIOD_S
    judged = "met" if share <= _GOAL else "MISSED"
    row = (f"{1000 * took_s:.2f}", f"{100 * share:.2f} %", f"{100 * _GOAL:g} %", judged)
    return Section(
        "CPU time of an update of 108 cells, median",
        ("ms", "of a core at 2 Hz", "goal", ""),
        (row,),
        {"update_ms": round(1000 * took_s, 3), "core_share": round(share, 5), "goal": _GOAL},
    )


def measured(updates: int) -> list[float]:
    """CPU seconds of each update."""
    estimator = Estimator(VW_GTE, Window.of(VW_GTE_12S))
    took_s = []
    for count in range(updates):
        now_s, current_a = count * _PERIOD_S, 40.0 if count // 100 % 2 else -30.0
        readings = _readings(now_s, current_a)
        began_s = time.process_time()
        estimator.update(readings, current_a, 0.25, now_s)
        took_s.append(time.process_time() - began_s)
    return took_s


def _readings(now_s: float, current_a: float) -> Sequence[ModuleReading]:
    volts = round(3.80 - 0.003 * current_a / _MODULES, 3)
    return [
        ModuleReading(
            bus="b",
            number=number,
            cell_v=(volts,) * _CELLS,
            cell_at_s=(now_s,) * _CELLS,
            temps=(Temperature(19.0, 21.0),),
            temp_at_s=now_s,
        )
        for number in range(1, _MODULES + 1)
    ]
