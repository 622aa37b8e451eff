"""What a driver of each kind offers. Implementations match by shape, not by inheritance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from gridzero.domain.converters import ConverterSpec, Setpoint
from gridzero.domain.readings import (
    ConverterReading,
    ConverterState,
    CurrentReading,
    MeterReading,
    ModuleReading,
)

OnSent = Callable[[float, float], None]
"""Called with (when in s, AC power toward the house in W) each time a changed command left."""


class Role(StrEnum):
    """What a device is to the site."""

    METER = "meter"
    CELLS = "cells"
    SHUNT = "shunt"
    CHARGER = "charger"
    INVERTER = "inverter"
    SWITCH = "switch"


class Device(Protocol):
    """Anything the supervisor runs."""

    @property
    def name(self) -> str: ...

    async def run(self) -> None:
        """Serve until cancelled. Raises DeviceError when lost; the supervisor calls it again."""
        ...

    async def stop(self) -> None:
        """Leave the device safe, on every way out, whether run() is alive or not.

        Called once, after run() was cancelled, while the links still work. Bounded in time.
        """
        ...


@runtime_checkable
class Meter(Device, Protocol):
    """Power at the house connection."""

    @property
    def interval_s(self) -> float:
        """How often a reading is expected, s."""
        ...

    def latest(self) -> MeterReading | None:
        """Newest valid reading, None before the first. Its age is the caller's business."""
        ...

    def on_reading(self, listener: Callable[[MeterReading], None]) -> None:
        """Call listener at once for each new valid reading."""
        ...


@runtime_checkable
class CellMonitor(Device, Protocol):
    """Cell voltages and temperatures of a battery."""

    def expected(self) -> Sequence[str]:
        """Names of the modules that the configuration says are there, such as ``b3``."""
        ...

    def modules(self) -> Sequence[ModuleReading]:
        """Everything heard so far, one per expected module, in configured order."""
        ...

    def bleed(self, cells: Mapping[str, int], until_s: float) -> None:
        """Ask modules (by name) to bleed cells (bit i = cell i+1) until the lease ends.

        A module that is not named is told to stop.
        """
        ...


@runtime_checkable
class CurrentSensor(Device, Protocol):
    """Battery current."""

    def latest(self) -> CurrentReading | None:
        """Newest valid reading, None before the first."""
        ...


@runtime_checkable
class Converter(Device, Protocol):
    """A charger or an inverter: takes leased set-points, sends them, and reports."""

    @property
    def spec(self) -> ConverterSpec: ...
    @property
    def state(self) -> ConverterState: ...

    def command(self, setpoint: Setpoint) -> None:
        """Take the newest guarded set-point; lower ones go out at once. Never blocks."""
        ...

    def reading(self) -> ConverterReading | None:
        """Newest telemetry; None when the device never answered (some never do)."""
        ...

    def telemetry_expected(self) -> bool:
        """Whether silence is a fault (a rectifier) or normal (an inverter without read-back)."""
        ...

    def on_sent(self, listener: OnSent) -> None:
        """Tell listener each command that really left: the ledger of the control law."""
        ...


@runtime_checkable
class Charger(Converter, Protocol):
    """Battery charger. Its ``on_sent`` powers are <= 0."""


@runtime_checkable
class Inverter(Converter, Protocol):
    """Grid-tie inverter. Its ``on_sent`` powers are >= 0."""


@runtime_checkable
class Switch(Device, Protocol):
    """A relay or contactor that must be fed to stay closed."""

    def close(self, until_s: float) -> None:
        """Keep closed until the lease ends."""
        ...

    def open(self) -> None:
        """Open at once."""
        ...

    def is_closed(self) -> bool | None:
        """None when it cannot be known."""
        ...


@runtime_checkable
class Switched(Protocol):
    """A device that works a contactor of its own; see ports.plugin ``switches``."""

    contactor: Switch | None


class OfflineValue(NamedTuple):
    """One value that a device stores for the time in which nobody speaks to it.

    low, high: what it may be, in unit. advice: what to choose.
    """

    key: str
    title: str
    unit: str
    low: float
    high: float
    advice: str


class OfflineValues(Protocol):
    """Values that a person stores in a device, one at a time; never part of the control path.

    words: what a person must say before each write. silence_s: how long nothing must be said until
    the device uses them. stored_v: the voltage that it acknowledged, V; None = none yet.
    tolerance_v: how far its output may be from that, V.
    """

    words: str
    silence_s: float
    tolerance_v: float
    values: tuple[OfflineValue, ...]
    stored_v: float | None

    async def store(self, key: str, value: float, operator_says: str) -> float:
        """Store one; returns what the device acknowledged.

        Raises DeviceError for other words, a refusal or silence, ValueError outside low to high.
        """
        ...

    async def measured_v(self) -> float:
        """Ask once for the output voltage, V. Raises DeviceSilent."""
        ...
