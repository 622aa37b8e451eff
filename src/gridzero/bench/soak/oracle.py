"""What must hold in the true house, read from the twins and never from what gridzero believes.

Half a second is the grain. A condition may come at any moment, so current may go on for a reaction
time: the way from the cell over poll, tick and converter, and what the troubles of that time add.
tests/harm looks closer (docs/harm.md); this looks for a month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from gridzero.battery.profile import VW_GTE_12S as P
from gridzero.bench.soak.troubles import Trouble
from gridzero.bench.soak.world import STEP_S, World
from gridzero.ports.links import CanFilter, CanFrame, MqttMessage

CHARGES_A = 1.6
"""More than a rectifier gives at its smallest current, which it holds while it starts and stops."""
DISCHARGES_A = 0.3
_EVERY = round(0.5 / STEP_S)
_SLACK_V = 0.004
_MOST_TOLD = 50
_RECENT_S = 60.0
_FULL_V = 4.08
_FRESH_S, _METER_FRESH_S, _LEASE_S = 5.5, 11.0, 3.0


class Seen(NamedTuple):
    """The truth at one moment. Ages in s, of what was on the wires."""

    max_v: float
    min_v: float
    low_c: float
    high_c: float
    cells_age_s: float
    meter_age_s: float
    decision_age_s: float
    charger_a: float
    inverter_a: float


class Rule(NamedTuple):
    """A condition under which no current may flow in one direction for longer than base_s."""

    name: str
    charges: bool
    base_s: float
    holds: Callable[[Seen], bool]


RULES = (
    Rule("cell_over", True, 3.0, lambda s: s.max_v > P.over_cell_v + _SLACK_V),
    Rule("cell_full", True, 3.5, lambda s: s.max_v > _FULL_V + _SLACK_V),
    Rule("cell_under", False, 3.0, lambda s: s.min_v < P.under_cell_v - _SLACK_V),
    Rule("cell_empty", False, 3.5, lambda s: s.min_v < P.empty_cell_v - _SLACK_V),
    Rule("cold", True, 5.0, lambda s: s.low_c < 1.0),
    Rule("hot_charge", True, 5.0, lambda s: s.high_c > 51.0),
    Rule("hot_discharge", False, 5.0, lambda s: s.high_c > 56.0),
    Rule("old_cells_charge", True, 4.0, lambda s: s.cells_age_s > _FRESH_S),
    Rule("old_cells_discharge", False, 3.0, lambda s: s.cells_age_s > _FRESH_S),
    Rule("old_meter_charge", True, 5.0, lambda s: s.meter_age_s > _METER_FRESH_S),
    Rule("old_meter_discharge", False, 3.0, lambda s: s.meter_age_s > _METER_FRESH_S),
    Rule("no_decision_charge", True, 4.0, lambda s: s.decision_age_s > _LEASE_S),
    Rule("no_decision_discharge", False, 3.0, lambda s: s.decision_age_s > _LEASE_S),
    Rule("over_rating", True, 4.0, lambda _: True),
    Rule("both_ways", True, 12.0, lambda s: s.inverter_a > 1.0),
)


class Oracle:
    """Call ``step`` after each step of the world. violations: in words, the first ones.

    worst_s: the longest that each forbidden current lasted. troubles: what is going on.
    """

    def __init__(self, world: World, tell: Callable[[str], None]) -> None:
        """tell: called with each violation at once, in words."""
        self._world, self._tell = world, tell
        self._steps = 0
        self._cells_s = dict.fromkeys(world.house.pack.modules, 0.0)
        self._meter_s = self._ticked_s = 0.0
        self._since_s: dict[str, float] = {}
        self._said: set[tuple[str, float]] = set()
        self.recent: list[tuple[Trouble, float]] = []
        self.violations: list[str] = []
        self.worst_s: dict[str, float] = {}
        self._listen()

    def _listen(self) -> None:
        world = self._world
        twins: Mapping[str, Any] = world.twins["battery"].can  # its modules are in no port
        for link, twin in twins.items():
            end = world.media.can_bus(link).attach()
            for module in twin.modules:
                first_id = 0x1B0 + 4 * (module.member.number - 1)
                end.listen(self._cells(module.name), [CanFilter(first_id, 0x7FF, False)])
        world.beside.listener.subscribe("meterbox/grid", self._meter)

    def _cells(self, name: str) -> Callable[[CanFrame], None]:
        def hear(_: CanFrame) -> None:
            self._cells_s[name] = self._world.now_s

        return hear

    def _meter(self, _message: MqttMessage) -> None:
        if self._world.twin("meter").garbage is None:
            self._meter_s = self._world.now_s

    def step(self) -> None:
        """Look, every half second."""
        self._steps += 1
        if self._steps % _EVERY == 0:
            self._look()

    def _look(self) -> None:
        seen = self._seen()
        for rule in RULES:
            flows = seen.charger_a > CHARGES_A if rule.charges else seen.inverter_a > DISCHARGES_A
            if rule.name == "over_rating":
                flows = seen.charger_a > self._rated_a() + 5.0
            if flows and rule.holds(seen):
                self._judge(rule, seen)
            else:
                self._since_s.pop(rule.name, None)

    def _rated_a(self) -> float:
        ratings = self._world.life.app.site.rules.ratings
        return min(ratings.max_charge_a, ratings.max_module_a * len(self._cells_s))

    def _seen(self) -> Seen:
        world, now_s = self._world, self._world.now_s
        pack = world.house.pack
        volts = [volt for name in pack.modules for volt in pack.cell_v(name)]
        temps = [pack.temp_c(name) for name in pack.modules]
        if not world.life.is_dead:
            self._ticked_s = max(self._ticked_s, world.life.ticked_s or 0.0)
        return Seen(
            max_v=max(volts),
            min_v=min(volts),
            low_c=min(temps),
            high_c=max(temps),
            cells_age_s=now_s - min(self._cells_s.values()),
            meter_age_s=now_s - self._meter_s,
            decision_age_s=now_s - self._ticked_s,
            charger_a=world.charger_a,
            inverter_a=world.inverter_a,
        )

    def _judge(self, rule: Rule, seen: Seen) -> None:
        now_s = self._world.now_s
        since_s = self._since_s.setdefault(rule.name, now_s)
        lasted_s, later_s = now_s - since_s, self._later_s(rule.charges)
        if not later_s:
            self.worst_s[rule.name] = max(self.worst_s.get(rule.name, 0.0), lasted_s)
        if lasted_s > rule.base_s + later_s and (rule.name, since_s) not in self._said:
            self._said.add((rule.name, since_s))
            self.say(f"{rule.name}: {lasted_s:.1f} s, allowed {rule.base_s + later_s:.1f}: {seen}")

    def _later_s(self, charges: bool) -> float:
        """What troubles of now and of the last minute add."""
        now_s = self._world.now_s
        self.recent = [(each, to_s) for each, to_s in self.recent if to_s + _RECENT_S > now_s]
        return max(
            ((each.charge_s if charges else each.discharge_s) for each, _ in self.recent),
            default=0.0,
        )

    def say(self, text: str) -> None:
        """Note a violation; of very many only the first."""
        if len(self.violations) < _MOST_TOLD:
            now_s = self._world.now_s
            during = ", ".join(each.name for each, to_s in self.recent if to_s + _RECENT_S > now_s)
            self.violations.append(f"{now_s / 3600.0:.3f} h, {during or 'no trouble'}: {text}")
            self._tell(self.violations[-1])


def latched(world: World) -> Iterable[str]:
    """Codes of the faults that wait for a person."""
    return [fault.code for fault in world.life.app.faults.active if fault.latches]
