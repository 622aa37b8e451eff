"""gridzero's own controller, with a healthy battery around it.

Set-points, ledger and telemetry reach it as in a running site: the soyosource driver turns AC
output into demand with the nominal gain and tells the ledger what it sent; the rectifier reports
its power once a second; the timer is the site's protect period.
"""

from __future__ import annotations

from dataclasses import replace

from gridzero.bench.control.laws.law import OutputReport, Setting
from gridzero.bench.control.plants import RectifierRow
from gridzero.control.controller import Controller
from gridzero.control.identification import Identification
from gridzero.control.ledger import Ledger
from gridzero.control.switches import ALL_ON, Switches
from gridzero.control.tuning import Tuning
from gridzero.domain.battery import BatteryView, CurrentLimits
from gridzero.domain.converters import ConverterSpec, Dynamics
from gridzero.domain.decision import Decision
from gridzero.domain.modes import Wanted
from gridzero.domain.readings import ConverterState, MeterReading
from gridzero.domain.reasons import Because
from gridzero.domain.snapshot import ConverterView, Snapshot
from gridzero.domain.value import Outlook, Prices

_GAIN = 0.96
_LEAST_DEMAND_W = 27.0
_NO_CURRENT_W = 95.0  # 2 A, from which on its driver calls it stopped
_BATTERY = BatteryView(
    min_cell_v=3.7,
    max_cell_v=3.7,
    min_cell="a1.1",
    max_cell="a1.2",
    pack_v=44.4,
    volt_age_s=0.0,
    low_c=20.0,
    high_c=20.0,
    temp_age_s=0.0,
    modules=9,
    healthy=9,
    silent=(),
    no_temp=(),
    suspects=(),
    implausible=(),
)
_NO_LIMIT = CurrentLimits(
    charge_a=300.0,
    discharge_a=300.0,
    charge_because=Because.CURRENT_LIMIT,
    discharge_because=Because.CURRENT_LIMIT,
    max_v=49.2,
)
_WANTED = Wanted()


class Ours:
    """Meets law.Law, HearsSent and HearsOutput. tuning: what the owner may set.

    prices, outlook: what a house with these would know of the value of energy.
    """

    timer_s: float | None = 0.25
    report_s = 1.0
    report_age_s = 0.1

    def __init__(
        self,
        setting: Setting,
        tuning: Tuning | None = None,
        switches: Switches = ALL_ON,
        *,
        prices: Prices | None = None,
        outlook: Outlook = Outlook.UNKNOWN,
    ) -> None:
        self._prices, self._outlook = prices, outlook
        inverter, charger = _inverter(setting), _charger(setting)
        self._latency_s = setting.meter.latency_s + setting.meter.jitter_s / 2
        self._meter: MeterReading | None = None
        self._inverters = (inverter,)
        self._chargers: tuple[ConverterView, ...] = (charger,) if charger else ()
        self._rectifier = RectifierWord(setting.plant.rectifier)
        nominal = (
            {unit.name: unit.spec.dynamics for unit in self._inverters},
            {unit.name: unit.spec.dynamics for unit in self._chargers},
        )
        self._ledger = Ledger(*nominal)
        self.identification = Identification(self._ledger, *nominal)
        self._controller = Controller(
            tuning or _tuning(setting), self._ledger, switches, self.identification
        )

    def on_meter(self, now_s: float, grid_w: float) -> None:
        """See law.Law."""
        self._meter = MeterReading(now_s - self._latency_s, now_s, grid_w)

    def command(self, now_s: float) -> float:
        """See law.Law."""
        decision = self.decide(self._snapshot(now_s))
        if decision.battery_w < 0.0:
            return -decision.units["charger"]
        return decision.units["inverter"] / _GAIN

    def decide(self, now: Snapshot) -> Decision:
        """One tick of the controller."""
        return self._controller.tick(now)

    def on_sent(self, now_s: float, inverter_w: float | None, charger_w: float | None) -> None:
        """See law.HearsSent."""
        if inverter_w is not None:
            self._sent("inverter", now_s, inverter_w * _GAIN)
        if charger_w is not None:
            self._rectifier.sent(now_s, charger_w)
            self._sent("charger", now_s, -charger_w)

    def _sent(self, name: str, now_s: float, power_w: float) -> None:
        self._ledger.sent(name, now_s, power_w)
        self.identification.sent(name, now_s, power_w)

    def on_output(self, _now_s: float, report: OutputReport) -> None:
        """Only the rectifier answers; many of the inverters never do."""
        if not self._chargers:
            return
        self._ledger.observed("charger", report.at_s, -report.charger_w)
        self._rectifier.heard(report)

    def _snapshot(self, now_s: float) -> Snapshot:
        return Snapshot(
            now_s=now_s,
            meter=self._meter,
            battery=_BATTERY,
            modules=(),
            limits=_NO_LIMIT,
            shunt=None,
            shunt_expected=False,
            chargers=self._charger_views(now_s),
            inverters=self._inverters,
            wanted=_WANTED,
            prices=self._prices,
            outlook=self._outlook,
        )

    def _charger_views(self, now_s: float) -> tuple[ConverterView, ...]:
        """As they were, unless the state has changed."""
        state = self._rectifier.state(now_s)
        if self._chargers and self._chargers[0].state is not state:
            self._chargers = tuple(replace(unit, state=state) for unit in self._chargers)
        return self._chargers


