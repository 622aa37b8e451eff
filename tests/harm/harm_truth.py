"""What must hold in the true house, read from the twins and never from what gridzero believes.

Each ``Inhibit`` is a condition of the world under which a direction must be without current. The
condition may come at any moment, so current may go on for a reaction time: the time from the
truth to a stopped converter while everything works, plus what the troubles of this scenario add
(``Trouble.charge_s``, ``Trouble.discharge_s``: how much later a command takes effect).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harm_world import World

from gridzero.battery.profile import VW_GTE_12S
from gridzero.links.memory import MemoryCan
from gridzero.ports.links import CanFilter, CanFrame

CHARGES_A = 1.6
"""More than a rectifier gives at its smallest current, which it holds while it starts and stops."""
DISCHARGES_A = 0.3
FEEDS_S = 3.0
"""Lease of the contactor: what it waits for when nobody feeds it any more."""
INVERTER_FORGETS_S, RECTIFIER_FORGETS_S = 10.0, 30.0
_LEASE_S = 3.0
_TRUE_SLACK_V = 0.004  # frames carry millivolts, and cells are looked at twice a second
_RECENT_S = 25.0
_BEYOND_V = 0.06
_RATED_SLACK_A = 5.0
_BOTH_WAYS_S = 10.0

FOREVER = float("inf")


class Violation(NamedTuple):
    """An invariant that did not hold. at_s: of the scenario."""

    name: str
    at_s: float
    text: str


class Inhibit(NamedTuple):
    """holds: whether no current may flow. base_s: reaction time while everything works.

    about: what a trouble must hide to excuse it (``Trouble.hides``).
    """

    name: str
    direction: str
    base_s: float
    about: str
    holds: Callable[[Truth], bool]


_P = VW_GTE_12S

INHIBITS = (
    Inhibit("cell_over", "charge", 3.0, "cells", lambda t: t.max_v > _P.over_cell_v + 0.004),
    Inhibit("cell_full", "charge", 3.0, "cells", lambda t: t.max_v > 4.08 + _TRUE_SLACK_V),
    Inhibit("cell_under", "discharge", 3.0, "cells", lambda t: t.min_v < _P.under_cell_v - 0.004),
    Inhibit("cell_empty", "discharge", 3.0, "cells", lambda t: t.min_v < 3.20 - _TRUE_SLACK_V),
    Inhibit("cold_charge", "charge", 5.0, "temps", lambda t: t.low_c < 1.0),
    Inhibit("cold_discharge", "discharge", 4.0, "temps", lambda t: t.low_c < 1.0),
    Inhibit("hot_charge", "charge", 5.0, "temps", lambda t: t.high_c > 51.0),
    Inhibit("hot_discharge", "discharge", 4.0, "temps", lambda t: t.high_c > 56.0),
    Inhibit("old_cells_charge", "charge", 3.0, "ages", lambda t: t.cells_age_s > 5.5),
    Inhibit("old_cells_discharge", "discharge", 2.0, "ages", lambda t: t.cells_age_s > 5.5),
    Inhibit("old_temps_charge", "charge", 5.0, "ages", lambda t: t.temps_age_s > 31.5),
    Inhibit("old_temps_discharge", "discharge", 3.0, "ages", lambda t: t.temps_age_s > 31.5),
    Inhibit("old_shunt_charge", "charge", 4.0, "ages", lambda t: t.shunt_age_s > 5.5),
    Inhibit("old_shunt_discharge", "discharge", 2.0, "ages", lambda t: t.shunt_age_s > 5.5),
    Inhibit("old_meter_charge", "charge", 4.0, "ages", lambda t: t.meter_age_s > 11.0),
    Inhibit("old_meter_discharge", "discharge", 2.0, "ages", lambda t: t.meter_age_s > 11.0),
    Inhibit("no_decision_charge", "charge", 3.0, "", lambda t: t.decision_age_s > _LEASE_S),
    Inhibit("no_decision_discharge", "discharge", 2.0, "", lambda t: t.decision_age_s > _LEASE_S),
)


class _Ages:
    """When the process could last have heard something true and new, by the wires alone."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cells_s = dict.fromkeys(world.modules, 0.0)
        self.temps_s = dict.fromkeys(world.modules, 0.0)
        self.shunt_s = self.meter_s = 0.0
        self._last: dict[str, bytes] = {}
        for link, twin in world.twins["battery"].can.items():
            end = world.media.can_bus(link).attach()
            for module in twin.modules:
                self._listen(end, module.name, module._frames[0][0], module.member.number)
        meter = world.twin("meter")
        world.media.broker.attach().subscribe("meterbox/grid", self._hear_meter)
        self._meter = meter

    def _listen(self, end: MemoryCan, name: str, first_id: int, number: int) -> None:
        end.listen(self._hear_cells(name), [CanFilter(first_id, 0x7FF, False)])
        temp_id = 0x1A555400 + number
        end.listen(self._hear_temps(name), [CanFilter(temp_id, 0x1FFFFFFF, True)])

    def _hear_cells(self, name: str) -> Callable[[CanFrame], None]:
        def hear(frame: CanFrame) -> None:
            """A repeated message counter is an old message."""
            if frame.data != self._last.get(name):
                self._last[name] = frame.data
                self.cells_s[name] = self._world.now_s

        return hear

    def _hear_temps(self, name: str) -> Callable[[CanFrame], None]:
        def hear(frame: CanFrame) -> None:
            if frame.data[0] < 0xE0:
                self.temps_s[name] = self._world.now_s

        return hear

    def _hear_meter(self, message: Any) -> None:
        if self._meter.garbage is None and not self._meter.frozen:
            self.meter_s = self._world.now_s

    def look(self) -> None:
        world = self._world
        shunt = world.twin("shunt")
        bus = world.life.links.i2c("sensors")
        is_there = not (shunt.unplugged or bus.stuck or shunt.frozen)
        if is_there and not world.life.is_dead:
            self.shunt_s = world.now_s


