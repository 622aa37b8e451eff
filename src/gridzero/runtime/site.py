"""A running house: gathers snapshots, ticks the controller, commands the devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gridzero.battery.battery import Battery
from gridzero.battery.seen import Seen
from gridzero.control.battery_flow import flow_of, told_of
from gridzero.control.controller import Controller
from gridzero.control.energy import GAP_S, Energy
from gridzero.control.identification import Identification
from gridzero.control.ledger import Ledger
from gridzero.control.probe import Probe
from gridzero.control.score import Score
from gridzero.control.telemetry import believable
from gridzero.domain.balancing import BalanceReason
from gridzero.domain.converters import Setpoint
from gridzero.domain.decision import Decision
from gridzero.domain.faults import FAULTS
from gridzero.domain.modes import Mode
from gridzero.domain.readings import ConverterState, CurrentReading, MeterReading, ModuleReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.domain.value import Outlook
from gridzero.ports.clock import Clock
from gridzero.ports.devices import Converter
from gridzero.runtime import decision_faults
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.full_charge import FullCharge
from gridzero.runtime.market import Market
from gridzero.runtime.pack_contactor import PackContactor
from gridzero.runtime.parts import Parts
from gridzero.runtime.production import Production
from gridzero.runtime.protection_faults import ProtectionFaults
from gridzero.runtime.rules import SiteRules
from gridzero.runtime.settings import Settings
from gridzero.runtime.trial import Trial

_TELEMETRY_STALE_S = 5.0
_BLEED_LEASE_S = 5.0
_PUNCTUAL_S = 0.001
_SURPLUS_W = 100.0
_MISSED = 3.0  # intervals of a slow meter


class Site:
    """Owns the decision state of one house. Nothing here waits for a device."""

    def __init__(
        self,
        parts: Parts,
        rules: SiteRules,
        settings: Settings,
        faults: FaultBook,
        clock: Clock,
        market: Market | None = None,
    ) -> None:
        """market: what energy is worth; None = nobody knows."""
        self.market = market
        self.parts, self.rules, self.settings, self.faults = parts, rules, settings, faults
        self.contactor: PackContactor | None = None
        self.production: Production | None = None
        self._clock = clock
        nominal = (
            {unit.name: unit.spec.dynamics for unit in parts.inverters},
            {unit.name: unit.spec.dynamics for unit in parts.chargers},
        )
        self._ledger = Ledger(*nominal)
        self.identification = Identification(self._ledger, *nominal)
        self.probe = Probe(self.identification)
        self._controller = Controller(
            rules.tuning, self._ledger, identification=self.identification, probe=self.probe
        )
        self.full_charge = FullCharge(settings, clock)
        self.trial = Trial(settings, clock)
        self.score = Score(self._ledger, rules.tuning.meter_hold_s)
        gap_s = max(GAP_S, _MISSED * parts.meter.interval_s)
        self.energy = Energy(self._ledger, self.score, gap_s)
        self.battery = Battery(rules.battery)
        self._protections = ProtectionFaults(self.battery, faults)
        # a protection that has tripped refuses its own directions: an overfull cell may be emptied
        self._latching = frozenset(FAULTS) - self.battery.rule_codes
        self._bled_s = float("-inf")
        self._telemetry_s: dict[str, float] = {}
        self._target_charge_w = 0.0
        self._target_until_s: float | None = None
        self._listeners: list[Callable[[Snapshot, Decision], None]] = []
        self.last: tuple[Snapshot, Decision] | None = None
        self._is_stopping = False
        self._started_s = clock.now_s()
        self.ticked_s = self._started_s - rules.protect_period_s
        parts.meter.on_reading(self._on_meter)
        for unit in (*parts.inverters, *parts.chargers):
            unit.on_sent(self._note_sent(unit.name))

    @property
    def is_stopping(self) -> bool:
        """Whether the way out has begun: nothing is decided any more."""
        return self._is_stopping

    def on_decision(self, listener: Callable[[Snapshot, Decision], None]) -> None:
        """Call listener after each tick."""
        self._listeners.append(listener)

    def retune(self, rules: SiteRules) -> None:
        """Other numbers from the next tick on. What the battery bears is not among them."""
        self.rules = replace(
            self.rules,
            tuning=rules.tuning,
            lease_s=rules.lease_s,
            protect_period_s=rules.protect_period_s,
            target_timeout_s=rules.target_timeout_s,
        )
        self._controller.retune(rules.tuning)
        self.score.count_for(rules.tuning.meter_hold_s)

    def ask_to_charge(self, power_w: float) -> None:
        """The target topic: charge with power_w until it is repeated or times out; <= 0 ends it."""
        self._target_charge_w = power_w
        ends_s = self._clock.now_s() + self.rules.target_timeout_s
        self._target_until_s = ends_s if power_w > 0 else None

    async def protect(self) -> None:
        """The timer that does not wait for the meter: limits, staleness, leases. Runs for ever.

        Ticks fall half-way between two meter messages rather than just before one, so that what
        they send does not hold up the answer to the next message.
        """
        while True:
            period_s = self.rules.protect_period_s
            rest_s = self.ticked_s + period_s - self._clock.now_s()
            if rest_s <= _PUNCTUAL_S or rest_s > period_s:
                self.tick()
                rest_s = period_s
            await self._clock.sleep_s(rest_s)

    def tick(self) -> Decision:
        """Look, decide, command."""
        self.settings.end_override()
        now = self._snapshot()
        decision = self._controller.tick(now)
        if now.prices is not None:
            self.score.tariff = now.prices
        self.full_charge.note(now)
        self.score.update(now, decision)
        self._command(now, decision)
        self._bleed(now)
        self.energy.update(now, decision)
        running_s = now.now_s - self._started_s
        present = decision_faults.present(now, decision, self.rules, running_s)
        self.faults.sync(decision_faults.CODES, present)
        self._protections.sync(now.condition.alarms)
        self.last = (now, decision)
        self.ticked_s = now.now_s
        for listener in self._listeners:
            listener(now, decision)
        return decision

    def _on_meter(self, _reading: MeterReading) -> None:
        if not self._is_stopping:  # the meter goes on to speak while devices are stopped
            self.tick()

    def _note_sent(self, name: str) -> Callable[[float, float], None]:
        def note(at_s: float, power_w: float) -> None:
            self._ledger.sent(name, at_s, power_w)
            self.identification.sent(name, at_s, power_w)

        return note

    def _snapshot(self) -> Snapshot:
        now_s = self._clock.now_s()
        modules = tuple(self.parts.cells.modules()) if self.parts.cells else ()
        chargers = tuple(self._view(unit, now_s) for unit in self.parts.chargers)
        inverters = tuple(self._view(unit, now_s) for unit in self.parts.inverters)
        shunt = self._shunt()
        condition = self.battery.update(self._seen(now_s, modules, shunt, chargers, inverters))
        return Snapshot(
            now_s=now_s,
            meter=self.parts.meter.latest(),
            battery=condition.view,
            modules=modules,
            limits=condition.limits,
            shunt=shunt,
            shunt_expected=self.parts.shunt is not None,
            chargers=chargers,
            inverters=inverters,
            wanted=self.trial.wanted(self.settings.wanted),
            target_charge_w=self._target_charge_w,
            target_until_s=self._target_until_s,
            blocked=self._blocked(),
            prices=self.market.prices() if self.market else None,
            outlook=self.market.outlook() if self.market else Outlook.UNKNOWN,
            full_charge=self.full_charge.is_on,
            condition=condition,
            pv_w=self.production.power_w() if self.production else None,
        )

    def _shunt(self) -> CurrentReading | None:
        """The shunt's last word, the other way round where a person has said so."""
        shunt = self.parts.shunt.latest() if self.parts.shunt else None
        if shunt is None or not self.settings.wanted.shunt_flipped:
            return shunt
        return replace(shunt, current_a=-shunt.current_a)

    def _seen(
        self,
        now_s: float,
        modules: tuple[ModuleReading, ...],
        shunt: CurrentReading | None,
        chargers: tuple[ConverterView, ...],
        inverters: tuple[ConverterView, ...],
    ) -> Seen:
        """What the battery is told: readings, and what the converters say of them."""
        commands_w = self.last[1].units if self.last else {}
        view = self.last[0].battery if self.last else None
        pack_v = view.pack_v if view else None
        told = told_of(chargers, inverters, commands_w, pack_v)
        return Seen(
            now_s=now_s,
            running_s=now_s - self._started_s,
            modules=modules,
            shunt=shunt,
            flow=flow_of(chargers, inverters, self._ledger, commands_w, pack_v, now_s),
            told_charge_a=told.charge_a if told else None,
            told_discharge_a=told.discharge_a if told else None,
            converter_v=_converter_volts((*chargers, *inverters), now_s),
            wants_charge=self._wants_charge(),
            balance=self._may_balance(),
            disobedient=self._disobedient(),
        )

    def _view(self, unit: Converter, now_s: float) -> ConverterView:
        reading = believable(unit.reading(), unit.spec, now_s)
        if reading is not None and reading.at_s > self._telemetry_s.get(unit.name, -1.0):
            self._telemetry_s[unit.name] = reading.at_s
            if reading.ac_w is not None:
                self._ledger.observed(unit.name, reading.at_s, reading.ac_w)
        late = reading is None or not now_s - reading.at_s <= _TELEMETRY_STALE_S
        silent = late and unit.telemetry_expected()
        if silent and unit in self.parts.chargers:
            self._ledger.unreachable(unit.name, now_s, self._unseen_charge_w(now_s))
        return ConverterView(
            name=unit.name, spec=unit.spec, state=unit.state, reading=reading, silent=silent
        )

    def _unseen_charge_w(self, now_s: float) -> float:
        """What a silent charger is taken to draw, W AC <= 0: what the shunt shows, else nothing.

        Without this the ledger would believe the last command for as long as the silence lasts.
        """
        shunt = self._shunt()
        view = self.last[0].battery if self.last else None
        if shunt is None or now_s - shunt.at_s > _TELEMETRY_STALE_S or view is None:
            return 0.0
        return min(0.0, shunt.current_a * (view.pack_v or 0.0))

    def _blocked(self) -> Because | None:
        if self.faults.needs_a_person_for(self._latching):
            return Because.FAULT_LATCHED
        if self.faults.stands("unexpected_module"):
            return Because.UNEXPECTED_MODULE
        is_open = self.contactor is not None and not self.contactor.carries
        return Because.CONTACTOR_OPEN if is_open else None

    def _command(self, now: Snapshot, decision: Decision) -> None:
        until_s = now.now_s + self.rules.lease_s
        limits = now.limits
        for unit in (*self.parts.inverters, *self.parts.chargers):
            unit.command(
                Setpoint(
                    power_w=decision.units.get(unit.name, 0.0),
                    until_s=until_s,
                    max_dc_a=limits.charge_a if limits else 0.0,
                    max_dc_v=limits.max_v if limits else None,
                )
            )

    def _bleed(self, now: Snapshot) -> None:
        """Pass on each new word of the balancer, about once a second."""
        balancing = now.condition.balancing
        if self.parts.cells is not None and balancing is not None and balancing.at_s > self._bled_s:
            self._bled_s = balancing.at_s
            self.parts.cells.bleed(balancing.cells, balancing.at_s + _BLEED_LEASE_S)

    def _wants_charge(self) -> bool:
        """Whether there would be something to charge with, could the battery take it.

        Not where a person forbids it: then heating for it would be in vain.
        """
        if self.last is None or not self.last[1].may_charge:
            return False
        net_w = self.last[1].net_load_w
        return self.last[1].wish_w < 0.0 or (net_w is not None and net_w < -_SURPLUS_W)

    def _may_balance(self) -> bool | BalanceReason:
        if self.settings.wanted.mode is Mode.OFF:
            return BalanceReason.MODE_OFF
        if self.settings.wanted.maintenance:
            return BalanceReason.MAINTENANCE
        return BalanceReason.FAULT if self._blocked() is not None else self.rules.balancing

    def _disobedient(self) -> list[str]:
        """Modules that bleed what nobody asked for."""
        faults = (fault for fault in self.faults.active if fault.code == "bleed_mismatch")
        return [fault.subject.rpartition(".")[2] for fault in faults]

    def stopping(self) -> None:
        """Decide no more; the last decision says so. Devices are stopped by the supervisor."""
        self._is_stopping = True
        if self.last is not None:
            now, decision = self.last
            ended = replace(decision, battery_w=0.0, because=Because.STOPPING, units={})
            self.last = (now, ended)


def _converter_volts(units: Iterable[ConverterView], now_s: float) -> dict[str, float]:
    """DC voltage as converters measure it, of those that run and spoke lately.

    The terminals of one that is off tell nothing of the battery: a contactor may lie between them.
    """
    return {
        unit.name: unit.reading.dc_v
        for unit in units
        if unit.state is ConverterState.RUNNING
        and unit.reading is not None
        and unit.reading.dc_v is not None
        and now_s - unit.reading.at_s <= _TELEMETRY_STALE_S
    }
