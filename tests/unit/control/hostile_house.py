"""A small house in steps of 0.1 s whose meter, telemetry, limits, wires and owner misbehave."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from math import inf, nan
from random import Random
from typing import NamedTuple

from conftest import LIMITS, VIEW

from gridzero.bench.control.converters import STEP_S, Inverter, Rectifier
from gridzero.bench.control.plants import InverterRow, RectifierRow
from gridzero.control.controller import Controller
from gridzero.control.identification import Identification
from gridzero.control.ledger import Ledger
from gridzero.control.probe import Probe
from gridzero.control.telemetry import believable
from gridzero.control.tuning import Tuning
from gridzero.domain.battery import CurrentLimits
from gridzero.domain.converters import ConverterSpec, Dynamics
from gridzero.domain.decision import Decision
from gridzero.domain.modes import Mode, Wanted
from gridzero.domain.readings import (
    ConverterReading,
    ConverterState,
    CurrentReading,
    MeterReading,
)
from gridzero.domain.snapshot import ConverterView, Snapshot

PACK_V = 44.4
TICK_STEPS, METER_STEPS, TELEMETRY_STEPS = 2, 5, 10
LATENCY_STEPS = 3
_KEEP_ALIVE_STEPS = 5
_STALE_S = 5.0
_NO_CURRENT_W = 60.0
_NOISE_W = 2.0  # a meter that never moves is asked whether it is frozen

_INVERTER = InverterRow(gain=1.0)
_RECTIFIER = RectifierRow(start_s=4.0)
_DYNAMICS = Dynamics(dead_time_s=0.3, jump_w=57.0, rise_w_per_s=75.0, fall_w_per_s=100.0)
_FAST = Dynamics(
    dead_time_s=0.5, jump_w=48.0, rise_w_per_s=240.0, fall_w_per_s=20_000.0, start_s=4.0
)
_INVERTER_SPEC = ConverterSpec(min_w=27.0, max_w=900.0, efficiency=0.854, dynamics=_DYNAMICS)
_CHARGER_SPEC = ConverterSpec(min_w=48.0, max_w=2800.0, efficiency=0.95, dynamics=_FAST)


class Trouble(NamedTuple):
    """kind: a word that HostileHouse knows. size: W, s or a number of choice, by kind."""

    kind: str
    start_s: float
    length_s: float
    size: float

    @property
    def ends_s(self) -> float:
        return self.start_s + self.length_s


METER_KINDS = ("spike", "constant", "flip", "repeat", "twice", "shuffled")
CLOCK_KINDS = ("ahead", "behind", "received_ahead", "received_behind")
GONE_KINDS = ("gap", "nan", "inf", "minus_inf")
CONVERTER_KINDS = ("ignore", "halve", "delay", "restart", "charger_ignore", "charger_delay")
TELEMETRY_KINDS = ("told_nan", "told_none", "told_huge", "told_ahead", "told_nothing")
SHUNT_KINDS = ("shunt_nan", "shunt_huge", "shunt_opposite", "shunt_gone", "shunt_ahead")
LIMIT_KINDS = ("limits_nan", "limits_zero", "limits_flutter", "limits_gone", "volts_nan")
OWNER_KINDS = ("mode", "target", "identify", "target_nan", "power_nan", "charge_topic")
KINDS = (
    *METER_KINDS,
    *CLOCK_KINDS,
    *GONE_KINDS,
    *CONVERTER_KINDS,
    *TELEMETRY_KINDS,
    *SHUNT_KINDS,
    *LIMIT_KINDS,
    *OWNER_KINDS,
)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick looked at and decided, and what was true then."""

    now: Snapshot
    decision: Decision
    grid_w: float


class _Wire:
    """Sends what changes at once and the rest every half second; troubles change what arrives."""

    def __init__(self, unit: Inverter | Rectifier) -> None:
        self.unit = unit
        self.sent_w = 0.0
        self._quiet_steps = 0

    def send(self, at_s: float, power_w: float, *, factor: float, late_s: float) -> bool:
        """Returns whether a frame left. factor: 0 loses it on the way."""
        self._quiet_steps += 1
        if power_w == self.sent_w and self._quiet_steps < _KEEP_ALIVE_STEPS:
            return False
        self.sent_w, self._quiet_steps = power_w, 0
        if factor > 0.0:
            self.unit.sent(at_s + late_s, factor * power_w)
        return True


