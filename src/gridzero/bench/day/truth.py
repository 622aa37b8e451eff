"""What really flowed in a simulated house, by the names of the counters."""

from __future__ import annotations

from gridzero.domain.energy import Counted
from gridzero.sim.house import House
from gridzero.sim.twin_bench import STEP_S

_RUNS_FROM_A = 0.2  # below it a charger draws what its electronics need: the house's
_WS_PER_KWH = 3.6e6


class Truth:
    """Call ``step`` after each step of the house. sums: kWh since the start, over restarts."""

    def __init__(self, chargers: frozenset[str], step_s: float = STEP_S) -> None:
        self._chargers, self._step_s = chargers, step_s
        self.sums: dict[Counted, float] = dict.fromkeys(_COUNTED, 0.0)
        self.seconds = self.grid_ws = 0.0

    def step(self, house: House) -> None:
        """Count the last step."""
        given_w, taken_w, idle_w = self._converters(house)
        grid_w = house.grid_w
        net_w = grid_w + given_w - taken_w
        house_w, surplus_w = max(0.0, net_w), max(0.0, -net_w)
        stored_w, dc_w = min(taken_w, surplus_w), house.battery_v * house.battery_a
        powers_w = (
            *(max(0.0, grid_w), max(0.0, -grid_w), taken_w, given_w),
            *(max(0.0, -dc_w), max(0.0, dc_w), house_w, min(given_w, house_w)),
            *(surplus_w, stored_w, taken_w - stored_w, house.pv_w, house.load_w + idle_w),
        )
        for counted, power_w in zip(_COUNTED, powers_w, strict=True):
            self.sums[counted] += power_w * self._step_s / _WS_PER_KWH
        self.seconds += self._step_s
        self.grid_ws += abs(grid_w) * self._step_s

    def _converters(self, house: House) -> tuple[float, float, float]:
        """Given, taken, and drawn at rest, W."""
        given_w = taken_w = idle_w = 0.0
        for name, unit in house.converters.items():
            if name in self._chargers and abs(unit.dc_a) > _RUNS_FROM_A:
                taken_w -= unit.ac_w
            elif unit.ac_w > 0.0:
                given_w += unit.ac_w
            else:
                idle_w -= unit.ac_w
        return given_w, taken_w, idle_w


_COUNTED = (
    *(Counted.GRID_IMPORT, Counted.GRID_EXPORT, Counted.CHARGED, Counted.DISCHARGED),
    *(Counted.DC_IN, Counted.DC_OUT, Counted.HOUSE, Counted.HOUSE_FROM_BATTERY),
    *(Counted.SURPLUS, Counted.CHARGED_FROM_SURPLUS, Counted.CHARGED_FROM_GRID),
    *(Counted.PRODUCED, Counted.CONSUMED),
)
