"""When, how fast and how far to bleed, as data per battery profile."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePlan:
    """Thresholds of balancing.

    Where: floor_v, floor_soc: no cell is bled below, whoever asks (3.70 V: vw-gte protocol notes,
    section 3.4). above_soc, above_v: in the normal course the lowest cell of a module has to be
    this full (above_v while no state of charge is known). again_soc, again_v: and this much
    fuller to begin again. cold_c, hot_c: module temperature, with margin_c to begin again.

    What counts as a difference: sure, the number of standard deviations. own_part: the part of a
    cell's standard deviation that its neighbours do not share, the curve's part left out before;
    cells in series see one current, one temperature and one curve of rest voltages, whose errors
    are common to all. least_soc: the
    smallest difference ever bled. max_sigma: a cell known worse than this measures nothing.
    least_v, ah_per_v: the same at rest without a state of charge; ah_per_v is on the low side, so
    that too little is bled rather than too much, and measured again.

    When: measure_s: bleeding is off so long before anything is measured. rest_s: no current for
    so long is a rest; settle_s: so long a rest without bleeding shows an estimate what was bled;
    relax_s: so long without bleeding does, current or not. bleed_s: bleeding at a
    stretch. look_again_s: while nothing is bled cells are measured this
    often. rest_again_s: a pause at rest is used for a sure measurement when the last is as old.
    rotate_s: a choice of
    cells is kept so long. forget_s: a measurement this old gives way to one at a lower charge,
    which says less about the top; lower_soc: what counts as lower.

    How much at once: max_cells per module; duty: at most this part of the time; spare_neighbours:
    never two cells side by side (heat of the board). bleed_ohm: resistor of a cell, assumed like
    in ``sim.pack``, no measurement is public; what it really does is learned.

    The end: force_s: a person's wish lasts so long. no_bleed_s: a disobedient module is left
    alone. useless_ah, useless_times: a cell that took so many times what was first measured plus
    this, and still differs, is not bled for give_up_s.
    """

    floor_v: float = 3.70
    floor_soc: float = 0.50
    above_soc: float = 0.60
    above_v: float = 3.80
    again_soc: float = 0.02
    again_v: float = 0.02
    cold_c: float = 5.0
    hot_c: float = 40.0
    margin_c: float = 2.0
    sure: float = 2.0
    own_part: float = 0.2
    least_soc: float = 0.002
    max_sigma: float = 0.05
    least_v: float = 0.008
    ah_per_v: float = 20.0
    fresh_s: float = 2.5
    temp_fresh_s: float = 30.0
    measure_s: float = 60.0
    rest_s: float = 60.0
    settle_s: float = 900.0
    relax_s: float = 1800.0
    bleed_s: float = 3600.0
    look_again_s: float = 600.0
    rest_again_s: float = 7200.0
    rotate_s: float = 600.0
    forget_s: float = 48.0 * 3600.0
    lower_soc: float = 0.05
    max_cells: int = 12
    duty: float = 0.98
    spare_neighbours: bool = False
    bleed_ohm: float = 40.0
    force_s: float = 6.0 * 3600.0
    no_bleed_s: float = 600.0
    useless_times: float = 3.0
    useless_ah: float = 1.0
    give_up_s: float = 7.0 * 86400.0

    def __post_init__(self) -> None:
        """Raises ValueError for numbers that would never bleed, never stop, or mean nothing."""
        numbers = [getattr(self, name) for name in self.__dataclass_fields__]
        if not all(isfinite(number) and number >= 0.0 for number in numbers):
            raise ValueError("every number of a balancing plan must be finite and not negative")
        _in_order("floor_soc", 0.0, self.floor_soc, self.above_soc, 1.0)
        _in_order("floor_v", 0.0, self.floor_v, self.above_v, 5.0)
        _in_order("hot_c", self.cold_c, self.hot_c, 60.0)
        _in_order("duty", 0.0, self.duty, 1.0)
        if not (self.bleed_ohm > 0.0 and self.duty > 0.0 and self.max_cells >= 1):
            raise ValueError("bleed_ohm, duty and max_cells must be above zero")

    @property
    def pause_s(self) -> float:
        """Between two stretches of bleeding, s."""
        return max(self.measure_s, self.bleed_s * (1.0 / self.duty - 1.0))


def _in_order(name: str, *values: float) -> None:
    last = -inf
    for value in values:
        if not value >= last:
            raise ValueError(f"{name} is out of order: {values}")
        last = value


PLANS: dict[str, BalancePlan] = {
    "vw_gte_12s": BalancePlan(),
    "nmc": BalancePlan(),
    # iron phosphate shows differences only near the top, and there steeply
    "lfp": BalancePlan(
        floor_v=3.32,
        floor_soc=0.80,
        above_soc=0.90,
        above_v=3.36,
        again_v=0.01,
        least_v=0.010,
        ah_per_v=5.0,
    ),
}
"""By profile name."""