class HostileHouse:
    """load_w: without the battery, W, < 0 surplus. tick by tick; see steps()."""

    def __init__(self, load_w: float, troubles: list[Trouble], inverters: int = 1) -> None:
        self.now_s = 0.0
        self.load_w = load_w
        self.troubles = troubles
        names = ("inverter", "other")[:inverters]
        self._step = 0
        self._random = Random(7)
        self._inverters = {name: _Wire(Inverter(_INVERTER)) for name in names}
        self._charger = _Wire(Rectifier(_RECTIFIER))
        nominal = (dict.fromkeys(names, _DYNAMICS), {"charger": _FAST})
        self.ledger = Ledger(*nominal)
        self.identification = Identification(self.ledger, *nominal)
        self.probe = Probe(self.identification)
        self.controller = Controller(
            Tuning(), self.ledger, identification=self.identification, probe=self.probe
        )
        self._past_w: deque[float] = deque([load_w], maxlen=LATENCY_STEPS + 1)
        self._meter: MeterReading | None = None
        self._report: ConverterReading | None = None
        self._reported_s = -inf
        self._shunt = CurrentReading(0.0, 0.0)
        self._given_w = self._taken_w = 0.0

    @property
    def grid_w(self) -> float:
        return self._past_w[-1]

    def run(self, until_s: float) -> list[Tick]:
        """Go on; what every tick was."""
        ticks = []
        while self.now_s < until_s:
            ticks += self._advance()
        return ticks

    def _advance(self) -> list[Tick]:
        self._step += 1
        self.now_s = self._step * STEP_S
        self._move()
        if self._step % TELEMETRY_STEPS == 0:
            self._tell()
        ticks = []
        if self._step % METER_STEPS == 0:
            for reading in self._readings():
                self._meter = reading
                ticks.append(self._tick())
        elif self._step % TICK_STEPS == 0:
            ticks.append(self._tick())
        return ticks

    def _active(self, *kinds: str) -> Trouble | None:
        return next(
            (t for t in self.troubles if t.kind in kinds and t.start_s <= self.now_s < t.ends_s),
            None,
        )

    # --- what is true ---------------------------------------------------------------------------

    def _move(self) -> None:
        restart = self._active("restart")
        self._given_w = 0.0
        for wire in self._inverters.values():
            unit = wire.unit
            if restart is not None:  # it has lost all, also what it was told
                unit.sent(self.now_s, 0.0)
            self._given_w += unit.step(self.now_s)
        self._taken_w = self._charger.unit.step(self.now_s)
        self._past_w.append(self.load_w - self._given_w + self._taken_w)
        self._shunt = self._measure()

    def _measure(self) -> CurrentReading:
        watts = self._given_w / _INVERTER_SPEC.efficiency
        watts -= self._taken_w * _CHARGER_SPEC.efficiency
        return CurrentReading(self.now_s - 0.05, watts / PACK_V)

    # --- what is told ---------------------------------------------------------------------------

    def _readings(self) -> list[MeterReading]:
        """What the meter sends now; several at once, or nothing."""
        if self._active("gap"):
            return []
        at_s, received_s = self.now_s - LATENCY_STEPS * STEP_S, self.now_s
        grid_w = float(round(self._past_w[0] + self._random.gauss(0.0, _NOISE_W)))
        number = self._step // METER_STEPS
        if (trouble := self._active("spike")) and number % 4 == 0:
            grid_w += trouble.size
        if trouble := self._active("constant"):
            grid_w = trouble.size
        if self._active("flip"):
            grid_w = -grid_w
        for kind, value_w in (("nan", nan), ("inf", inf), ("minus_inf", -inf)):
            grid_w = value_w if self._active(kind) else grid_w
        if trouble := self._active("ahead", "behind"):
            at_s += abs(trouble.size) if trouble.kind == "ahead" else -abs(trouble.size)
        if trouble := self._active("received_ahead", "received_behind"):
            ahead = trouble.kind == "received_ahead"
            received_s += abs(trouble.size) if ahead else -abs(trouble.size)
        if self._active("shuffled") and number % 2:
            at_s -= 1.3
        reading = MeterReading(at_s, received_s, grid_w)
        if self._active("repeat") and self._meter is not None:
            reading = replace(reading, grid_w=self._meter.grid_w)
        return [reading, replace(reading)] if self._active("twice") else [reading]

    def _tell(self) -> None:
        """The rectifier reports; the inverters never do."""
        if self._active("told_nothing"):
            return
        taken_w: float | None = -self._taken_w
        at_s = self.now_s - 0.1
        amps: float | None = -self._taken_w * _CHARGER_SPEC.efficiency / PACK_V
        if self._active("told_nan"):
            taken_w = amps = nan
        if trouble := self._active("told_huge"):
            taken_w = amps = 1e4 * trouble.size
        if self._active("told_none"):
            taken_w = amps = None
        if trouble := self._active("told_ahead"):
            at_s += abs(trouble.size)
        self._report = ConverterReading(at_s=at_s, ac_w=taken_w, dc_v=PACK_V, dc_a=amps)

    def _shunt_says(self) -> CurrentReading | None:
        reading = self._shunt
        if self._active("shunt_gone"):
            return None
        if self._active("shunt_nan"):
            return replace(reading, current_a=nan)
        if trouble := self._active("shunt_huge"):
            return replace(reading, current_a=1e3 * trouble.size)
        if self._active("shunt_opposite"):
            return replace(reading, current_a=-reading.current_a)
        if trouble := self._active("shunt_ahead"):
            return replace(reading, at_s=reading.at_s + abs(trouble.size))
        return reading

    def _limits(self) -> CurrentLimits | None:
        if self._active("limits_gone"):
            return None
        if self._active("limits_nan"):
            return replace(LIMITS, charge_a=nan, discharge_a=nan)
        if self._active("limits_zero"):
            return replace(LIMITS, charge_a=0.0, discharge_a=0.0)
        if self._active("limits_flutter"):
            amps = 5.0 * (self._step // 7 % 4)
            return replace(LIMITS, charge_a=amps, discharge_a=amps)
        return LIMITS

    def _wanted(self) -> Wanted:
        if trouble := self._active("mode"):
            mode = list(Mode)[int(abs(trouble.size)) % len(Mode)]
            return Wanted(mode=mode, power_w=abs(trouble.size))
        if trouble := self._active("target"):
            return Wanted(target_w=trouble.size)
        if self._active("target_nan"):
            return Wanted(target_w=nan)
        if trouble := self._active("power_nan"):
            return Wanted(mode=Mode.CHARGE if trouble.size > 0 else Mode.HOLD, power_w=nan)
        return Wanted()

    # --- gridzero -------------------------------------------------------------------------------

    def _tick(self) -> Tick:
        now = self._snapshot()
        decision = self.controller.tick(now)
        if self._active("identify") and not self.probe.is_running:
            self.probe.start(list(self._inverters), self.now_s)
        self._command(decision)
        return Tick(now, decision, self.grid_w)

    def _snapshot(self) -> Snapshot:
        topic = self._active("charge_topic")
        return Snapshot(
            now_s=self.now_s,
            meter=self._meter,
            battery=replace(VIEW, pack_v=nan) if self._active("volts_nan") else VIEW,
            modules=(),
            limits=self._limits(),
            shunt=self._shunt_says(),
            shunt_expected=True,
            chargers=(self._charger_view(),),
            inverters=tuple(
                ConverterView(
                    name=name,
                    spec=_INVERTER_SPEC,
                    state=ConverterState.RUNNING if wire.sent_w else ConverterState.OFF,
                    reading=None,
                    silent=False,
                )
                for name, wire in self._inverters.items()
            ),
            wanted=self._wanted(),
            target_charge_w=topic.size if topic else 0.0,
            target_until_s=topic.ends_s if topic else None,
        )

    def _charger_view(self) -> ConverterView:
        """As runtime.site makes it."""
        reading = believable(self._report, _CHARGER_SPEC, self.now_s)
        if reading is not None and reading.at_s > self._reported_s:
            self._reported_s = reading.at_s
            if reading.ac_w is not None:
                self.ledger.observed("charger", reading.at_s, reading.ac_w)
        silent = reading is None or not self.now_s - reading.at_s <= _STALE_S
        if silent:
            self.ledger.unreachable("charger", self.now_s, 0.0)
        state = ConverterState.RUNNING if self._charger.sent_w else ConverterState.OFF
        if not self._charger.sent_w and self._taken_w > _NO_CURRENT_W:
            state = ConverterState.STOPPING
        return ConverterView(
            name="charger", spec=_CHARGER_SPEC, state=state, reading=reading, silent=silent
        )

    def _command(self, decision: Decision) -> None:
        factor = 0.0 if self._active("ignore", "restart") else 1.0
        factor = 0.5 if self._active("halve") else factor
        late_s = 3.0 if self._active("delay") else 0.0
        for name, wire in self._inverters.items():
            power_w = float(int(decision.units[name]))
            first = name == "inverter"  # only one of several is broken
            if wire.send(
                self.now_s,
                power_w,
                factor=factor if first else 1.0,
                late_s=late_s if first else 0.0,
            ):
                self._note(name, power_w)
        factor = 0.0 if self._active("charger_ignore") else 1.0
        late_s = 3.0 if self._active("charger_delay") else 0.0
        power_w = float(int(decision.units["charger"]))
        if self._charger.send(self.now_s, power_w, factor=factor, late_s=late_s):
            self._note("charger", -power_w)

    def _note(self, name: str, power_w: float) -> None:
        self.ledger.sent(name, self.now_s, power_w)
        self.identification.sent(name, self.now_s, power_w)
