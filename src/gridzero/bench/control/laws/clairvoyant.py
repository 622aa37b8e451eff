"""What could be done by someone who knew the future: the lowest sum of |error| by planning back.

Dynamic programming over the converters' output in cells, 0.3 s at a time. Output may move by what
the slew allows; the inverter may drop to zero at once; the rectifier may be started early, so that
its hold time is over when the surplus comes. A plant with a lag is only commanded early.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from gridzero.bench.control.converters import STEP_S
from gridzero.bench.control.laws.law import Setting
from gridzero.bench.control.plants import PlantRow

_STEPS = 3
PLAN_S = _STEPS * STEP_S
_CELLS_UP = 3
_CHUNK = 3000
_BEYOND = 200  # plan steps, 60 s: nothing that lies further ahead matters
_ROUNDING_W = 0.5
_HALF_LAG = 0.69  # half of a first-order response is over after ln 2 lags


@dataclass(frozen=True, slots=True)
class _States:
    """All that the battery can be doing, as signed output, W, > 0 discharge.

    Numbered: inverter off and its cells upward; then the rectifier's start, one state for each
    plan step of it; then its cells upward.
    """

    output_w: list[float]
    cell_w: list[float]
    inverters: int
    jump: int
    fall: int
    starting: int


def _states(plant: PlantRow) -> _States:
    row, rectifier = plant.inverter, plant.rectifier
    cell_w = row.rise_w_per_s * PLAN_S / _CELLS_UP
    inverters = int(plant.discharge_w / cell_w) + 1
    output_w = [index * cell_w for index in range(inverters)]
    cells = [cell_w] * inverters
    starting = 0
    if rectifier is not None:
        starting = max(1, ceil(rectifier.start_s / PLAN_S))
        charge_cell_w = rectifier.rise_w_per_s * PLAN_S / _CELLS_UP
        count = int((rectifier.max_w - rectifier.min_w) / charge_cell_w) + 1
        output_w += [-rectifier.min_w] * starting
        output_w += [-rectifier.min_w - index * charge_cell_w for index in range(count)]
        cells += [charge_cell_w] * (starting + count)
    return _States(
        output_w,
        cells,
        inverters,
        jump=round(row.jump_w / cell_w),
        fall=max(1, round(row.fall_w_per_s * PLAN_S / cell_w)),
        starting=starting,
    )


class Clairvoyant:
    """Meets law.Law. Commands what was planned, early by the dead time."""

    timer_s: float | None = STEP_S

    def __init__(self, setting: Setting) -> None:
        plant = setting.plant
        self._setting = setting
        self._gain = plant.inverter.gain
        lag_s = plant.inverter.lag_s
        self._inverter_early_s = plant.inverter.dead_s + _HALF_LAG * lag_s
        self._rectifier_early_s = plant.rectifier.dead_s if plant.rectifier else 0.0
        loads_w = setting.trace.net_load_w
        self._plan_w = [setting.within(load_w) for load_w in loads_w] if lag_s else _plan(setting)

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law. Not needed."""

    def command(self, now_s: float) -> float:
        """See law.Law."""
        discharge_w = self._planned(now_s + self._inverter_early_s)
        if discharge_w > 0.0:
            return discharge_w / self._gain + _ROUNDING_W
        return min(0.0, self._planned(now_s + self._rectifier_early_s))

    def _planned(self, at_s: float) -> float:
        step = min(round(at_s / STEP_S), len(self._plan_w) - 1)
        return self._plan_w[step]


def _plan(setting: Setting) -> list[float]:
    """Wanted output at each step of the trace, W."""
    states, loads_w = _states(setting.plant), setting.trace.net_load_w
    means_w = [
        sum(loads_w[at : at + _STEPS]) / len(loads_w[at : at + _STEPS])
        for at in range(0, len(loads_w), _STEPS)
    ]
    most_w, least_w = setting.plant.discharge_w, -setting.plant.charge_w
    means_w = [max(least_w, min(most_w, mean_w)) for mean_w in means_w]
    plan_w: list[float] = []
    state = 0
    for start in range(0, len(means_w), _CHUNK):
        part_w = means_w[start : start + _CHUNK + _BEYOND]
        values = _values(states, part_w)
        for load_w, value in zip(part_w[:_CHUNK], values[:_CHUNK], strict=True):
            state = min(_reachable(states, state), key=value.__getitem__)
            plan_w.extend([_fine(states, state, load_w)] * _STEPS)
    return plan_w


def _fine(states: _States, state: int, load_w: float) -> float:
    """The load itself where it lies within the cell."""
    output_w = states.output_w[state]
    close = abs(output_w - load_w) <= states.cell_w[state] and output_w * load_w > 0
    rising = states.inverters <= state < states.inverters + states.starting
    return load_w if close and not rising else output_w


def _reachable(states: _States, state: int) -> list[int]:
    """States one plan step later."""
    inverters, starting, count = states.inverters, states.starting, len(states.output_w)
    from_off = [*range(states.jump + 1), *([inverters] if starting else [])]
    if state < inverters:
        top = min(max(state + _CELLS_UP, states.jump), inverters - 1)
        near = range(max(0, state - states.fall), top + 1)
        return [0, *near, *([inverters] if starting else [])]
    if state < inverters + starting - 1:
        return [*from_off, state + 1]
    charging = inverters + starting
    top = max(state, charging) + _CELLS_UP
    return [*from_off, *range(charging, min(top, count - 1) + 1)]


def _values(states: _States, loads_w: list[float]) -> list[array[float]]:
    """For each plan step and state: the lowest sum of |error| from there on."""
    ahead = [0.0] * len(states.output_w)
    free_w = [cell_w / 2 for cell_w in states.cell_w]
    places = list(zip(states.output_w, free_w, strict=True))
    values: list[array[float]] = []
    last_w, costs = float("nan"), [0.0]
    for load_w in reversed(loads_w):
        if load_w != last_w:
            costs = [max(0.0, abs(load_w - at_w) - near_w) for at_w, near_w in places]
            last_w = load_w
        if values:
            ahead = _best_ahead(states, ahead)
        ahead = [cost + best for cost, best in zip(costs, ahead, strict=True)]
        values.append(array("d", ahead))
    values.reverse()
    return values


def _best_ahead(states: _States, value: list[float]) -> list[float]:
    """For each state the lowest value of those that can be reached from it."""
    inverters, starting, fall, jump = states.inverters, states.starting, states.fall, states.jump
    off = min(value[: jump + 1])
    leave = value[0]
    if starting:
        off, leave = min(off, value[inverters]), min(leave, value[inverters])
    inverter = value[:inverters]
    best = [off]
    for state in range(1, inverters):
        top = max(state + _CELLS_UP, jump)
        near = min(inverter[state - fall if state > fall else 0 : top + 1])
        best.append(min(near, leave))
    if starting:
        charging = inverters + starting
        best += [min(off, after) for after in value[inverters + 1 : charging]]
        upward = list(accumulate(value[charging:], min))
        last = len(upward) - 1
        best.append(min(off, upward[min(_CELLS_UP, last)]))
        best += [min(off, upward[min(at + _CELLS_UP, last)]) for at in range(last + 1)]
    return best
