"""One scenario from start to verdict: what is done when, what broke, and whether it came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harm_catalogue import BY_NAME, Trouble
from harm_truth import Truth, Violation
from harm_world import Start, World, living

from gridzero.domain.decision import Decision
from gridzero.domain.reasons import Because
from gridzero.sim.loop import run_simulated

BEGIN_S = 32.0
"""By then a rectifier has gone through its start and the limits have risen."""
_SOON_S, _LOOK_S, _AT_LAST_S = 12.0, 20.0, 780.0
_HELD_W = 70.0
_WATCHED_S = 10.0

_CELLS_HIGH = {Because.SOC_HIGH, Because.CELL_HIGH, Because.CELL_FULL, Because.CELL_OVER}
_CELLS_LOW = {
    Because.SOC_LOW,
    Because.CELL_LOW,
    Because.CELL_EMPTY,
    Because.CELL_UNDER,
    Because.DC_WINDOW,
}
_REFUSED = {Because.FAULT_LATCHED, Because.PROTECTED, Because.TRIPPED}
_AT_MOST = {Because.CURRENT_LIMIT, Because.CHARGER_MAXIMUM, Because.INVERTER_MAXIMUM}


class Turn(NamedTuple):
    """A trouble from at_s on for for_s seconds. dose: how much of it, 0..1."""

    name: str
    at_s: float
    for_s: float
    dose: float = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario. Its ``repr`` is the replay."""

    start: Start = field(default_factory=Start)
    turns: tuple[Turn, ...] = ()


@dataclass
class Verdict:
    """violations: what broke. back_s: how long after the last trouble the house was held again.

    latched: faults that a person had to acknowledge on the way.
    """

    plan: Plan
    violations: list[Violation]
    back_s: float | None
    worst: dict[str, float]
    latched: set[str]
    told: list[tuple[float, str, str, bool]]
    flows: list[tuple[float, float, float]]
    simulated_s: float


def play(plan: Plan, *, patient: bool = True) -> Verdict:
    """Live through it on a loop of its own. patient: wait until the house is held again."""
    return run_simulated(_play(plan, patient))


async def _play(plan: Plan, patient: bool) -> Verdict:
    async with living(plan.start) as world:
        truth = Truth(world)
        over_s = await _turns(world, truth, plan.turns)
        back_s = await _comes_back(world, truth, over_s) if patient else None
        told = [(round(e.at_s, 2), e.code, e.subject, e.active) for e in world.events]
        return Verdict(
            plan,
            truth.violations,
            back_s,
            truth.worst,
            truth.latched,
            told,
            world.flows,
            world.now_s,
        )


async def _turns(world: World, truth: Truth, turns: tuple[Turn, ...]) -> float:
    """Begin and end each trouble at its time; returns when the last has ended."""
    moments = [(t.at_s, n, True) for n, t in enumerate(turns)]
    moments += [(t.at_s + t.for_s, n, False) for n, t in enumerate(turns)]
    for at_s, number, begins in sorted(moments):
        await world.until(max(at_s, world.now_s))
        switch(world, truth, number, turns[number], begins=begins)
    return world.now_s


def switch(world: World, truth: Truth, number: int, turn: Turn, *, begins: bool) -> None:
    """Begin or end one trouble, and let the invariants know of it."""
    trouble: Trouble = BY_NAME[turn.name]
    if begins:
        truth.troubles.append([trouble, world.now_s, None, number])
    trouble.act(world, turn.dose, begins)
    if not begins:
        mine = next(t for t in truth.troubles if t[3] == number)
        mine[2] = world.now_s


async def _comes_back(world: World, truth: Truth, over_s: float) -> float | None:
    """Everything is healed: the house is held again, at the latest after a person said so."""
    await world.until(over_s + _SOON_S)
    while True:
        if await _is_held(world, truth):
            return world.now_s - over_s
        if latched(world):
            truth.latched |= {f.code for f in world.life.app.faults.active if f.latches}
            world.life.app.faults.acknowledge()
        if world.now_s > over_s + _AT_LAST_S:
            truth._say("not_back", f"{_AT_LAST_S:g} s after the end: {_state(world)}")
            return None
        await world.until(world.now_s + _LOOK_S)


async def _is_held(world: World, truth: Truth) -> bool:
    from_s = world.now_s
    while world.now_s < from_s + _WATCHED_S:
        if not _is_right(world, truth):
            return False
        await world.until(world.now_s + 1.0)
    return True


def _is_right(world: World, truth: Truth) -> bool:
    """Power is what the owner wants, or what the true battery forbids."""
    last = world.life.app.site.last
    if world.life.is_dead or last is None:
        return False
    decision, start = last[1], world.start
    if _forbidden(decision, truth) or _warms_by_itself(world):
        return True
    if start.mode == "auto":
        return abs(world.house.grid_w) < _HELD_W
    wanted_w = {"charge": -start.power_w, "discharge": start.power_w}.get(start.mode, 0.0)
    return abs(world.house.battery_w - wanted_w) < _HELD_W


def _warms_by_itself(world: World) -> bool:
    """A trouble that heats a module in an instant is a fire to gridzero, and for long."""
    return world.life.app.faults.stands("self_heating")


def _forbidden(decision: Decision, truth: Truth) -> bool:
    why = decision.because
    if why in _CELLS_HIGH:
        return truth.max_v > 3.85
    if why in _CELLS_LOW:
        return truth.min_v < 3.55
    if why in _REFUSED:
        return _is_beyond(truth)
    if why is Because.TOO_COLD:
        return truth.low_c < 8.5
    if why is Because.TOO_HOT:
        return truth.high_c > 38.0
    return why in _AT_MOST


def _is_beyond(truth: Truth) -> bool:
    """A true cell or module is where no power may be; a person cannot acknowledge it away."""
    cells_are = truth.min_v < 3.25 or truth.max_v > 4.08
    return cells_are or truth.low_c < 3.0 or truth.high_c > 50.0


def latched(world: World) -> bool:
    """A fault stands that only a person can end."""
    return world.life.app.faults.needs_a_person


def _state(world: World) -> str:
    last = world.life.app.site.last
    faults = [f"{f.code} {f.subject}" for f in world.life.app.faults.active]
    why = None if last is None else last[1].because.value
    return f"grid {world.house.grid_w:.0f} W, because {why}, faults {faults}"


def shrink(plan: Plan, name: str, *, patient: bool = True) -> Plan:
    """The shortest plan that still breaks the invariant of this name: fewer turns, a plain house."""
    for candidate in _simpler(plan):
        if any(v.name == name for v in play(candidate, patient=patient).violations):
            return shrink(candidate, name, patient=patient)
    return plan


def _simpler(plan: Plan) -> list[Plan]:
    fewer = [Plan(plan.start, plan.turns[:n] + plan.turns[n + 1 :]) for n in range(len(plan.turns))]
    plain = Start()
    names: tuple[Any, ...] = tuple(
        key for key in Start.__slots__ if getattr(plan.start, key) != getattr(plain, key)
    )
    values = {key: getattr(plan.start, key) for key in Start.__slots__}
    starts = [Start(**{**values, key: getattr(plain, key)}) for key in names]
    return fewer + [Plan(start, plan.turns) for start in starts]
