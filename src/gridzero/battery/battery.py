"""The battery as one machine: readings in, what is known of it and what it bears out.

The order matters. Readings are judged first, so that nothing rests on a lie; what is protected
looks at what is measured; estimates may only tighten. Balancing and ageing are slow: they are
looked at once a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from gridzero.battery.ageing.health import StateOfHealth
from gridzero.battery.ageing.spec import AgeingSpec
from gridzero.battery.balancing import BalancePlan, Balancer
from gridzero.battery.cells.model import CellModel
from gridzero.battery.estimation.estimator import Estimator
from gridzero.battery.estimation.settings import EstimatorSettings, Window
from gridzero.battery.last_full import LastFull
from gridzero.battery.limits import LimitKeeper, Ratings
from gridzero.battery.plausibility.judge import Plausibility
from gridzero.battery.profile import Profile
from gridzero.battery.protection.engine import Latched, Protection
from gridzero.battery.protection.watched import Watched
from gridzero.battery.seen import Seen
from gridzero.battery.thermal import Thermal, ThermalRules, cooled
from gridzero.battery.view import BatteryViewer
from gridzero.domain.ageing import HealthReport
from gridzero.domain.alarms import Level
from gridzero.domain.balancing import BalanceReason, BalancingState
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.charge import BatteryCharge
from gridzero.domain.condition import NOTHING_KNOWN, Condition
from gridzero.domain.thermal import ThermalState
from gridzero.domain.trust import Trust

_SLOW_S = 1.0
_PACE = EstimatorSettings(period_s=0.95)  # every second poll: cells change over many seconds
_CHARGE_HOLDS_S = 5.0
_REST_A_PER_MODULE = 0.5
_CALIBRATE_S = 3600.0
_HELPED_BY_BLEEDING = frozenset({"cell_over", "cell_spread"})
_HEAT_CODES = frozenset({"self_heating", "heater_useless"})
_SURE_PART = 0.06
_NEARLY_FULL_V = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRules:
    """What kind of battery it is. module_ah: nominal capacity of one module, Ah."""

    profile: Profile
    ratings: Ratings
    cell: CellModel
    module_ah: float
    plan: BalancePlan = field(default_factory=BalancePlan)
    has_heater: bool = False


class Battery:
    """Call ``update`` at every tick; nothing here waits, and nothing raises for a reading.

    rule_codes: faults of its protections, which refuse their own directions. codes: those, and
    what is said of its heat.
    """

    def __init__(self, rules: BatteryRules) -> None:
        self._rules = rules
        self.rule_codes = frozenset(rule.code for rule in rules.profile.rules)
        self.codes = _HEAT_CODES | self.rule_codes
        self._plausibility = Plausibility()
        self._viewer = BatteryViewer(rules.profile)
        self._estimator = Estimator(rules.cell, Window.of(rules.profile), _PACE)
        self._protection = Protection(rules.profile.rules)
        self._limits = LimitKeeper(rules.profile, rules.ratings)
        self._balancer = Balancer(rules.plan)
        self._last_full = LastFull(rules.profile.full_charge_days)
        self._health = StateOfHealth(AgeingSpec(module_ah=rules.module_ah))
        self._thermal = Thermal(
            ThermalRules(full_a=rules.ratings.max_module_a, has_heater=rules.has_heater)
        )
        self._balancing: BalancingState | None = None
        self._warmth: ThermalState | None = None
        self._slow_s = self._calibrated_s = float("-inf")
        self._last = NOTHING_KNOWN

    def update(self, seen: Seen) -> Condition:
        """What the battery is and bears now."""
        now_s = seen.now_s
        trust = self._plausibility.update(seen.modules, seen.shunt, seen.flow, now_s=now_s)
        view = self._viewer.view(seen.modules, now_s, trust)
        charge = self._estimate(seen, trust)
        if not now_s - self._slow_s < _SLOW_S:
            self._slow_s = now_s
            self._look_slowly(seen, trust, charge)
        alarms = self._protection.update(self._watched(seen, view, trust, charge))
        if self._warmth is not None and self._warmth.alarms:
            alarms = (*self._warmth.alarms, *alarms)
        limits = self._limits.update(view, now_s, charge, alarms)
        self._last = Condition(
            view=view,
            limits=self._cooled(limits, view),
            trust=trust,
            charge=charge,
            alarms=alarms,
            balancing=self._balancing,
            thermal=self._warmth,
            full_ago_s=self._last_full.ago_s,
            full_charge_due=self._last_full.is_due,
        )
        return self._last

    # --- people -------------------------------------------------------------------------------

    def health(self) -> HealthReport:
        """State of health and what to look after; made anew at each call."""
        return self._health.report()

    def balance_now(self, now_s: float) -> None:
        """A person asks to balance outside the usual window."""
        self._balancer.force(now_s)

    def end_balancing(self) -> None:
        """End what ``balance_now`` began."""
        self._balancer.cancel()

    def begin_from_voltage(self) -> None:
        """A person does not believe the counted state of charge: forget it."""
        self._estimator.begin_anew()

    def take_for_full(self) -> str | None:
        """A person says that it is full; returns why that cannot be, None when it was taken."""
        max_v, full_v = self._max_v, self._rules.profile.full_cell_v
        if max_v is None:
            return "the highest cell is not known"
        if not max_v >= full_v - _NEARLY_FULL_V:
            return f"the highest cell has {max_v:.3f} V, a full one {full_v:.2f} V"
        self._estimator.take_for_full()
        return None

    def charge_again(self) -> str | None:
        """A person ends the wait after full; returns why that cannot be, None when it was done."""
        max_v, full_v = self._max_v, self._rules.profile.full_cell_v
        if max_v is None or not max_v < full_v:
            return "the highest cell is still full, or not known"
        if not self._limits.end_full():
            return "the battery is not waiting after a full charge"
        return None

    def shunt_was_turned(self) -> None:
        """What was learned of the shunt's offset and sign counts no more."""
        self._plausibility.forget_shunt()

    # --- trips that outlive their cause -------------------------------------------------------

    @property
    def latched(self) -> tuple[Latched, ...]:
        """Trips that only a person can end, standing or over."""
        return self._protection.latched

    def relatch(self, rows: Iterable[tuple[str, str, str, str]]) -> tuple[str, ...]:
        """Take up rows of ``latched`` from before a restart; returns what is not known."""
        return self._protection.restore(rows)

    def acknowledge(self, code: str) -> None:
        """A person has looked at a trip whose cause is gone."""
        self._protection.acknowledge(code)
        if code in _HEAT_CODES:
            self._thermal.acknowledge()

    @property
    def _max_v(self) -> float | None:
        return self._last.view.max_cell_v if self._last.view else None

    # --- inside -------------------------------------------------------------------------------

    def _estimate(self, seen: Seen, trust: Trust) -> BatteryCharge | None:
        if seen.shunt_a is None or trust.shunt_stuck:  # the converters' word has its own errors
            seen = replace(seen, shunt=None)
            trust = replace(trust, shunt_offset_a=None, shunt_sign_wrong=False)
        charge = self._estimator.update(
            seen.modules, seen.current_a, seen.current_sigma_a, seen.now_s, trust
        )
        if charge is None or not seen.now_s - charge.at_s <= _CHARGE_HOLDS_S:
            return None
        return charge

    def _cooled(self, limits: CurrentLimits, view: BatteryView | None) -> CurrentLimits:
        if self._warmth is None or view is None:
            return limits
        return cooled(limits, self._warmth, self._rules.ratings.max_module_a * view.healthy)

    def _watched(
        self, seen: Seen, view: BatteryView | None, trust: Trust, charge: BatteryCharge | None
    ) -> Watched:
        asked = self._balancing.cells if self._balancing else {}
        return Watched(
            now_s=seen.now_s,
            view=view,
            modules=seen.modules,
            ratings=self._rules.ratings,
            running_s=seen.running_s,
            trust=trust,
            charge=charge,
            shunt=seen.shunt,
            limits=self._last.limits,
            told_charge_a=seen.told_charge_a,
            told_discharge_a=seen.told_discharge_a,
            bleed_told=asked,
            converter_v=seen.converter_v,
        )

    def _look_slowly(self, seen: Seen, trust: Trust, charge: BatteryCharge | None) -> None:
        self._balancing = self._balancer.update(
            seen.now_s,
            seen.modules,
            charge,
            trust,
            allowed=BalanceReason.FAULT if self._is_hurt() else seen.balance,
            rest=self._is_at_rest(seen),
            disobedient=seen.disobedient,
        )
        self._warmth = self._thermal.update(
            seen.now_s, seen.modules, charge, seen.current_a, wants_charge=seen.wants_charge
        )
        self._last_full.note(seen.now_s, is_full=charge is not None and charge.is_full)
        if charge is None:
            return
        self._health.update(charge, seen.modules, seen.current_a, trust, seen.now_s)
        if not seen.now_s - self._calibrated_s < _CALIBRATE_S:
            self._calibrated_s = seen.now_s
            self._calibrate(charge)

    def _is_hurt(self) -> bool:
        """A trip forbids bleeding as well, unless bleeding is what helps."""
        alarms = self._last.alarms
        return any(a.level is Level.TRIP and a.code not in _HELPED_BY_BLEEDING for a in alarms)

    def _is_at_rest(self, seen: Seen) -> bool:
        """Hardly any current in each module, by a shunt that is alive."""
        amps = seen.shunt_a
        return amps is not None and abs(amps) <= _REST_A_PER_MODULE * max(1, len(seen.modules))

    def _calibrate(self, charge: BatteryCharge) -> None:
        """Let the estimator know what ageing has shown, as far as that is sure."""
        for name, module in charge.modules.items():
            cells = [self._health.counting_ah(name, place) for place in range(len(module.cells))]
            sure = [
                ah.value for ah in cells if ah is not None and ah.sigma <= _SURE_PART * ah.value
            ]
            if sure and len(sure) == len(cells):
                self._estimator.calibrate(name, capacity_ah=sure)

    # --- memory -------------------------------------------------------------------------------

    def charge_to_dict(self) -> dict[str, Any]:
        """The charge of each cell, as plain values."""
        return self._estimator.to_dict()

    def restore_charge(self, charge: object, age_s: float) -> list[str]:
        """Take back a newer charge than ``restore`` had; returns what did not fit and why."""
        refused = self._estimator.restore(charge, age_s)
        return [f"charge of {name}: {why}" for name, why in refused.items()]

    def to_dict(self) -> dict[str, Any]:
        """Everything learned, as plain values."""
        return {
            "charge": self.charge_to_dict(),
            "ageing": self._health.to_dict(),
            "balancing": self._balancer.to_dict(self._slow_s),
            "thermal": self._thermal.to_dict(),
            "full": self._last_full.to_dict(),
        }

    def restore(self, stored: dict[str, Any], age_s: float) -> list[str]:
        """Take back what was stored age_s ago; returns what did not fit and why."""
        reasons = self.restore_charge(stored.get("charge"), age_s)
        reasons += self._health.restore(_section(stored, "ageing"), age_s)
        self._last_full.restore(_section(stored, "full"), age_s)
        for name, part in (("balancing", self._balancer), ("thermal", self._thermal)):
            try:
                part.restore(_section(stored, name))
            except ValueError as error:
                reasons.append(f"{name}: {error}")
        return reasons


def _section(stored: dict[str, Any], name: str) -> dict[str, Any]:
    section = stored.get(name)
    return section if isinstance(section, dict) else {}
