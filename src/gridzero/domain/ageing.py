"""How the battery ages, each number with how sure it is, and what a person should do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple


class Estimate(NamedTuple):
    """A number and its standard deviation, both in the unit of the field that holds it."""

    value: float
    sigma: float


class Urgency(IntEnum):
    """How soon somebody should look. The names are the words in MQTT."""

    WATCH = 1
    PLAN = 2
    SOON = 3
    NOW = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """One thing to look after, in words for people.

    code: stable. module: for example ``b3``; cell: counted from 1, None = the whole module.
    what, why, remedy: one sentence each; why holds the figures. sure: 0..1.
    """

    code: str
    module: str
    cell: int | None
    urgency: Urgency
    what: str
    why: str
    sure: float
    remedy: str

    @property
    def subject(self) -> str:
        """Module or cell, for example ``b3.7``."""
        return self.module if self.cell is None else f"{self.module}.{self.cell}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What has passed through. Ah and Wh, all >= 0; cycles: equivalent full cycles.

    soc_h, temp_h: hours spent by bin, lowest first; bins: ``battery.ageing.throughput``.
    """

    out_ah: float = 0.0
    in_ah: float = 0.0
    out_wh: float = 0.0
    in_wh: float = 0.0
    cycles: float = 0.0
    soc_h: tuple[float, ...] = ()
    temp_h: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imbalance:
    """What a module cannot use because its cells differ, Ah.

    level_ah: because they are not level; balancing wins it back. spread_ah: because the smallest
    cell is smaller than the mean; nothing but another cell wins it back. level_part: level_ah as
    a part of what the smallest cell holds, 0..1. sigma_ah: of level_ah.
    """

    level_ah: float
    spread_ah: float
    level_part: float
    sigma_ah: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CellHealth:
    """One cell; None = not known yet.

    relative_capacity: over the mean cell of its module. ohm: at 25 degC. growth: ohm over its
    first learned value. self_discharge_ma: beyond that of the module's middle cell, mA, > 0
    loses charge.
    """

    relative_capacity: Estimate | None = None
    ohm: Estimate | None = None
    growth: Estimate | None = None
    self_discharge_ma: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleHealth:
    """One module; None = not known yet.

    capacity_ah: of its mean cell. With one shunt for parallel modules its sigma holds what the
    share of the current is not known. usable_ah: what its smallest cell leaves of that when all
    are level. ohm: of all cells in series at 25 degC; growth: over its first learned value.
    warmer_c: than its siblings, mean of the last day, K.
    """

    name: str
    capacity_ah: Estimate | None
    usable_ah: float | None
    ohm: Estimate | None
    growth: Estimate | None
    imbalance: Imbalance | None
    warmer_c: float | None
    throughput: Throughput
    cells: tuple[CellHealth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingLife:
    """A straight line through the capacity so far. days: until end_ah; from_days..to_days: 95 %.

    to_days None: it cannot be bounded.
    """

    days: float
    from_days: float
    to_days: float | None
    end_ah: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """The whole battery.

    capacity_ah: of all modules together, mean cells. health: capacity over nominal.
    ohm: of the modules in parallel at 25 degC. offset_a: what the shunt was found to add,
    A; days: for how long this has been learned. ranking: modules, weakest first.
    maintenance: most urgent first.
    """

    days: float
    capacity_ah: Estimate | None
    health: Estimate | None
    ohm: Estimate | None
    offset_a: Estimate | None
    throughput: Throughput
    modules: Mapping[str, ModuleHealth] = field(default_factory=dict)
    ranking: tuple[str, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    life: RemainingLife | None = None