@dataclass
class Truth:
    """Watches one world; ``violations`` is empty while all is well."""

    world: World
    violations: list[Violation] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)
    latched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._ages = _Ages(self.world)
        self._since_s: dict[str, float] = {}
        self._both_since_s: float | None = None
        self._over_since_s: float | None = None
        self._settled = self.world.now_s
        self.look()
        self._start_over_v, self._start_under_v = self.max_v, self.min_v
        self.troubles: list[Any] = []
        self.world.each_step["truth"] = self.check

    # --- what is true -----------------------------------------------------------------------

    def look(self) -> None:
        """Read the twins once per step."""
        world = self.world
        pack, now_s = world.house.pack, world.now_s
        volts = [v for name in world.modules for v in pack.cell_v(name)]
        temps = [pack.temp_c(name) for name in world.modules]
        self.max_v, self.min_v = max(volts), min(volts)
        self.low_c, self.high_c = min(temps), max(temps)
        self._ages.look()
        self.cells_age_s = now_s - min(self._ages.cells_s.values())
        self.temps_age_s = now_s - min(self._ages.temps_s.values())
        self.shunt_age_s = now_s - self._ages.shunt_s
        is_auto = world.start.mode == "auto"
        self.meter_age_s = now_s - self._ages.meter_s if is_auto else 0.0
        ticked_s = 0.0 if world.life.is_dead else world.life.ticked_s
        self.decision_age_s = now_s - max(ticked_s or 0.0, self._last_tick())

    def _last_tick(self) -> float:
        return max((life.ticked_s or 0.0 for life in self.world.lives), default=0.0)

    def flows(self, direction: str) -> bool:
        if direction == "charge":
            return self.world.charger_a > CHARGES_A
        return self.world.inverter_a > DISCHARGES_A

    # --- what must hold ---------------------------------------------------------------------

    def check(self) -> None:
        self.look()
        for inhibit in INHIBITS:
            self._check_inhibit(inhibit)
        self._check_bounds()
        self._check_ratings()
        self._check_both_ways()
        for bug in self.world.bugs:
            self._say("bug", bug)

    def _check_inhibit(self, inhibit: Inhibit) -> None:
        now_s = self.world.now_s
        if not (inhibit.holds(self) and self.flows(inhibit.direction)):
            self._since_s.pop(inhibit.name, None)
            return
        lasted_s = now_s - self._since_s.setdefault(inhibit.name, now_s)
        later_s = self.later_s(inhibit, self._since_s[inhibit.name])
        if later_s == 0.0:
            self.worst[inhibit.name] = max(self.worst.get(inhibit.name, 0.0), lasted_s)
        allowed_s = inhibit.base_s + later_s
        if lasted_s > allowed_s:
            self._say(
                inhibit.name,
                f"{inhibit.direction} goes on for {lasted_s:.2f} s, allowed {allowed_s:.2f} s: "
                f"charger {self.world.charger_a:.1f} A, inverter {self.world.inverter_a:.1f} A, "
                f"cells {self.min_v:.3f}..{self.max_v:.3f} V, {self.low_c:.1f}..{self.high_c:.1f} C",
            )

    def later_s(self, inhibit: Inhibit, since_s: float) -> float:
        """What the troubles around that time add to the reaction time."""
        later_s = 0.0
        for trouble, _, to_s, _ in self.troubles:
            if to_s is not None and to_s < since_s - _RECENT_S:
                continue
            if inhibit.about in trouble.hides:
                return FOREVER
            later_s += self._delay_s(trouble, inhibit.direction)
        return later_s

    def _delay_s(self, trouble: Any, direction: str) -> float:
        if direction == "discharge":
            return trouble.discharge_s
        if self.world.start.contactor and not self._is_welded():
            return min(trouble.charge_s, trouble.contactor_s)
        reverts = trouble.charge_s >= RECTIFIER_FORGETS_S
        if reverts and self.world.start.stored != "nothing":
            return FOREVER  # the documented hazard: it reverts to what is stored in it
        return trouble.charge_s

    def _is_welded(self) -> bool:
        """A contactor that does not part protects from nothing."""
        return any(trouble.name == "contactor_welded" for trouble, *_ in self.troubles)

    def _check_bounds(self) -> None:
        """The pack was never driven beyond its trip limits by more than a reaction allows."""
        high_v = max(_P.over_cell_v, self._start_over_v) + _BEYOND_V
        low_v = min(_P.under_cell_v, self._start_under_v) - _BEYOND_V
        if self._excused("cells"):
            return
        if self.max_v > high_v and self.world.charger_a > CHARGES_A:
            self._say("beyond_over", f"a true cell is at {self.max_v:.3f} V")
        if self.min_v < low_v and self.world.inverter_a > DISCHARGES_A:
            self._say("beyond_under", f"a true cell is at {self.min_v:.3f} V")

    def _check_ratings(self) -> None:
        """The converters' true currents stay within what the owner allows."""
        ratings = self.world.life.app.site.rules.ratings
        most_a = min(ratings.max_charge_a, ratings.max_module_a * len(self.world.modules))
        is_over = self.world.charger_a > most_a + _RATED_SLACK_A
        if not is_over or self._excused("rating"):
            self._over_since_s = None
            return
        self._over_since_s = self._over_since_s or self.world.now_s
        if self.world.now_s - self._over_since_s > 3.0:
            self._say("over_rating", f"the rectifier gives {self.world.charger_a:.1f} A")

    def _check_both_ways(self) -> None:
        """Charging with what the inverter takes out of the battery helps nobody."""
        both = self.world.charger_a > CHARGES_A and self.world.inverter_a > 1.0
        if not both or self._excused("both"):
            self._both_since_s = None
            return
        self._both_since_s = self._both_since_s or self.world.now_s
        if self.world.now_s - self._both_since_s > _BOTH_WAYS_S:
            self._say("both_ways", f"{self.world.charger_a:.1f} A in and out at once")

    def _excused(self, about: str) -> bool:
        now_s = self.world.now_s
        return any(
            about in trouble.hides
            or (about in {"cells", "rating", "both"} and trouble.charge_s >= RECTIFIER_FORGETS_S)
            for trouble, _, to_s, _ in self.troubles
            if to_s is None or to_s > now_s - _RECENT_S
        )

    def _say(self, name: str, text: str) -> None:
        if name not in {v.name for v in self.violations}:
            self.violations.append(Violation(name, self.world.now_s, text))
