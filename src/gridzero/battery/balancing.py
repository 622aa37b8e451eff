"""Which cells to bleed, module by module.

Parallel modules need no common cell level, so each module is compared with its own lowest cell.
Bleeding lowers the reading of the bled cell, so cells are chosen only from readings taken with
bleeding off; limits go on looking at every reading all the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridzero.domain.readings import ModuleReading


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePlan:
    """When to bleed. above_v: a cell must be above it; spread_v: and this far above the lowest.

    A round is bleed_s of bleeding, then measure_s without.
    """

    above_v: float = 3.90
    spread_v: float = 0.030
    bleed_s: float = 60.0
    measure_s: float = 10.0
    fresh_s: float = 2.0


class Balancer:
    """Chooses cells after each measuring pause and keeps the choice for one bleeding phase."""

    def __init__(self, plan: BalancePlan) -> None:
        self._plan = plan
        self._phase_s: float | None = None
        self._chosen: dict[str, int] = {}

    def update(
        self, modules: Sequence[ModuleReading], now_s: float, *, allowed: bool
    ) -> dict[str, int]:
        """Cells to bleed now by module name (bit i = cell i+1); empty means end balancing."""
        if not allowed:
            self._chosen, self._phase_s = {}, now_s
            return {}
        if self._phase_s is None:
            self._phase_s = now_s
        elapsed_s = now_s - self._phase_s
        if self._chosen and elapsed_s >= self._plan.bleed_s:
            self._chosen, self._phase_s = {}, now_s
        elif not self._chosen and elapsed_s >= self._plan.measure_s:
            self._chosen = choose(modules, now_s, self._plan)
            self._phase_s = now_s
        return dict(self._chosen)


def choose(modules: Sequence[ModuleReading], now_s: float, plan: BalancePlan) -> dict[str, int]:
    """Cells well above their module's lowest; modules with any doubt are left alone."""
    chosen = {m.name: _high_cells(m, plan) for m in modules if _is_sure(m, now_s, plan)}
    return {name: mask for name, mask in chosen.items() if mask}


def _is_sure(module: ModuleReading, now_s: float, plan: BalancePlan) -> bool:
    """Every cell known, fresh and plausible, nothing being bled, and not too hot to tell."""
    fresh = all(at is not None and now_s - at <= plan.fresh_s for at in module.cell_at_s)
    known = all(v is not None for v in module.cell_v)
    return known and fresh and not (module.suspect or module.bleeding or module.over_range_temp)


def _high_cells(module: ModuleReading, plan: BalancePlan) -> int:
    volts = [v for v in module.cell_v if v is not None]
    floor_v = max(plan.above_v, min(volts) + plan.spread_v)
    return sum(1 << i for i, v in enumerate(volts) if v > floor_v)
