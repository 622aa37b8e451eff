"""What devices report, each with the moment at which it was true."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Power at the house connection.

    at_s: when the meter measured, as well as we know (receipt minus known latency).
    received_at_s: when the message arrived; two readings differ in it even if equal in value.
    grid_w: W, > 0 import.
    import_kwh, export_kwh: what the meter itself has counted; None where it did not say so since
    the reading before.
    """

    at_s: float
    received_at_s: float
    grid_w: float
    import_kwh: float | None = None
    export_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class CurrentReading:
    """Battery current measured by a shunt. current_a: A, > 0 discharge."""

    at_s: float
    current_a: float


class Temperature(NamedTuple):
    """A temperature with the bounds of what it may be, degrees Celsius.

    Sources disagree on some sensors' offset; cold limits look at ``low_c``, hot limits at
    ``high_c``, so that both readings of the protocol stay safe.
    """

    low_c: float
    high_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleReading:
    """All that is known of one battery module.

    name: short, for people: bus and number, for example ``b3``.

    cell_v[i] is cell i+1 in V, None while not available; cell_at_s[i] is when it was received.
    temps: usable sensors only; temp_at_s None until one usable temperature was received.
    over_range_temp: a sensor reports a value beyond its range: treat as too hot.
    bleeding: bit i set = the module says that cell i+1 is being bled now.
    suspect: bit i set = cell i+1 reads outside the plausible window or jumped.
    """

    bus: str
    number: int
    cell_v: tuple[float | None, ...]
    cell_at_s: tuple[float | None, ...]
    temps: tuple[Temperature, ...] = ()
    temp_at_s: float | None = None
    over_range_temp: bool = False
    bleeding: int = 0
    suspect: int = 0

    name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The name is looked at hundreds of times a second, and made once."""
        object.__setattr__(self, "name", f"{self.bus}{self.number}")


class ConverterState(StrEnum):
    """What a charger or inverter is doing, as far as its driver knows."""

    UNKNOWN = "unknown"
    OFF = "off"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverterReading:
    """Telemetry of one charger or inverter; absent values are None.

    at_s: when the oldest of the values needed for ``ac_w`` was received.
    ac_w: AC power toward the house, W: inverter >= 0, charger <= 0. May be an estimate.
    dc_v, dc_a: at the battery terminals, dc_a > 0 out of the battery.
    alarms: names of active alarms, sorted.
    """

    at_s: float
    ac_w: float | None = None
    dc_v: float | None = None
    dc_a: float | None = None
    mains_v: float | None = None
    temp_c: float | None = None
    alarms: tuple[str, ...] = ()
