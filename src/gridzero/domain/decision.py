"""What one tick decided, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gridzero.domain.plan import Aim, Plan
from gridzero.domain.reasons import Because, WhyNot
from gridzero.domain.value import Lean


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the goal asks of the battery before any limit, W AC, > 0 discharge."""

    battery_w: float
    because: Because


class Work(NamedTuple):
    """What one converter has done since the start, and why it does nothing now (None = it does).

    hours: time with a command above 0. starts: commands out of 0.
    """

    hours: float
    starts: int
    why_not: WhyNot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The last word of one tick.

    battery_w: guarded total, W AC, > 0 discharge. units: magnitude per converter name, W AC.
    wish_w: what would have been done without limits. net_load_w: what the house needs without
    the battery (None while unknown). charge_w, discharge_w: AC power the limits allow now.
    not_following: units that do not give what they were told, each with the case in words.
    suspects: units of which a promised change was not seen; they are being asked.
    meter_verdict: "good", "sign" or "frozen", see control.meter_watch.
    work: by converter name.
    bias_w: by how much the target was shifted, W, > 0 buys rather than sells, and why.
    plan: what mode auto is doing. aim: grid power that is held, None = the target.
    may_charge: whether a person's settings leave anything to charge with.
    """

    at_s: float
    battery_w: float
    because: Because
    wish_w: float
    net_load_w: float | None
    charge_w: float
    discharge_w: float
    charge_because: Because
    discharge_because: Because
    units: Mapping[str, float] = field(default_factory=dict)
    not_following: Mapping[str, str] = field(default_factory=dict)
    suspects: tuple[str, ...] = ()
    work: Mapping[str, Work] = field(default_factory=dict)
    meter_verdict: str = "good"
    bias_w: float = 0.0
    bias_because: Lean = Lean.NO_PRICES
    plan: Plan = Plan.SELF_USE
    aim: Aim | None = None
    may_charge: bool = True