class RectifierWord:
    """What the rectifier's driver would say it is doing.

    Stopping until a report from after the stop shows no more current.
    """

    def __init__(self, row: RectifierRow | None) -> None:
        self._start_s = row.start_s if row else 0.0
        self._sent_w = 0.0
        self._since_s = float("-inf")
        self._stopping = False

    def sent(self, now_s: float, power_w: float) -> None:
        """A set-point left."""
        if (power_w > 0.0) != (self._sent_w > 0.0):
            self._since_s, self._stopping = now_s, power_w == 0.0
        self._sent_w = power_w

    def heard(self, report: OutputReport) -> None:
        """It reported its power."""
        if self._stopping and report.at_s > self._since_s and report.charger_w < _NO_CURRENT_W:
            self._stopping = False

    def state(self, now_s: float) -> ConverterState:
        """As ports.devices.Converter tells it."""
        if self._sent_w > 0.0:
            starting = now_s - self._since_s < self._start_s
            return ConverterState.STARTING if starting else ConverterState.RUNNING
        return ConverterState.STOPPING if self._stopping else ConverterState.OFF


def _tuning(setting: Setting) -> Tuning:
    """The defaults; a slow meter needs its own ages, as its owner would set them."""
    period_s = setting.meter.period_s + setting.meter.latency_s
    return Tuning(meter_hold_s=max(1.5, 2.0 * period_s), meter_lost_s=max(10.0, 5.0 * period_s))


def _inverter(setting: Setting) -> ConverterView:
    row = setting.plant.inverter
    spec = ConverterSpec(
        min_w=_LEAST_DEMAND_W * row.units * _GAIN,
        max_w=row.max_w * _GAIN,
        efficiency=0.854,
        dynamics=setting.plant.told,
    )
    return _view("inverter", spec)


def _charger(setting: Setting) -> ConverterView | None:
    row = setting.plant.rectifier
    if row is None:
        return None
    dynamics = Dynamics(
        dead_time_s=row.dead_s,
        jump_w=row.min_w,
        rise_w_per_s=row.rise_w_per_s,
        fall_w_per_s=min(row.fall_w_per_s, 20_000.0),
        start_s=row.start_s,
    )
    return _view(
        "charger",
        ConverterSpec(min_w=row.min_w, max_w=row.max_w, efficiency=0.95, dynamics=dynamics),
    )


def _view(name: str, spec: ConverterSpec) -> ConverterView:
    return ConverterView(
        name=name, spec=spec, state=ConverterState.RUNNING, reading=None, silent=False
    )
