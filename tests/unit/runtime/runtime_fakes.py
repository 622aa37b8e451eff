"""A house of fake devices that write down, in one diary, what is done to them and when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridzero.battery.limits import Ratings
from gridzero.battery.profile import profile
from gridzero.control.tuning import Tuning
from gridzero.domain.converters import ConverterSpec, Dynamics, Setpoint
from gridzero.domain.modes import Wanted
from gridzero.domain.readings import (
    ConverterReading,
    ConverterState,
    CurrentReading,
    MeterReading,
    ModuleReading,
    Temperature,
)
from gridzero.ports.clock import LoopClock
from gridzero.ports.devices import OnSent
from gridzero.runtime.fault_book import FaultBook
from gridzero.runtime.parts import Parts
from gridzero.runtime.rules import SiteRules
from gridzero.runtime.settings import Settings
from gridzero.runtime.site import Site
from gridzero.runtime.stores import MemoryStore
from gridzero.runtime.supervisor import Service, Supervisor

RULES = SiteRules(
    profile=profile("vw_gte_12s", {}),
    ratings=Ratings(max_charge_a=50.0, max_discharge_a=50.0, max_module_a=50.0),
    tuning=Tuning(),
)
SPEC = ConverterSpec(
    min_w=27.0,
    max_w=900.0,
    efficiency=0.9,
    dynamics=Dynamics(dead_time_s=0.0, jump_w=1e4, rise_w_per_s=1e6, fall_w_per_s=1e6),
)


def now_s() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Diary:
    """(when, who, what) of everything that happened, in order."""

    lines: list[tuple[float, str, str]] = field(default_factory=list)

    def note(self, who: str, what: str) -> None:
        self.lines.append((round(now_s(), 3), who, what))

    def times(self, who: str, what: str) -> list[float]:
        return [at_s for at_s, w, x in self.lines if (w, x) == (who, what)]

    def order(self, *of: str) -> list[str]:
        """ "who what" of those lines whose what is one of these."""
        return [f"{who} {what}" for _, who, what in self.lines if what in of]


class FakeDevice:
    """run and stop do what a test puts in their place."""

    def __init__(self, name: str, diary: Diary) -> None:
        self.name, self.diary = name, diary
        self.on_run: Callable[[], Awaitable[None]] = asyncio.Event().wait  # type: ignore[assignment]  # its True is never seen
        self.on_stop: Callable[[], Awaitable[None]] = self._at_once

    async def run(self) -> None:
        self.diary.note(self.name, "run")
        try:
            await self.on_run()
        except asyncio.CancelledError:
            self.diary.note(self.name, "cancelled")
            raise

    async def stop(self) -> None:
        self.diary.note(self.name, "stop")
        await self.on_stop()
        self.diary.note(self.name, "stopped")

    async def _at_once(self) -> None:
        """Nothing to do."""


class FakeMeter(FakeDevice):
    """Says what a test lets it say."""

    interval_s = 0.5

    def __init__(self, diary: Diary) -> None:
        super().__init__("meter", diary)
        self._latest: MeterReading | None = None
        self._listeners: list[Callable[[MeterReading], None]] = []

    def latest(self) -> MeterReading | None:
        return self._latest

    def on_reading(self, listener: Callable[[MeterReading], None]) -> None:
        self._listeners.append(listener)

    def say(self, grid_w: float) -> None:
        self._latest = reading = MeterReading(now_s(), now_s(), grid_w)
        for listener in self._listeners:
            listener(reading)


class FakeCells(FakeDevice):
    """Two healthy modules whose voltages never age, unless a test takes them away."""

    def __init__(self, diary: Diary) -> None:
        super().__init__("cells", diary)
        self.volts = 3.7
        self.bled: list[tuple[float, dict[str, int], float]] = []

    def expected(self) -> Sequence[str]:
        return ("a1", "a2")

    def modules(self) -> Sequence[ModuleReading]:
        return tuple(
            ModuleReading(
                bus="a",
                number=number,
                cell_v=(self.volts,) * 12,
                cell_at_s=(now_s(),) * 12,
                temps=(Temperature(20.0, 20.0),),
                temp_at_s=now_s(),
            )
            for number in (1, 2)
        )

    def bleed(self, cells: Mapping[str, int], until_s: float) -> None:
        self.bled.append((now_s(), dict(cells), until_s))


class FakeShunt(FakeDevice):
    """Reads 0 A, as of this moment."""

    def __init__(self, diary: Diary) -> None:
        super().__init__("shunt", diary)

    def latest(self) -> CurrentReading | None:
        return CurrentReading(now_s(), 0.0)


class FakeConverter(FakeDevice):
    """Obeys at once."""

    def __init__(
        self, name: str, diary: Diary, *, sign: float = 1.0, telemetry: bool = False
    ) -> None:
        super().__init__(name, diary)
        self.spec = SPEC
        self.setpoints: list[tuple[float, Setpoint]] = []
        self.newest: ConverterReading | None = None
        self._sign, self._telemetry = sign, telemetry
        self._listeners: list[OnSent] = []
        self._sent_w = 0.0

    def command(self, setpoint: Setpoint) -> None:
        self.setpoints.append((now_s(), setpoint))
        self.diary.note(self.name, "command")
        if setpoint.power_w != self._sent_w:
            self._sent_w = setpoint.power_w
            for listener in self._listeners:
                listener(now_s(), self._sign * setpoint.power_w)

    @property
    def state(self) -> ConverterState:
        return ConverterState.RUNNING if self.commanded_w else ConverterState.OFF

    @property
    def commanded_w(self) -> float:
        return self.setpoints[-1][1].power_w if self.setpoints else 0.0

    def reading(self) -> ConverterReading | None:
        return self.newest

    def telemetry_expected(self) -> bool:
        return self._telemetry

    def on_sent(self, listener: OnSent) -> None:
        self._listeners.append(listener)


class FakeHouse:
    """Meter, cells, one charger, one inverter. Needs a running loop."""

    def __init__(
        self, *, shunt: bool = False, wanted: Wanted | None = None, rules: SiteRules = RULES
    ) -> None:
        self.diary = Diary()
        self.clock = LoopClock()
        self.faults = FaultBook(self.clock)
        self.meter = FakeMeter(self.diary)
        self.cells = FakeCells(self.diary)
        self.shunt = FakeShunt(self.diary) if shunt else None
        self.inverter = FakeConverter("inverter", self.diary)
        self.charger = FakeConverter("charger", self.diary, sign=-1.0)
        self.parts = Parts(
            meter=self.meter,
            cells=self.cells,
            shunt=self.shunt,
            chargers=[self.charger],
            inverters=[self.inverter],
        )
        self.settings = Settings(wanted or Wanted(), MemoryStore())
        self.site = Site(self.parts, rules, self.settings, self.faults, self.clock)
        self.stop = asyncio.Event()
        self.devices: tuple[FakeDevice, ...] = (
            self.inverter,
            self.charger,
            self.cells,
            *((self.shunt,) if self.shunt else ()),
            self.meter,
        )

    def supervisor(self, **more: Any) -> Supervisor:
        """With one link and one output, both in the diary."""
        values: dict[str, Any] = {
            "links": (self.service("link"),),
            "outputs": (self.service("output"),),
            "farewell": lambda: self.diary.note("output", "farewell"),
            **more,
        }
        return Supervisor(self.site, self.faults, self.clock, **values)

    def service(self, name: str, run: Callable[[], Awaitable[None]] | None = None) -> Service:
        device = FakeDevice(name, self.diary)
        if run is not None:
            device.on_run = run
        return Service(name, device.run)
