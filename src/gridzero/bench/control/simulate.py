"""One law on one plant against one trace."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from gridzero.bench.control.converters import (
    STEP_S,
    Inverter,
    InverterWire,
    Rectifier,
    RectifierWire,
)
from gridzero.bench.control.laws.law import (
    HearsOutput,
    HearsSent,
    Law,
    LawRow,
    OutputReport,
    SeesLoad,
    Setting,
)
from gridzero.bench.control.plants import MeterRow
from gridzero.bench.control.traces import dice_of

_HAIR = 1e-6
_SPIKE_W = 2000.0
_REPEATS_WITHIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Run:
    """What happened. battery_w[k]: AC at k x STEP_S, > 0 discharge. starts: of converters."""

    setting: Setting
    battery_w: array[float]
    starts: int


def simulate(row: LawRow, setting: Setting, seed: int) -> Run:
    """Run a law from rest. The meter's noise depends on the seed alone."""
    bench = _Bench(row.make(setting), setting, seed)
    battery_w = bench.run()
    return Run(setting, battery_w, bench.starts)


class _Message(NamedTuple):
    """grid_w: as measured. net_load_w: the truth, for those who know too much."""

    arrives_s: float
    grid_w: float
    net_load_w: float


class _Meter:
    """Samples due, and messages on their way, the next to arrive first.

    Noise and defects have dice of their own: what befalls a message does not change the noise.
    """

    def __init__(self, row: MeterRow, seed: int) -> None:
        self._row = row
        self._dice = dice_of("meter", row.name, seed)
        self._fate = dice_of("fate", row.name, seed)
        self._whole = not (row.lost or row.repeated or row.spike_every_s) and row.in_order
        self.next_s = 0.0
        self.on_the_way: deque[_Message] = deque()

    def measure(self, now_s: float, grid_w: float, net_load_w: float) -> None:
        """Take a sample and send it off."""
        row, dice = self._row, self._dice
        noisy_w = grid_w + dice.gauss(0.0, row.noise_w)
        shown_w = round(noisy_w / row.quantum_w) * row.quantum_w
        message = _Message(
            now_s + row.latency_s + dice.random() * row.jitter_s, shown_w, net_load_w
        )
        self.next_s += row.period_s
        if self._whole:
            self.on_the_way.append(message)
        else:
            self._befall(message)

    def _befall(self, message: _Message) -> None:
        """Send it through what spoils, drops, repeats and shuffles."""
        row, fate = self._row, self._fate
        if row.spike_every_s and fate.random() < row.period_s / row.spike_every_s:
            wrong_w = fate.choice((message.grid_w + _SPIKE_W, message.grid_w - _SPIKE_W, 0.0))
            message = message._replace(grid_w=wrong_w)
        if fate.random() < row.lost:
            return
        self._enqueue(message)
        if fate.random() < row.repeated:
            again_s = message.arrives_s + fate.random() * _REPEATS_WITHIN_S
            self._enqueue(message._replace(arrives_s=again_s))

    def _enqueue(self, message: _Message) -> None:
        self.on_the_way.append(message)
        if not self._row.in_order:
            self.on_the_way = deque(sorted(self.on_the_way))


class _Bench:
    def __init__(self, law: Law, setting: Setting, seed: int) -> None:
        plant = setting.plant
        self._law, self._setting = law, setting
        self._meter = _Meter(setting.meter, seed)
        self._inverter = Inverter(plant.inverter)
        self._rectifier = Rectifier(plant.rectifier) if plant.rectifier else None
        self._inverter_wire = InverterWire(plant.inverter)
        self._rectifier_wire = RectifierWire(plant.rectifier) if plant.rectifier else None
        self._hears_output = law if isinstance(law, HearsOutput) else None
        self._hears_sent = law if isinstance(law, HearsSent) else None
        self._sees_load = law if isinstance(law, SeesLoad) else None
        self._reports: deque[tuple[float, OutputReport]] = deque()
        self._report_s = 0.0
        self._timer_s = 0.0
        self._command_w = 0.0

    @property
    def starts(self) -> int:
        """Starts of both converters."""
        return self._inverter.starts + (self._rectifier.starts if self._rectifier else 0)

    def run(self) -> array[float]:
        """Battery power at each step."""
        battery_w: array[float] = array("d")
        inverter, rectifier, meter = self._inverter, self._rectifier, self._meter
        wire, sent_w = self._inverter_wire, float("nan")
        timed, hears = self._law.timer_s is not None, self._hears_output is not None
        for step, net_load_w in enumerate(self._setting.trace.net_load_w):
            now_s = step * STEP_S
            hair_s = now_s + _HAIR
            own_w = inverter.step(now_s)
            if rectifier is not None:
                own_w -= rectifier.step(now_s)
            battery_w.append(own_w)
            if hears:
                self._report(now_s)
            if meter.next_s <= hair_s:
                meter.measure(now_s, net_load_w - own_w, net_load_w)
            while meter.on_the_way and meter.on_the_way[0].arrives_s <= hair_s:
                self._message(now_s, meter.on_the_way.popleft())
            if timed and self._timer_s <= hair_s:
                self._timer(now_s)
            command_w = self._command_w
            if command_w != sent_w or now_s >= wire.due_s:
                self._send(now_s)
                sent_w = command_w
        return battery_w

    def _message(self, now_s: float, message: _Message) -> None:
        if self._sees_load is not None:
            self._sees_load.on_load(now_s, message.net_load_w)
        self._law.on_meter(now_s, message.grid_w)
        self._command_w = self._law.command(now_s)

    def _timer(self, now_s: float) -> None:
        self._timer_s += self._law.timer_s or 0.0
        self._command_w = self._law.command(now_s)

    def _report(self, now_s: float) -> None:
        law, reports = self._hears_output, self._reports
        if law is None:
            return
        if self._report_s <= now_s + _HAIR:
            charger_w = self._rectifier.output_w if self._rectifier else 0.0
            report = OutputReport(now_s, self._inverter.output_w, charger_w)
            reports.append((now_s + law.report_age_s, report))
            self._report_s += law.report_s
        while reports and reports[0][0] <= now_s + _HAIR:
            law.on_output(now_s, reports.popleft()[1])

    def _send(self, now_s: float) -> None:
        command_w = self._command_w
        demand_w = self._inverter_wire.frame(now_s, max(0.0, command_w))
        charge_w = None
        if self._rectifier_wire is not None and self._rectifier is not None:
            charge_w = self._rectifier_wire.frame(max(0.0, -command_w))
            if charge_w is not None:
                self._rectifier.sent(now_s, charge_w)
        if demand_w is not None:
            self._inverter.sent(now_s, demand_w)
        if self._hears_sent is not None and (demand_w is not None or charge_w is not None):
            self._hears_sent.on_sent(now_s, demand_w, charge_w)
